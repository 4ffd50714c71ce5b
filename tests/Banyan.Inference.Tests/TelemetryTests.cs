using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;
using Microsoft.Extensions.Logging;

namespace Banyan.Inference.Tests;

/// <summary>What generation tells an application that embeds it.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public void Generation_is_logged_and_measured()
    {
        var logger = new CollectingLogger();
        LanguageModel lm = Make("measured", logger);
        using var metrics = new Measurements("Banyan.Inference", "gen_ai.request.model", "measured");
        lm.Generate([[1, 2, 3], [4, 5]], new GenerationOptions { MaxNewTokens = 6, IgnoreEnd = true });
        Assert.Equal([(LogLevel.Debug, "Started"), (LogLevel.Debug, "Finished")], logger.Entries.Select(e => (e.Level, e.Event)));
        Assert.Equal((2, 5L, 12L), ((int)logger.Entries.First().Values["Sequences"]!, (long)logger.Entries.First().Values["PromptTokens"]!, (long)logger.Entries.Last().Values["Tokens"]!));
        // Five tokens read, then two for each of six steps.
        Assert.Equal([5, 2, 2, 2, 2, 2, 2], metrics.Of("banyan.inference.tokens"));
        double first = Assert.Single(metrics.Of("gen_ai.server.time_to_first_token")), whole = Assert.Single(metrics.Of("gen_ai.server.request.duration"));
        Assert.True(first > 0 && first < whole);
        Assert.Equal((whole - first) / 5, Assert.Single(metrics.Of("gen_ai.server.time_per_output_token")), 1e-12);
        Assert.Equal("s", metrics.UnitOf("gen_ai.server.time_to_first_token"));
    }

    [Fact]
    public void Cancelled_generation_says_so()
    {
        var logger = new CollectingLogger();
        LanguageModel lm = Make("cancelled", logger);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => lm.Generate([[1]], new GenerationOptions { IgnoreEnd = true }, onToken: _ => stop.Cancel(), cancellationToken: stop.Token));
        Assert.Equal((LogLevel.Information, "Cancelled", 1L), (logger.Entries.Last().Level, logger.Events.Last(), (long)logger.Entries.Last().Values["Tokens"]!));
    }

    [GoldenFact]
    public void Loading_is_logged()
    {
        var logger = new CollectingLogger();
        string path = SharedFolder.Get("assets", "weights", "stories260K", "stories260K.bin");
        LanguageModel.Load(path, logger: logger);
        CollectingLogger.Entry entry = Assert.Single(logger.Entries);
        Assert.Equal((LogLevel.Information, "Loaded", path), (entry.Level, entry.Event, (string)entry.Values["Path"]!));
    }

    private static LanguageModel Make(string name, ILogger logger)
    {
        const string Config = """{ "model_type": "llama", "num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50, "max_position_embeddings": 64 }""";
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(Config), "test"));
        model.Initialize(7);
        return new LanguageModel(model, endIds: [], source: name) { Logger = logger };
    }
}
