using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class SafetensorsWriterTests
{
    private static readonly string[] Written = ["goldens", "models"];

    public static IEnumerable<object[]> ReferenceFiles() => Golden.Files("*.safetensors", Written);

    [GoldenTheory, MemberData(nameof(ReferenceFiles)), Trait("Category", "Golden")]
    public void Writes_the_bytes_of_the_reference_library(string name)
    {
        string path = Path.Combine(SharedFolder.Get(Written), name);
        using var folder = new TemporaryFolder();
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            Copy(file, folder["copy"], reverse: true);
        }
        Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(folder["copy"])), $"{name} differs");
    }

    [GoldenTheory, Trait("Category", "Golden")]
    [InlineData("all_dtypes")]
    [InlineData("unicode_names")]
    [InlineData("no_tensors")]
    public void Writes_every_type_and_name_as_the_reference_library(string name)
    {
        string path = SharedFolder.Get("goldens", "quant", "safetensors", "good", name + ".safetensors");
        using var folder = new TemporaryFolder();
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            Copy(file, folder["copy"], reverse: true);
        }
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(folder["copy"]));
    }

    [Fact]
    public void Takes_pieces_in_any_order_and_leaves_nothing_without_commit()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["a"], "older");
        TensorEntry[] entries = [new("x", DType.Float32, 2, 3), new("y", DType.UInt8, 5)];
        using (SafetensorsWriter writer = SafetensorsWriter.Create(folder["a"], entries))
        {
            writer.Write("y", [1, 2]);
            writer.Write("x", new byte[24]);
            Assert.Throws<InvalidOperationException>(writer.Commit);
            Assert.Contains("do not fit", Assert.Throws<ArgumentException>(() => writer.Write("y", new byte[4])).Message);
            Assert.Contains("announced", Assert.Throws<ArgumentException>(() => writer.Write("z", [])).Message);
        }
        Assert.Equal(["a"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Equal("older", File.ReadAllText(folder["a"]));
    }

    [Fact]
    public void Windows_outlive_the_file_object_and_rows_are_sliced()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = [.. Enumerable.Range(0, 12).Select(i => (byte)i)];
        SafetensorsWriter.Write(folder["a"], [(new TensorEntry("w", DType.UInt8, 3, 4), bytes)]);
        SafetensorsFile file = SafetensorsFile.Open(folder["a"]);
        TensorBytes window = file.Map("w");
        var rows = new byte[8];
        file.ReadRows("w", 1, 2, rows);
        Assert.Equal(bytes[4..], rows);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("w", 2, 2, rows));
        file.Dispose();
        File.Delete(folder["a"]);
        Assert.Equal(bytes, window.Span.ToArray());
        window.Dispose();
        Assert.Throws<ObjectDisposedException>(() => window.Span.Length);
        Assert.ThrowsAny<ObjectDisposedException>(() => file.Map("w"));
    }

    [Fact]
    public void A_missing_tensor_is_named_with_its_nearest_neighbour()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder["a"], [(new TensorEntry("model.norm.weight", DType.UInt8, 1), new byte[1])]);
        using SafetensorsFile file = SafetensorsFile.Open(folder["a"]);
        Assert.Contains("did you mean \"model.norm.weight\"?", Assert.Throws<CheckpointException>(() => file.Map("model.norms.weight")).Message);
    }

    internal static void Copy(SafetensorsFile file, string path, bool reverse)
    {
        IEnumerable<string> names = reverse ? file.Names.Reverse() : file.Names;
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, names.Select(n => file.Get(n)), file.Metadata.Count > 0 ? file.Metadata : null);
        foreach (string name in names)
        {
            using TensorBytes bytes = file.Map(name);
            writer.Write(name, bytes.Span);
        }
        writer.Commit();
    }
}
