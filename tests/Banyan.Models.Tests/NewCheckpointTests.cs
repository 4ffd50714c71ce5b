using System.Text;
using Banyan.Checkpoints;
using Banyan.Nn;
using Xunit;

namespace Banyan.Models.Tests;

/// <summary>Models that were never trained, tensor by tensor.</summary>
public sealed class NewCheckpointTests
{
    private const string Llama = """{ "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 48, "vocab_size": 50 }""";

    [Fact]
    public void The_numbers_are_those_of_initializing_with_the_seed()
    {
        using var written = new NewCheckpoint(Config(Llama), "new", seed: 11);
        Model made = ModelRegistry.Default.Create(Config(Llama)), read = ModelRegistry.Default.Create(written.ReadConfig());
        made.Initialize(11);
        ModelFiles.LoadWeights(read, written, trainable: false);
        foreach (((string name, Parameter expected), (_, Parameter actual)) in made.NamedParameters().Zip(read.NamedParameters()))
        {
            Assert.True(expected.Value.ToArray<float>().AsSpan().SequenceEqual(actual.Value.ToArray<float>()), name);
        }
        using var zeros = new NewCheckpoint(Config(Llama), "new", zeros: true, type: DType.BFloat16);
        Assert.All(zeros.Names, n => Assert.All(zeros.LoadTensor(n, DType.Float32).ToArray<float>(), v => Assert.Equal(0, v)));
        Assert.Equal(DType.BFloat16, zeros.Get(zeros.Names[0]).Type.DType);
    }

    [Fact]
    public void A_key_that_no_model_reads_is_refused() =>
        Assert.Contains("hidden_size", Assert.Throws<CheckpointException>(() => new NewCheckpoint(Config(Llama.Replace("\"vocab_size\"", "\"hiden_size\": 3, \"vocab_size\"", StringComparison.Ordinal)), "new")).Message, StringComparison.Ordinal);

    private static ConfigReader Config(string json) => ConfigReader.Parse(Encoding.UTF8.GetBytes(json), "test");
}
