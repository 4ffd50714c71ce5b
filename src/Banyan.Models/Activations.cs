namespace Banyan.Models;

/// <summary>Activations by the names that <c>config.json</c> files give them.</summary>
public static class Activations
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Table = new()
    {
        ["gelu"] = x => x.Gelu(),
        ["gelu_new"] = x => x.Gelu(GeluForm.Tanh),
        ["gelu_pytorch_tanh"] = x => x.Gelu(GeluForm.Tanh),
        ["gelu_fast"] = x => x.Gelu(GeluForm.Tanh),
        ["relu"] = x => x.Relu(),
        ["relu2"] = x => x.ReluSquared(),
        ["relu6"] = x => x.Relu6(),
        ["leaky_relu"] = x => x.LeakyRelu(0.01),
        ["hardswish"] = x => x.Hardswish(),
        ["silu"] = x => x.Silu(),
        ["swish"] = x => x.Silu(),
        ["tanh"] = x => x.Tanh(),
        ["sigmoid"] = x => x.Sigmoid(),
        ["mish"] = x => x.Mish(),
        ["quick_gelu"] = x => x.Gelu(GeluForm.Quick),
    };

    /// <summary>The known names.</summary>
    public static IReadOnlyCollection<string> Names => Table.Keys;

    /// <summary>The activation of this name.</summary>
    public static Func<Tensor, Tensor> Get(string name) => Table[name];
}
