using System.IO.Compression;
using System.Text;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public sealed class PytorchFileTests
{
    /// <summary>A file of torch.save with two tensors of 0 to 5, the second transposed: made by hand.</summary>
    internal static byte[] Sample()
    {
        string pickle = "\u0080\u0002}(" + Tensor("w", "0", "K\u0002K\u0003", "K\u0003K\u0001") + Tensor("v", "1", "K\u0003K\u0002", "K\u0001K\u0003") + "u.";
        byte[] data = [.. Enumerable.Range(0, 6).SelectMany(i => BitConverter.GetBytes((float)i))];
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            foreach ((string name, byte[] content) in new[] { ("a/data.pkl", Encoding.Latin1.GetBytes(pickle)), ("a/data/0", data), ("a/data/1", data) })
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }
        return stream.ToArray();
    }

    private static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";

    private static string Tensor(string name, string key, string size, string stride) =>
        Text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + Text("storage") + "ctorch\nFloatStorage\n" + Text(key) + Text("cpu") + "K\u0006tQK\0(" + size + "t(" + stride + "t\u0089}tR";

    [Fact]
    public void A_transposed_tensor_is_read_row_by_row()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["a.pt"], Sample());
        using PytorchFile file = PytorchFile.Open(folder["a.pt"]);
        Assert.Equal(["w", "v"], file.Names);
        Assert.Equal([0f, 1, 2, 3, 4, 5], file.LoadTensor("w").ToArray<float>());
        Assert.Equal([0f, 3, 1, 4, 2, 5], file.LoadTensor("v").ToArray<float>());
        Assert.Equal(3, file.Get("v").Shape[0]);
    }

    [Fact]
    public void A_folder_with_only_a_pytorch_file_opens()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["pytorch_model.bin"], Sample());
        using ModelFolder model = ModelFolder.Open(folder.Path);
        Assert.Equal(["w", "v"], model.Names);
    }
}
