using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>What DeepSeek's and GLM's mixtures say about their experts.</summary>
/// <param name="Count">E, the routed experts.</param>
/// <param name="Shared">Experts that every token uses; they are one MLP.</param>
/// <param name="PerToken">K.</param>
/// <param name="Inner">Width within an expert.</param>
/// <param name="Groups">Groups of experts, of which a token chooses first.</param>
/// <param name="ChosenGroups">Groups that a token may use.</param>
/// <param name="Normalise">Whether a token's weights are divided by their sum.</param>
/// <param name="Factor">Factor of the weights.</param>
/// <param name="Dense">How many layers at the start have an MLP instead.</param>
public sealed record SharedMixtureConfig(int Count, int Shared, int PerToken, int Inner, int Groups, int ChosenGroups, bool Normalise, double Factor, int Dense)
{
    /// <summary>Reads it.</summary>
    /// <param name="c">The file.</param>
    /// <param name="d">What the architecture takes for keys that are not there.</param>
    /// <exception cref="CheckpointException">Values are impossible together.</exception>
    public static SharedMixtureConfig Read(ConfigReader c, SharedMixtureConfig d)
    {
        int count = c.GetInt("n_routed_experts", d.Count, min: 1, max: 1 << 14), groups = c.GetInt("n_group", Math.Min(d.Groups, count), min: 1, max: count);
        ConfigChecks.Divides(c, "n_routed_experts", count, "n_group", groups);
        return new(count, c.GetInt("n_shared_experts", d.Shared, min: 0, max: 1 << 10), c.GetInt("num_experts_per_tok", Math.Min(d.PerToken, count), min: 1, max: count),
            c.GetInt("moe_intermediate_size", d.Inner, min: 1, max: 1 << 24), groups, c.GetInt("topk_group", Math.Min(d.ChosenGroups, groups), min: 1, max: groups),
            c.GetBool("norm_topk_prob", d.Normalise), c.GetDouble("routed_scaling_factor", d.Factor), c.GetInt("first_k_dense_replace", d.Dense, min: 0));
    }
}

/// <summary>A mixture beside an MLP that every token uses (DeepSeekMoE, Dai et al. 2024, arXiv:2401.06066).</summary>
public sealed class SharedMixture : Module
{
    private readonly Router _gate;
    private readonly GatedMlp[] _experts;
    private readonly GatedMlp? _shared;
    private readonly Func<Tensor, Tensor?, (Tensor Weights, Tensor Indices)> _route;

    /// <summary>A layer.</summary>
    /// <param name="c">Width, activation and new weights.</param>
    /// <param name="m">The experts.</param>
    /// <param name="correction">Whether the router has a bias that balances the load without a gradient (arXiv:2408.15664).</param>
    /// <param name="route">From the router's logits and that bias to weights and choices.</param>
    internal SharedMixture(DecoderConfig c, SharedMixtureConfig m, bool correction, Func<Tensor, Tensor?, (Tensor Weights, Tensor Indices)> route)
    {
        _route = route;
        _gate = Add("gate", new Router(c.HiddenSize, m.Count, correction, c.InitializerRange));
        _experts = [.. Enumerable.Range(0, m.Count).Select(e => Add($"experts.{e}", new GatedMlp(c.HiddenSize, m.Inner, c.HiddenAct, initializerRange: c.InitializerRange)))];
        _shared = m.Shared > 0 ? Add("shared_experts", new GatedMlp(c.HiddenSize, m.Inner * m.Shared, c.HiddenAct, initializerRange: c.InitializerRange)) : null;
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        (Tensor weights, Tensor indices) = _route(pass.Routed(this, _gate.Forward(x, pass)), _gate.Correction is null ? null : pass.Scope.Use(_gate.Correction));
        Tensor routed = Experts.Apply(x, weights, indices, _experts.Length, (e, rows) => _experts[e].Forward(rows, pass));
        return pass.Visit(this, _shared is null ? routed : routed + _shared.Forward(x, pass));
    }

    /// <summary>Sigmoid scores, chosen with a correction that does not weigh (DeepSeek V3, GLM 4.5): groups by the sum of their two best.</summary>
    internal static (Tensor Weights, Tensor Indices) Sigmoid(Tensor logits, Tensor? correction, SharedMixtureConfig m)
    {
        Tensor scores = logits.Sigmoid(), choice = scores.Detach() + correction!;
        Tensor indices = WithinGroups(choice, m, static groups => groups.TopK(Math.Min(2, groups.Shape[2])).Values.Sum(2)).TopK(m.PerToken).Indices;
        Tensor weights = scores.Gather(1, indices);
        weights = m.Normalise ? weights / (weights.Sum(1, keepDim: true) + 1e-20) : weights;
        return (weights * m.Factor, indices);
    }

    /// <summary>Softmax probabilities (DeepSeek V2): groups by their best.</summary>
    internal static (Tensor Weights, Tensor Indices) Softmax(Tensor logits, SharedMixtureConfig m, bool grouped)
    {
        Tensor probabilities = logits.Softmax(-1), choice = probabilities.Detach();
        Tensor indices = (grouped ? WithinGroups(choice, m, static groups => groups.AMax([2])) : choice).TopK(m.PerToken).Indices;
        return (probabilities.Gather(1, indices) * m.Factor, indices);
    }

    // Scores outside the best groups become 0.
    private static Tensor WithinGroups(Tensor scores, SharedMixtureConfig m, Func<Tensor, Tensor> ofGroups)
    {
        long tokens = scores.Shape[0], size = m.Count / m.Groups;
        Tensor best = ofGroups(scores.Reshape(tokens, m.Groups, size)).TopK(m.ChosenGroups).Indices;                  // (T, groups)
        Tensor allowed = (scores.Slice(1, 0, m.Groups) * 0).Scatter(1, best, 1).Reshape(tokens, m.Groups, 1).Expand([tokens, m.Groups, size]).Reshape(tokens, m.Count);
        return scores.MaskedFill(allowed.Eq(0), 0);
    }

    // A linear layer with the bias for choosing beside its weight.
    private sealed class Router : Module
    {
        private readonly Parameter _weight;

        public Router(int width, int experts, bool correction, double initializerRange)
        {
            _weight = Add("weight", [experts, width], Initializer.Normal(initializerRange));
            Correction = correction ? AddBuffer("e_score_correction_bias", [experts], Initializer.Zeros) : null;
        }

        public Parameter? Correction { get; }

        public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, Ops.Linear.Apply(x, _weight));
    }
}
