using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// xLSTM 7B (Beck et al. 2025, arXiv:2503.13427): layers of mLSTM, a memory that is a matrix and whose gates know nothing of the memory, so that training is parallel; a gated MLP behind each.

/// <summary>out(sigmoid(o(x)) * norm(memory(q, k, v; gates))).</summary>
public sealed class XLstmMemory : Module
{
    private const int Chunk = 64;

    private readonly int _layer, _heads;
    private readonly Linear _q, _k, _v, _outputGate, _inputGate, _forgetGate, _out;
    private readonly Parameter _norm;
    private readonly double _cap, _eps, _normEps;

    internal XLstmMemory(ConfigReader config, DecoderConfig c, int layer)
    {
        (_layer, _heads, _normEps) = (layer, c.NumAttentionHeads, c.NormEps);
        (_cap, _eps) = (config.GetDouble("gate_soft_cap", 15, min: 1e-3), config.GetDouble("eps", 1e-6, min: 0));
        int keys = Width(config, c, "qk_dim_factor", 0.5), values = Width(config, c, "v_dim_factor", 1);
        Initializer init = Initializer.Normal(c.InitializerRange);
        Linear Project(string name, int to, Initializer? biases = null) => Add(name, new Linear(c.HiddenSize, to, biases is not null, initializer: init, biasInitializer: biases));
        (_q, _k, _v) = (Project("q", keys), Project("k", keys), Project("v", values));
        _outputGate = Project("ogate_preact", values);
        _inputGate = Project("igate_preact", _heads, Initializer.Constant(-10));
        _forgetGate = Project("fgate_preact", _heads, Initializer.Of((h, _) => 3 + 3.0 * h / Math.Max(1, _heads - 1)));
        _norm = Add("multihead_norm.weight", [values], Initializer.Ones);
        _out = Add("out_proj", new Linear(values, c.HiddenSize, bias: false, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        long tokens = x.Shape[0];
        Tensor Heads(Linear project) => project.Forward(x, pass).Reshape(tokens, _heads, -1);
        Tensor q = Heads(_q), k = Heads(_k), v = batch.ZeroPadding(Heads(_v));
        q /= Math.Sqrt(q.Shape[2]);
        Tensor input = _inputGate.Forward(x, pass).Softcap(_cap), forget = _forgetGate.Forward(x, pass).Softcap(_cap).LogSigmoid();
        // In chunks for training; token by token otherwise, which has the same bits with a cache and without.
        int chunk = pass.Training ? Chunk : 1;
        Tensor h = batch.Recur(_layer, "memory", (span, packed) =>
        {
            Tensor Own(Tensor t) => t.Slice(0, span.QueryStart, span.QueryLength).Transpose(0, 1);
            (Tensor y, MatrixMemory.State next) = MatrixMemory.Apply(Own(q), Own(k), Own(v), Own(input), Own(forget), Unpack(packed?.Clone(x.Scope), v.Shape[2]), chunk, _eps);
            return (y.Transpose(0, 1), Pack(next));
        });
        h = h.LayerNorm(null, null, _normEps).Reshape(tokens, -1) * pass.Scope.Use(_norm);
        return pass.Visit(this, _out.Forward(_outputGate.Forward(x, pass).Sigmoid() * h, pass));
    }

    // A cache keeps one tensor: memory, norm and scale side by side, (H, K, V + 2).
    private static Tensor Pack(MatrixMemory.State s) => Tensor.Cat([s.Memory, s.Norm.Unsqueeze(2), s.LogScale.Unsqueeze(2).Expand([s.Norm.Shape[0], s.Norm.Shape[1], 1])], 2);

    private static MatrixMemory.State? Unpack(Tensor? packed, long values) => packed is null ? null
        : new(packed.Slice(2, 0, values), packed.Select(2, values), packed.Select(2, values + 1).Slice(1, 0, 1));

    private static int Width(ConfigReader config, DecoderConfig c, string key, double factor)
    {
        int width = (int)(c.HiddenSize * config.GetDouble(key, factor, min: 1e-3, max: 64));
        ConfigChecks.Divides(config, $"hidden_size times {key}", width, "num_heads", c.NumAttentionHeads);
        return width;
    }
}

/// <summary>x + memory(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class XLstmBlock : Block
{
    private readonly XLstmMemory _memory;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _memoryNorm, _mlpNorm;

    internal XLstmBlock(ConfigReader config, DecoderConfig c, int layer, int inner)
    {
        _memoryNorm = Add("norm_mlstm", new RmsNorm(c.HiddenSize, c.NormEps));
        _memory = Add("mlstm_layer", new XLstmMemory(config, c, layer));
        _mlpNorm = Add("norm_ffn", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlp = Add("ffn", new GatedMlp(c.HiddenSize, inner, "silu", bias: false, c.InitializerRange, "proj_up_gate", "proj_up", "proj_down"));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _memory.Forward(_memoryNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>xLSTM with its language-model head: <c>xLSTMForCausalLM</c>.</summary>
public sealed class XLstm : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 50304, HiddenSize = 4096, NumHiddenLayers = 32, NumAttentionHeads = 8, MaxPositionEmbeddings = int.MaxValue, PadTokenId = 1 };

    // The checkpoints of the authors have older names for width and depth.
    private static DecoderKeys Keys(ConfigReader config) => new(Width: config.Has("hidden_size") ? "hidden_size" : "embedding_dim",
        Layers: config.Has("num_hidden_layers") ? "num_hidden_layers" : "num_blocks", Heads: "num_heads", NormEps: "norm_eps");

    private readonly double _cap;

    /// <summary>A model without weights; initialise or load it.</summary>
    public XLstm(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, Keys(config)))
    {
    }

    private XLstm(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "backbone") => _cap = Gemma2.CapOf(config, "output_logit_soft_cap", 30);

    /// <inheritdoc/>
    protected override bool HasPlainHead => _cap == 0;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = base.Logits(hidden, pass);
        return _cap == 0 ? logits : logits.Softcap(_cap);
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        ConfigChecks.Only(config, "use_bias", false, "layers with biases are not supported");
        config.GetChoice("weight_mode", ["single"], "single");
        int multiple = config.GetInt("ffn_round_up_to_multiple_of", 64, min: 1, max: 1 << 20);
        int inner = (int)Math.Ceiling(c.HiddenSize * config.GetDouble("ffn_proj_factor", 2.667, min: 1e-3, max: 1 << 10) / multiple) * multiple;
        bool norm = config.GetBool("add_out_norm", true);
        return new DecoderStack(c, i => new XLstmBlock(config, c, i, inner), norm ? new RmsNorm(c.HiddenSize, c.NormEps) : null, new StackNames("embeddings", "blocks", "out_norm"));
    }
}
