using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Models;

namespace Banyan.Cli.Verbs;

/// <summary>One forward call on named tensors, so that anyone can compare Banyan with anything.</summary>
internal sealed class ForwardVerb : Verb
{
    private const string In = "in.";

    public override string Name => "forward";

    public override string Summary => "Runs a model on the tensors in.* of a safetensors file and writes out.*, hidden.* and, with --gradients, grad.*.";

    public override string Example => "forward model/ --inputs in.safetensors --outputs out.safetensors --gradients";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("inputs", "A safetensors file; only its tensors in.NAME are read.", SettingKind.Text), new("outputs", "The safetensors file to write.", SettingKind.Text),
        new("gradients", "Write the gradient of the loss for every weight too.", SettingKind.Flag),
        new("loss_definition", "The loss of a model that has none of its own: mean(y * cos(i)) ...", SettingKind.Text),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string inputs = s.Text("inputs"), outputs = s.Text("outputs");
        bool gradients = s.Flag("gradients");
        Func<ModelOutputs, Tensor>? loss = s.OptionalText("loss_definition") is { } text ? SettingReader.Usage(() => LossDefinition.Parse(text)) : null;
        using IModelReader reader = ModelReader.Open(s.Text("model"));
        Model model = ModelRegistry.Default.Create(reader.ReadConfig());
        ModelFiles.LoadWeights(model, reader, trainable: gradients);
        using SafetensorsFile file = SafetensorsFile.Open(inputs);
        Dictionary<string, Tensor> given = file.Names.Where(n => n.StartsWith(In, StringComparison.Ordinal)).ToDictionary(n => n[In.Length..], n => file.LoadTensor(n));
        if (given.Count == 0)
        {
            throw new CheckpointException(inputs, $"holds no tensor named {In}...; expected the arguments of the forward call, such as {In}input_ids");
        }
        IReadOnlyList<(string Name, Tensor Value)> results = ForwardRun.Run(model, given, gradients, loss);
        SafetensorsWriter.Write(outputs, results.Select(r => (r.Name, r.Value)));
        output.Line($"{results.Count} tensors: {outputs}");
        output.Document(new JsonObject { ["outputs"] = outputs, ["tensors"] = new JsonArray([.. results.Select(r => (JsonNode?)JsonValue.Create(r.Name))]) });
        return 0;
    }
}
