using Banyan.Checkpoints;
using Banyan.Inference;
using Banyan.Models;

namespace Banyan.Training.Tests.Pretraining;

/// <summary><c>model.type=</c> with <c>model.depth=</c> is all that a recipe needs, for every decoder of the registry.</summary>
public sealed class ModelTypeTests : IDisposable
{
    private readonly TinyRun _run = new();

    public static TheoryData<string> Decoders => [.. ModelRegistry.Default.ModelTypes.Where(IsDecoder)];

    // What needs more than a type (the configurations of pictures and words, kinds of positions) is no matter of one dial.
    private static bool IsDecoder(string type)
    {
        ConfigReader config = Config($$"""{ "model_type": "{{type}}" }""");
        try
        {
            return ModelRegistry.Default.Create(config) is CausalLanguageModel;
        }
        catch (CheckpointException)
        {
            return false;
        }
    }

    [Theory, MemberData(nameof(Decoders))]
    public void Trains_saves_and_writes(string type)
    {
        PretrainResult result = Banyan.Training.Pretraining.Run(PretrainOptions.Read(Config($$"""
            { "model": { "type": "{{type}}", "depth": 2 }, "data": { "train": "{{_run.Text}}", "tokenizer": "char" },
              "train": { "steps": 6, "batch": 4, "sequence": 16, "eval_every": 6, "log_every": 1 }, "optimizer": { "learning_rate": 0.003 },
              "run": { "dir": "{{_run.Folder(type)}}", "save_every": 6 }, "seed": 1 }
            """)));
        Assert.True(double.IsFinite(result.ValidationLoss) && result.ValidationLoss < Math.Log(24), $"{type}: {result.ValidationLoss}");   // less than without training
        LanguageModel lm = LanguageModel.Load(result.Model);
        Assert.Equal(3, lm.Generate([[.. lm.Tokenizer.EncodeToIds("the")]], new() { MaxNewTokens = 3, IgnoreEnd = true })[0].Ids.Count);
    }

    [Fact]
    public void Most_types_are_decoders() => Assert.True(ModelRegistry.Default.ModelTypes.Count(IsDecoder) >= 45);

    [Fact]
    public void Other_models_are_refused()
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Banyan.Training.Pretraining.Run(PretrainOptions.Read(Config($$"""
            { "model": { "type": "t5", "depth": 2 }, "data": { "train": "{{_run.Text}}", "tokenizer": "char" }, "train": { "sequence": 16 }, "run": { "dir": "{{_run.Folder("t5")}}" } }
            """))));
        Assert.Contains("does not predict the next token", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _run.Dispose();

    private static ConfigReader Config(string json) => ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(json), "test");
}
