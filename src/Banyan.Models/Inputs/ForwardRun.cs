using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// One forward call with everything that can be seen of it, by the names of transformers: <c>out.*</c>, <c>hidden.*</c>, and, with gradients,
/// <c>grad.</c> and the checkpoint name. What <c>banyan forward</c> runs, and what the tests compare with the reference.
/// </summary>
public static class ForwardRun
{
    /// <summary>Runs a model on named tensors.</summary>
    /// <param name="model">The model; trainable where gradients are asked for.</param>
    /// <param name="inputs">Arguments by name, without the prefix <c>in.</c>.</param>
    /// <param name="gradients">Whether to differentiate the loss. Default: false.</param>
    /// <param name="loss">The loss of a model that has none of its own, from its outputs; null: the output <c>loss</c>.</param>
    /// <returns>Names and tensors, which belong to no scope.</returns>
    /// <exception cref="ArgumentException">An argument is missing or unknown, or gradients were asked for without a loss.</exception>
    public static IReadOnlyList<(string Name, Tensor Value)> Run(Model model, IReadOnlyDictionary<string, Tensor> inputs, bool gradients = false,
        Func<ModelOutputs, Tensor>? loss = null)
    {
        using var scope = new Scope(new ScopeOptions { RecordGradients = gradients });
        var hidden = new HiddenTap(model);
        var result = new List<(string, Tensor)>();
        ModelOutputs outputs = model.Run(new ModelInputs(inputs), new ForwardPass(scope) { Tap = hidden });
        result.AddRange(outputs.Tensors.Select(o => ($"out.{o.Name}", Copy(o.Value))));
        result.AddRange(hidden.Found(inputs));
        if (gradients)
        {
            Tensor value = (loss is null ? outputs.Loss : loss(outputs)) ?? throw new ArgumentException("gradients need a loss: give labels, or a definition of the loss");
            model.ZeroGrad();
            value.Backward();
            result.AddRange(model.NamedParameters().Where(p => p.Parameter.Value.HasGrad).Select(p => ($"grad.{p.Name}", Copy(p.Parameter.Grad!))));
        }
        return result;
    }

    private static Tensor Copy(Tensor x)
    {
        Tensor copy = Tensor.Zeros(x.Shape, x.DType);
        copy.CopyFrom(x);
        return copy;
    }

    /// <summary>Copies what passes at the places of the model's hidden states.</summary>
    private sealed class HiddenTap : ITap
    {
        private readonly List<(string Name, string Path)> _places;
        private readonly Dictionary<string, Tensor> _seen = [];

        public HiddenTap(Model model) => _places = [.. model.HiddenStates];

        public Tensor Visit(string path, Tensor output)
        {
            if (_places.Any(p => p.Path == path))
            {
                _seen[path] = Copy(output);
            }
            return output;
        }

        // Models compute on (tokens, C); the caller's batch has (B, T) tokens.
        public IEnumerable<(string, Tensor)> Found(IReadOnlyDictionary<string, Tensor> inputs) => _places.Where(p => _seen.ContainsKey(p.Path)).Select(p =>
        {
            Tensor h = _seen[p.Path];
            Tensor? ids = inputs.GetValueOrDefault(p.Name.StartsWith("decoder", StringComparison.Ordinal) ? "decoder_input_ids" : "input_ids")
                ?? inputs.GetValueOrDefault("labels");
            Tensor? signal = inputs.GetValueOrDefault("pixel_values") ?? inputs.GetValueOrDefault("input_features") ?? inputs.GetValueOrDefault("input_values");
            return (p.Name, h.Rank != 2 ? h : ids is { Rank: 2 } && ids.Count == h.Shape[0] ? h.Reshape(ids.Shape[0], ids.Shape[1], h.Shape[1])
                : signal is not null && h.Shape[0] % signal.Shape[0] == 0 ? h.Reshape(signal.Shape[0], -1, h.Shape[1]) : h);
        });
    }
}
