using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Testing;

namespace Banyan.Training.Tests.Goldens;

/// <summary>Sixty steps of tiny models give the losses, the gradient norms and the weights of the reference.</summary>
[Trait("Category", "Golden")]
public sealed class TrainingGoldenTests
{
    // The statistics of masking are no run: MaskedTokensTests reads them.
    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", "training").Where(c => (string)c[0] != "mlm_statistics");

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Run_equals_the_reference(string name) => new TrainingRun(name).Check(new TrainingStepOptions());

    [GoldenFact]
    public void Activation_checkpointing_gives_the_same_run() => new TrainingRun("llama").Check(new TrainingStepOptions { CheckpointActivations = true });

    [GoldenFact]
    public void Four_micro_batches_give_the_same_run() => new TrainingRun("sft_packed").Check(new TrainingStepOptions(), microBatches: 4);
}

/// <summary>One folder of goldens/training.</summary>
internal sealed class TrainingRun
{
    private readonly JsonElement _case;
    private readonly string _folder, _inputs, _name;

    public TrainingRun(string name)
    {
        _name = name;
        _folder = SharedFolder.Get("goldens", "training", name);
        _case = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "case.json"))).RootElement;
        _inputs = Directory.Exists(Path.Combine(_folder, "init")) ? _folder : SharedFolder.Get("goldens", "training", "llama");
    }

    public void Check(TrainingStepOptions options, int microBatches = 0)
    {
        Skip.If(_name is "llama_bf16", "pending: bfloat16 compute kernels");
        Module model = GoldenNetworks.Load(_name, Path.Combine(_inputs, "init")) ?? Load();
        JsonElement hyper = _case.GetProperty("hyper");
        double[] betas = [.. hyper.GetProperty("betas").EnumerateArray().Select(b => b.GetDouble())];
        var optimizer = new AdamW(ParameterGroup.DecayMatrices(model, hyper.GetProperty("weight_decay").GetDouble()), 1e-3, betas[0], betas[1], hyper.GetProperty("eps").GetDouble());
        using var step = new TrainingStep(model, optimizer, options with { ClipNorm = 1 });
        using SafetensorsFile batches = SafetensorsFile.Open(Path.Combine(_inputs, "batches.safetensors"));
        Dictionary<string, Tensor> tensors = batches.Names.ToDictionary(n => n, n => batches.LoadTensor(n));
        IGoldenLoss loss = model as IGoldenLoss ?? GoldenLosses.Of((Model)model, _name.Contains("smooth", StringComparison.Ordinal) ? 0.1 : 0);
        int parts = microBatches > 0 ? microBatches : _case.TryGetProperty("micro_batches", out JsonElement m) ? m.GetInt32() : 1;
        double[] losses = Numbers("loss_float64"), norms = Numbers("grad_norm_float64"), rates = Numbers("lr");
        for (int t = 0; t < losses.Length; t++)
        {
            step.Begin();
            foreach (IReadOnlyDictionary<string, Tensor> part in Parts(tensors, t, parts))
            {
                step.Accumulate(loss.Count(part), (pass, count) => loss.Of(part, count, pass));
            }
            StepResult result = step.End(rates[t]);
            Assert.True(Math.Abs(result.Loss - losses[t]) <= 2e-5, $"step {t}: loss {result.Loss:R}, reference {losses[t]:R}");
            Assert.True(Math.Abs(result.GradientNorm - norms[t]) <= 1e-4 * norms[t], $"step {t}: gradient norm {result.GradientNorm:R}, reference {norms[t]:R}");
        }
        CheckWeights(model);
    }

    private Model Load()
    {
        Model model = ModelRegistry.Default.Create(Config(out bool known)!);
        Skip.If(!known, "pending");
        using ModelFolder folder = ModelFolder.Open(Path.Combine(_inputs, "init"));
        ModelFiles.LoadWeights(model, folder, trainable: true);
        return model;
    }

    private ConfigReader? Config(out bool known)
    {
        ConfigReader config = ConfigReader.Open(Path.Combine(_inputs, "init", "config.json"));
        string[] architectures = config.GetStrings("architectures");
        known = architectures.Any(ModelRegistry.Default.Architectures.Contains);
        Skip.If(!known, $"pending: {string.Join(", ", architectures)}");
        // The note of a mixture's case gives the factor of the routers' loss, which config.json leaves out.
        if (_case.TryGetProperty("note", out JsonElement note) && Regex.Match(note.GetString()!, @"\+ ([\d.]+) \* aux") is { Success: true } factor)
        {
            JsonObject edited = JsonNode.Parse(config.Json)!.AsObject();
            (edited["output_router_logits"], edited["router_aux_loss_coef"]) = (true, JsonNode.Parse(factor.Groups[1].Value));
            return ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(edited.ToJsonString()), config.Source);
        }
        return config;
    }

    // The rows of step t, cut into equal parts.
    private static IEnumerable<IReadOnlyDictionary<string, Tensor>> Parts(Dictionary<string, Tensor> tensors, int t, int parts)
    {
        long rows = tensors.Values.First().Shape[1], each = rows / parts;
        return Enumerable.Range(0, parts).Select(p => (IReadOnlyDictionary<string, Tensor>)tensors.ToDictionary(x => x.Key,
            x => x.Value.Slice(0, t, 1).Reshape([.. x.Value.Shape.Skip(1)]).Slice(0, p * each, each)));
    }

    private void CheckWeights(Module model)
    {
        using SafetensorsFile final = SafetensorsFile.Open(Path.Combine(_folder, "final", "model.safetensors"));
        JsonElement distance = _case.GetProperty("final_weight_distance");
        foreach ((string name, Parameter p) in model.NamedParameters())
        {
            double[] expected = final.LoadTensor(name).ToDoubles(), actual = p.Value.ToDoubles();
            double limit = 1e-5 + (10 * (distance.TryGetProperty(name, out JsonElement d) ? d.GetDouble() : 0));
            double worst = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
            Assert.True(worst <= limit, $"{name}: the weights differ by {worst:E2}, allowed {limit:E2}");
        }
    }

    private double[] Numbers(string key) => [.. _case.GetProperty(key).EnumerateArray().Select(v => v.GetDouble())];
}
