using System.Text;
using FsCheck.Xunit;

namespace Banyan.Tensors.Tests;

public class Crc32CTests
{
    [Fact]
    public void The_check_values_of_RFC_3720()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Property]
    public void Instruction_table_and_any_division_agree(byte[] a, byte[] b)
    {
        byte[] all = [.. a, .. b];
        Assert.Equal(~Crc32C.AppendByTable(~0u, all), Crc32C.Compute(all));
        Assert.Equal(Crc32C.Compute(all), Crc32C.Append(Crc32C.Compute(a), b));
    }
}
