using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Granite 3 MoE (IBM 2024): Granite's multipliers, and experts whose weights lie in one tensor for all, with gate and values in one layer.

/// <summary>The experts of a layer, in two tensors: <c>input_linear</c> (E, 2 F, C) and <c>output_linear</c> (E, C, F).</summary>
public sealed class GraniteMoeMlp : Module
{
    private readonly Linear _router;
    private readonly Parameter _input, _output;
    private readonly Routing _routing;
    private readonly Func<Tensor, Tensor> _act;

    internal GraniteMoeMlp(DecoderConfig c, ExpertsConfig e)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _routing = Routings.TopKSoftmax(e.PerToken);
        _input = Add("input_linear.weight", [e.Count, 2 * e.Inner, c.HiddenSize], init);
        _output = Add("output_linear.weight", [e.Count, c.HiddenSize, e.Inner], init);
        _router = Add("router.layer", new Linear(c.HiddenSize, e.Count, bias: false, initializer: init));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        (Tensor weights, Tensor indices) = _routing(pass.Routed(this, _router.Forward(x, pass)));
        Tensor[] input = pass.Scope.Use(_input).Unbind(), output = pass.Scope.Use(_output).Unbind();
        return pass.Visit(this, Experts.Apply(x, weights, indices, input.Length, (e, rows) =>
        {
            Tensor[] parts = Ops.Linear.Apply(rows, input[e]).Chunk(2, 1);
            return Ops.Linear.Apply(_act(parts[0]) * parts[1], output[e]);
        }));
    }
}

/// <summary>x + r attention(norm(x)), then x + r experts(norm(x)).</summary>
public sealed class GraniteMoeBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GraniteMoeMlp _experts;
    private readonly RmsNorm _attentionNorm, _expertsNorm;
    private readonly double _residual;

    internal GraniteMoeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, GraniteMultipliers m, ExpertsConfig e)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Scale = m.Attention });
        _experts = Add("block_sparse_moe", new GraniteMoeMlp(c, e));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _expertsNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _residual = m.Residual;
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass) * _residual;
        return x + _experts.Forward(_expertsNorm.Forward(x, pass), pass) * _residual;
    }
}

/// <summary>Granite MoE with its language-model head: <c>GraniteMoeForCausalLM</c>.</summary>
public sealed class GraniteMoe : StackedLanguageModel
{
    private readonly GraniteMultipliers _multipliers;

    /// <summary>A model without weights; initialise or load it.</summary>
    public GraniteMoe(ConfigReader config) : this(config, DecoderConfig.Read(config), GraniteMultipliers.Read(config), ExpertsConfig.Read(config, new(8, 2, 11008, true)))
    {
    }

    private GraniteMoe(ConfigReader config, DecoderConfig c, GraniteMultipliers m, ExpertsConfig e) : base(config, c, Stack(c, m, e)) =>
        (_multipliers, RouterLoss) = (m, RouterLoss.Read(config, e.Count, e.PerToken));

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => base.Hidden(batch, pass) * (1 / _multipliers.Logits);

    private static DecoderStack Stack(DecoderConfig c, GraniteMultipliers m, ExpertsConfig e)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new GraniteMoeBlock(c, i, rotary, m, e), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary) { EmbeddingScale = m.Embedding };
    }
}
