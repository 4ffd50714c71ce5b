using System.Text.Json;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>Makes the optimizer of a golden case from its reference and its hyper-parameters.</summary>
internal static class OptimizerTable
{
    /// <summary>Null: this optimizer does not exist yet.</summary>
    public static Optimizer? Make(string reference, JsonElement h, IEnumerable<ParameterGroup> groups)
    {
        double lr = h.Double("lr", 0), b1 = h.At("betas", 0, 0.9), b2 = h.At("betas", 1, 0.999), eps = h.Double("eps", 1e-8);
        bool maximize = h.Bool("maximize"), ams = h.Bool("amsgrad");
        return reference.Split([' ', ',', ':'])[0] switch
        {
            "torch.optim.SGD" => new Sgd(groups, lr, h.Double("momentum", 0), h.Double("dampening", 0), h.Bool("nesterov")) { Maximize = maximize },
            "torch.optim.Adam" => new Adam(groups, lr, b1, b2, eps, ams) { Maximize = maximize },
            "torch.optim.AdamW" => new AdamW(groups, lr, b1, b2, eps, ams) { Maximize = maximize },
            "lion_pytorch.Lion" => new Lion(groups, lr, b1, b2),
            "torch.optim.Adafactor" => new Adafactor(groups, TorchAdafactor(h)),
            "transformers.Adafactor" => new Adafactor(groups, TransformersAdafactor(h)),
            "torch.optim.Muon" or "formula" when reference.Contains("Muon") => new Muon(groups, lr, h.Double("momentum", 0.95), h.Bool("nesterov", true),
                scale: h.Text("adjust_lr_fn", "original") == "match_rms_adamw" ? MuonScale.MatchRmsAdamW : MuonScale.Original,
                type: reference.StartsWith("torch", StringComparison.Ordinal) ? DType.BFloat16 : null),
            "schedulefree.AdamWScheduleFree" => new ScheduleFreeAdamW(groups, lr, b1, b2, eps, h.Long("warmup_steps", 0), h.Double("r", 0), h.Double("weight_lr_power", 2)),
            _ => null,
        };
    }

    private static AdafactorOptions TorchAdafactor(JsonElement h) => new()
    {
        LearningRate = h.Double("lr", 0), Beta2Decay = h.Double("beta2_decay", -0.8), ClipThreshold = h.Double("d", 1),
        Eps1 = h.GetProperty("eps")[0].ValueKind == JsonValueKind.Null ? null : h.GetProperty("eps")[0].GetDouble(), Eps2 = h.At("eps", 1, 1e-3),
    };

    private static AdafactorOptions TransformersAdafactor(JsonElement h) => new()
    {
        Style = AdafactorStyle.Transformers, LearningRate = h.Double("lr", 0), Beta2Decay = h.Double("decay_rate", -0.8),
        ClipThreshold = h.Double("clip_threshold", 1), Eps1 = h.At("eps", 0, 1e-30), Eps2 = h.At("eps", 1, 1e-3),
        ScaleParameter = h.Bool("scale_parameter"), RelativeStep = h.Bool("relative_step"), WarmupInit = h.Bool("warmup_init"),
        Beta1 = h.Double("beta1", double.NaN) is var b && double.IsNaN(b) ? null : b,
    };

    /// <summary>The parameters in the groups that the case's hyper-parameters describe.</summary>
    public static ParameterGroup[] Groups(string name, JsonElement hyper, (string Name, Parameter Parameter)[] parameters)
    {
        if (name != "param_groups")
        {
            return [new ParameterGroup(parameters, hyper[0].Double("weight_decay", 0))];
        }
        double lr = hyper[0].Double("lr", 0);
        return
        [
            new ParameterGroup(parameters.Where(p => p.Parameter.Shape.Rank >= 2), hyper[0].Double("weight_decay", 0)),
            new ParameterGroup(parameters.Where(p => p.Parameter.Shape.Rank < 2), hyper[1].Double("weight_decay", 0), hyper[1].Double("lr", 0) / lr),
        ];
    }
}
