using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// A layer of which each token uses a few parts only (Shazeer et al. 2017, arXiv:1701.06538; Fedus et al. 2021, arXiv:2101.03961): a router scores the
/// experts, the chosen ones compute, and the token gets their weighted sum. Tokens are grouped by expert, so that each expert is one product of matrices.
/// </summary>
public sealed class MixtureOfExperts : Module
{
    private readonly Linear _router;
    private readonly GatedMlp[] _experts;
    private readonly Routing _routing;

    /// <summary>A layer of gated MLPs.</summary>
    /// <param name="c">Width, activation and new weights.</param>
    /// <param name="inner">Width within an expert.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="routing">Chooses experts from the router's logits.</param>
    /// <param name="gate">Name of an expert's gate. Default: <c>gate_proj</c>.</param>
    /// <param name="up">Name of an expert's values. Default: <c>up_proj</c>.</param>
    /// <param name="down">Name of an expert's output. Default: <c>down_proj</c>.</param>
    /// <param name="router">Name of the router. Default: <c>gate</c>.</param>
    public MixtureOfExperts(DecoderConfig c, int inner, int experts, Routing routing, string gate = "gate_proj", string up = "up_proj", string down = "down_proj",
        string router = "gate")
    {
        _routing = routing;
        _router = Add(router, new Linear(c.HiddenSize, experts, bias: false, initializer: Initializer.Normal(c.InitializerRange)));
        _experts = [.. Enumerable.Range(0, experts).Select(e => Add($"experts.{e}", new GatedMlp(c.HiddenSize, inner, c.HiddenAct, c.MlpBias, c.InitializerRange, gate, up, down)))];
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor logits = pass.Routed(this, _router.Forward(x, pass));                       // (T, E)
        (Tensor weights, Tensor indices) = _routing(logits);
        return pass.Visit(this, Experts.Apply(x, weights, indices, _experts.Length, (e, rows) => _experts[e].Forward(rows, pass)));
    }
}

/// <summary>The experts' part of a mixture: tokens to the experts that they chose, and back.</summary>
public static class Experts
{
    /// <summary>The weighted sum of what the chosen experts make of each token. Experts that no token chose compute nothing.</summary>
    /// <param name="x">Tokens (T, C).</param>
    /// <param name="weights">Weight of each choice (T, K).</param>
    /// <param name="indices">The chosen experts (T, K), int64; all different within a token.</param>
    /// <param name="experts">E.</param>
    /// <param name="expert">What expert e makes of its rows (n, C).</param>
    /// <param name="scaleInput">Weights multiply what goes into an expert instead of what comes out (Llama 4). Default: false.</param>
    /// <returns>(T, C). The sum of a token runs over its experts in ascending order, whatever else is in the batch.</returns>
    public static Tensor Apply(Tensor x, Tensor weights, Tensor indices, int experts, Func<int, Tensor, Tensor> expert, bool scaleInput = false)
    {
        int tokens = (int)x.Shape[0], each = (int)indices.Shape[1];
        long[] chosen = x.Device == Device.Meta ? Balanced(tokens * each, experts) : indices.ToArray<long>();
        (int[] order, int[] counts) = Group(chosen, experts);
        var places = new long[order.Length];                                                // of each choice among the rows, a token's own in ascending order
        var next = new int[tokens];
        for (int row = 0; row < order.Length; row++)
        {
            int token = order[row] / each;
            places[token * each + next[token]++] = row;
        }
        Tensor rows = x.Embedding(List(x, order, i => i / each));                            // (T K, C), expert by expert
        Tensor scale = weights.Reshape(-1, 1).Embedding(List(x, order, i => i));
        rows = scaleInput ? rows * scale : rows;
        int[] used = [.. Enumerable.Range(0, experts).Where(e => counts[e] > 0)];
        Tensor[] parts = rows.Split([.. used.Select(e => (long)counts[e])], 0);
        for (int i = 0; i < used.Length; i++)
        {
            parts[i] = expert(used[i], parts[i]);
        }
        Tensor y = Tensor.Cat(parts, 0);
        y = scaleInput ? y : y * scale;
        return y.Embedding(Beside(x, Tensor.From(places))).Reshape(tokens, each, -1).Sum(1);
    }

    // The choices ordered by expert, and how many each expert has.
    private static (int[] Order, int[] Counts) Group(long[] chosen, int experts)
    {
        var counts = new int[experts];
        foreach (long e in chosen)
        {
            counts[e]++;
        }
        var starts = new int[experts];
        for (int e = 1; e < experts; e++)
        {
            starts[e] = starts[e - 1] + counts[e - 1];
        }
        var order = new int[chosen.Length];
        for (int i = 0; i < chosen.Length; i++)
        {
            order[starts[chosen[i]]++] = i;
        }
        return (order, counts);
    }

    // A forecast of memory has no numbers: it assumes that the router balances.
    private static long[] Balanced(int choices, int experts) => [.. Enumerable.Range(0, choices).Select(i => (long)(i % experts))];

    private static Tensor List(Tensor like, int[] order, Func<int, long> index) => Beside(like, Tensor.From(Array.ConvertAll(order, i => index(i))));

    private static Tensor Beside(Tensor like, Tensor list) => like.Scope is { } scope ? scope.Use(list) : list;
}
