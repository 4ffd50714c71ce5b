using Banyan.Nn;
using Banyan.Quant;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Goldens;

/// <summary>Every architecture computes with weights in blocks where its layers say that they accept them, and nearly what the numbers in the blocks give.</summary>
[Trait("Category", "Golden")]
public sealed class BlockWeightTests
{
    public static IEnumerable<object[]> Cases => Golden.Cases("goldens", "models");

    [SkippableTheory, MemberData(nameof(Cases))]
    public void Outputs_are_those_of_the_numbers(string name)
    {
        using var golden = GoldenModel.Open(name);
        DType blocks = BlockFormats.FromName("Q8_0")!.DType;
        Parameter[] parameters = [.. golden.Model.NamedParameters().Select(p => p.Parameter).Where(p => p.AcceptsBlocks && p.HasValue && p.Shape.Rank == 2 && p.Shape[-1] % 32 == 0).Distinct()];
        Skip.If(parameters.Length == 0, "no weight whose rows are whole blocks");
        var inBlocks = new List<Tensor>();
        foreach (Parameter p in parameters)
        {
            Tensor value = Tensor.Zeros(p.Shape, blocks);
            value.CopyFrom(p.Value.Detach());
            inBlocks.Add(value);
            p.Value = value.To(DType.Float32);
        }
        (string Key, float[] Values)[] expected = Outputs(golden, exact: true);
        foreach ((Parameter p, Tensor value) in parameters.Zip(inBlocks))
        {
            p.Value = value;
        }
        // Multiplied as float32 they are those numbers, to the bit; as whole numbers nearly so (where a router sends a token elsewhere, less).
        foreach (((string key, float[] wanted), (_, float[] found)) in expected.Zip(Outputs(golden, exact: true)))
        {
            Assert.True(wanted.AsSpan().SequenceEqual(found), $"{key} differs");
        }
        foreach (((string key, float[] wanted), (_, float[] found)) in expected.Zip(Outputs(golden, exact: false)).Where(p => p.First.Values.Length > 8 && p.First.Values.All(float.IsFinite)))
        {
            double dot = wanted.Zip(found, (a, b) => (double)a * b).Sum(), norms = Math.Sqrt(wanted.Sum(a => (double)a * a) * found.Sum(a => (double)a * a));
            Assert.True(norms == 0 || dot / norms > 0.9, $"{key}: cosine {dot / norms:g4}");
        }
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void Weights_of_a_file_give_the_bits_of_weights_in_memory(string name)
    {
        using var golden = GoldenModel.Open(name);
        foreach (DType half in new[] { DType.BFloat16, DType.Float16, DType.Float32 })
        {
            Parameter[] parameters = [.. golden.Model.NamedParameters().Select(p => p.Parameter).Where(p => p.AcceptsBlocks && p.HasValue && p.Value.DType.IsFloat).Distinct()];
            Tensor[] stored = [.. parameters.Select(p => ReadOnly(p.Value.Detach().To(half)))];
            foreach ((Parameter p, Tensor value) in parameters.Zip(stored))
            {
                p.Value = value.To(DType.Float32);
            }
            (string Key, float[] Values)[] expected = Outputs(golden, exact: false);
            foreach ((Parameter p, Tensor value) in parameters.Zip(stored))
            {
                p.Value = value;
            }
            foreach (((string key, float[] wanted), (_, float[] found)) in expected.Zip(Outputs(golden, exact: false)))
            {
                Assert.True(wanted.AsSpan().SequenceEqual(found), $"{key} in {half} differs");
            }
        }
    }

    // As weights of a mapped file are.
    private static unsafe Tensor ReadOnly(Tensor t) => Tensor.Borrow(t.Body.Storage!.Pointer + t.DType.ByteCount(t.Body.Offset), t.Shape, t.DType, t);

    private static (string Key, float[] Values)[] Outputs(GoldenModel golden, bool exact)
    {
        using var scope = new Scope(new() { ExactBlockProducts = exact });
        ModelOutputs outputs = golden.Model.Run(new ModelInputs(golden.Inputs()), new ForwardPass(scope));
        return [.. outputs.Tensors.Where(o => o.Value.DType == DType.Float32).Select(o => (o.Name, o.Value.ToArray<float>()))];
    }
}
