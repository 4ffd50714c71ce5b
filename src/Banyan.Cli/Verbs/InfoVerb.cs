using System.Globalization;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Cli.Verbs;

/// <summary>What a model is, without reading its weights.</summary>
internal sealed class InfoVerb : Verb
{
    public override string Name => "info";

    public override string Summary => "Architecture, parameters, types and memory of a model.";

    public override string Example => "info runs/quickstart/model --context 512";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings => [new("context", "Tokens for which the cache's memory is told; 0: the model's context."), new("tensors", "List every tensor.", SettingKind.Flag), new("metadata", "List the metadata of a GGUF file.", SettingKind.Flag)];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        using IModelReader reader = ModelReader.Open(s.Text("model"));
        ConfigReader config = reader.ReadConfig();
        Model model = ModelRegistry.Default.Create(config);
        string architecture = config.GetStrings("architectures").FirstOrDefault() ?? model.GetType().Name;
        ICheckpointReader stored = reader is GgufModel gguf ? gguf.File : reader; // a GGUF file under its own names and types
        TensorEntry[] entries = [.. stored.Names.Select(stored.Get)];
        long bytes = entries.Sum(e => e.ByteCount);
        string[] types = [.. entries.Select(e => e.Type.ToString()!).Distinct().Order(StringComparer.Ordinal)];
        var document = new JsonObject
        {
            ["architecture"] = architecture, ["model_type"] = config.GetString("model_type", ""), ["parameters"] = model.ParameterCount,
            ["dtypes"] = new JsonArray([.. types.Select(t => (JsonNode?)JsonValue.Create(t))]), ["weight_bytes"] = bytes, ["tensors"] = entries.Length,
        };
        output.Line($"{architecture}: {model.ParameterCount:N0} parameters, {string.Join(", ", types)}, {bytes / 1048576.0:F1} MiB of weights in {entries.Length} tensors");
        if (model is CausalLanguageModel causal)
        {
            bool limited = causal.MaxPositions < int.MaxValue;   // recurrent models go on forever
            int context = s.Int("context", 0, 0) is var c && c == 0 ? limited ? causal.MaxPositions : 4096 : Math.Min(c, causal.MaxPositions);
            long cache = CacheBytes(causal, context);
            output.Line($"vocabulary {causal.VocabularySize:N0}, context {(limited ? causal.MaxPositions.ToString("N0", CultureInfo.InvariantCulture) : "of any length")}; the cache of {context:N0} tokens takes {cache / 1048576.0:F1} MiB");
            (document["vocab_size"], document["context"], document["cache_bytes"], document["memory_bytes"]) = (causal.VocabularySize, context, cache, bytes + cache);
        }
        if (s.Flag("metadata"))
        {
            GgufMetadata metadata = (reader as GgufModel)?.File.Metadata ?? throw new UsageException($"{reader.Path} is no GGUF file, and only those have metadata");
            foreach (string key in metadata.Keys)
            {
                output.Line($"  {key}: {metadata[key]}");
            }
        }
        foreach (TensorEntry e in s.Flag("tensors") ? entries : [])
        {
            output.Line($"  {e}");
        }
        output.Document(document);
        return 0;
    }

    // One token through the model on tensors without numbers tells what a sequence keeps for each token.
    private static long CacheBytes(CausalLanguageModel model, int context)
    {
        model.Initialize(0, Device.Meta);
        using var scope = new Scope(new ScopeOptions { Device = Device.Meta });
        var cache = new SequenceCache(context);
        model.Hidden(TokenBatch.Continue([0], [1], [cache], scope), new ForwardPass(scope));
        return cache.Bytes;
    }
}
