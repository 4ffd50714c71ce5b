using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class CheckpointTensorsTests
{
    [Fact]
    public void Tensors_come_back_mapped_copied_and_converted()
    {
        using var folder = new TemporaryFolder();
        Tensor w = Tensor.From([1.5f, -2f, 3f, 4f, 5f, 6f], [2, 3]);
        Tensor ids = Tensor.From(7L, 8L);
        SafetensorsWriter.Write(folder["a"], [("w", w), ("ids", ids), ("one", Tensor.Scalar(2)), ("none", Tensor.Zeros([0, 4]))]);
        Tensor mapped;
        using (SafetensorsFile file = SafetensorsFile.Open(folder["a"]))
        {
            mapped = file.MapTensor("w");
            Assert.Equal([1.5, -2, 3, 4, 5, 6], file.LoadTensor("w", DType.BFloat16).ToDoubles());
            Assert.Equal(DType.BFloat16, file.LoadTensor("w", DType.BFloat16).DType);
            Assert.Equal([7L, 8L], file.LoadTensor("ids").ToArray<long>());
            Assert.Equal((0, 2.0), (file.LoadTensor("one").Rank, file.LoadTensor("one").Item()));
            Assert.Equal(new Shape(0, 4), file.MapTensor("none").Shape);
            Tensor parameter = Tensor.Zeros([2, 3], DType.Float64);
            file.LoadInto("w", parameter);
            Assert.Equal(w.ToDoubles(), parameter.ToDoubles());
            Assert.Contains("expects [3, 2]", Assert.Throws<CheckpointException>(() => file.LoadInto("w", Tensor.Zeros([3, 2]))).Message);
        }
        Assert.Equal(w.ToArray<float>(), mapped.ToArray<float>()); // the mapping outlives the reader
        Assert.Contains("mapped file", Assert.Throws<InvalidOperationException>(() => mapped.Fill(0)).Message);
    }

    [Fact]
    public void A_view_is_written_as_it_appears()
    {
        using var folder = new TemporaryFolder();
        Tensor w = Tensor.From([1f, 2f, 3f, 4f, 5f, 6f], [2, 3]);
        SafetensorsWriter.Write(folder["a"], [("t", w.Transpose(0, 1))]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["a"]);
        Assert.Equal([1f, 4f, 2f, 5f, 3f, 6f], file.LoadTensor("t").ToArray<float>());
    }

    [Fact]
    public void What_no_tensor_can_hold_is_named()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["a"], [
            (new TensorEntry("u", SafetensorsTypes.Find("U32")!, 2), new byte[8]),
            (new TensorEntry("deep", DType.UInt8, 1, 1, 1, 1, 1, 1, 1, 1, 1), new byte[1])]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["a"]);
        Assert.Contains("U32", Assert.Throws<CheckpointException>(() => file.LoadTensor("u")).Message);
        Assert.Contains("9 dimensions", Assert.Throws<CheckpointException>(() => file.MapTensor("deep")).Message);
    }

    [Fact]
    public void A_tensor_must_be_what_was_announced()
    {
        using var folder = new TemporaryFolder();
        using SafetensorsWriter writer = SafetensorsWriter.Create(folder["a"], [new TensorEntry("w", DType.Float32, 2, 3)]);
        Assert.Contains("[3, 2] is given", Assert.Throws<ArgumentException>(() => writer.Write("w", Tensor.Zeros([3, 2]))).Message);
    }
}
