using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// T5 (Raffel et al. 2020, arXiv:1910.10683): an encoder and a decoder with RMS norms, no biases, and learned biases of bucketed distances
// instead of positions, which the first layer of each stack owns and all share. Scores are not divided by sqrt(D).
// T tokens of the batch, C model width, H heads, D head size, V vocabulary.

/// <summary>Configuration of <see cref="T5"/>, by the keys of <c>config.json</c>.</summary>
public sealed record T5Config
{
    /// <summary>Number of token ids. Default: 32128.</summary>
    public int VocabSize { get; init; } = 32128;

    /// <summary>C. Default: 512.</summary>
    public int DModel { get; init; } = 512;

    /// <summary>D. Default: 64.</summary>
    public int DKv { get; init; } = 64;

    /// <summary>Width of the MLP. Default: 2048.</summary>
    public int DFf { get; init; } = 2048;

    /// <summary>Number of the encoder's layers. Default: 6.</summary>
    public int NumLayers { get; init; } = 6;

    /// <summary>Number of the decoder's layers. Default: as many.</summary>
    public int NumDecoderLayers { get; init; } = 6;

    /// <summary>H. Default: 8.</summary>
    public int NumHeads { get; init; } = 8;

    /// <summary>Number of distance buckets. Default: 32.</summary>
    public int RelativeAttentionNumBuckets { get; init; } = 32;

    /// <summary>Distances from here on share the last bucket. Default: 128.</summary>
    public int RelativeAttentionMaxDistance { get; init; } = 128;

    /// <summary>Activation of the MLP. Default: relu.</summary>
    public string DenseActFn { get; init; } = "relu";

    /// <summary>Whether the MLP has a gate (T5 1.1). Default: false.</summary>
    public bool IsGatedAct { get; init; }

    /// <summary>Added to the mean square in norms. Default: 1e-6.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Dropout everywhere. Default: 0.1, in training only.</summary>
    public double DropoutRate { get; init; } = 0.1;

    /// <summary>Factor of the standard deviations of new weights. Default: 1.</summary>
    public double InitializerFactor { get; init; } = 1;

    /// <summary>Whether the head is the embedding. Default: true.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Whether hidden states are divided by sqrt(C) before the head. Default: when it is tied.</summary>
    public bool ScaleDecoderOutputs { get; init; } = true;

    /// <summary>First id of every target. Default: the padding id.</summary>
    public int DecoderStartTokenId { get; init; }

    /// <summary>The padding id. Default: 0.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    public static T5Config Read(ConfigReader c)
    {
        string mlp = c.GetString("feed_forward_proj", "relu");
        bool gated = mlp.StartsWith("gated-", StringComparison.Ordinal), tied = c.GetBool("tie_word_embeddings", true);
        string act = mlp == "gated-gelu" ? "gelu_new" : gated ? mlp["gated-".Length..] : mlp;
        if (!Activations.Names.Contains(act))
        {
            throw new CheckpointException(c.Source, $"\"feed_forward_proj\" is \"{mlp}\"; expected one of {string.Join(", ", Activations.Names)}, or one of them behind \"gated-\"");
        }
        int layers = c.GetInt("num_layers", 6, min: 0, max: 4096), pad = c.GetInt("pad_token_id", 0, min: 0);
        int buckets = c.GetInt("relative_attention_num_buckets", 32, min: 4, max: 1 << 16);
        return new T5Config
        {
            VocabSize = c.GetInt("vocab_size", 32128, min: 1, max: 1 << 26),
            DModel = c.GetInt("d_model", 512, min: 1, max: 1 << 20),
            DKv = c.GetInt("d_kv", 64, min: 1, max: 1 << 16),
            DFf = c.GetInt("d_ff", 2048, min: 1, max: 1 << 24),
            NumLayers = layers,
            NumDecoderLayers = c.GetInt("num_decoder_layers", layers, min: 0, max: 4096),
            NumHeads = c.GetInt("num_heads", 8, min: 1, max: 1 << 16),
            RelativeAttentionNumBuckets = buckets,
            RelativeAttentionMaxDistance = c.GetInt("relative_attention_max_distance", 128, min: buckets / 2 + 1, max: 1 << 24),
            DenseActFn = act,
            IsGatedAct = gated,
            LayerNormEpsilon = c.GetDouble("layer_norm_epsilon", 1e-6, min: 0),
            DropoutRate = c.GetDouble("dropout_rate", 0.1, min: 0, max: 0.999),
            InitializerFactor = c.GetDouble("initializer_factor", 1, min: 0),
            TieWordEmbeddings = tied,
            ScaleDecoderOutputs = c.GetBool("scale_decoder_outputs", tied),
            PadTokenId = pad,
            DecoderStartTokenId = c.GetInt("decoder_start_token_id", pad, min: 0),
        };
    }
}

/// <summary>The learned biases of a stack: one per bucket of distances and head.</summary>
public sealed class T5RelativeBias : Module
{
    private readonly T5Config _c;
    private readonly bool _bidirectional;
    private readonly Parameter _weight;

    internal T5RelativeBias(T5Config c, bool bidirectional)
    {
        (_c, _bidirectional) = (c, bidirectional);
        _weight = Add("weight", [c.RelativeAttentionNumBuckets, c.NumHeads], Initializer.Normal(c.InitializerFactor / Math.Sqrt(c.DModel)));
    }

    internal Tensor Table(ForwardPass pass) => RelativePositions.T5Table(pass.Scope.Use(_weight), _bidirectional, _c.RelativeAttentionMaxDistance);
}

/// <summary>Attention among the tokens of a stack, or from the decoder to the source.</summary>
public sealed class T5Attention : Module
{
    private readonly T5Config _c;
    private readonly int _layer;
    private readonly bool _causal;
    private readonly T5RelativeBias? _bias;
    private readonly Linear _q, _k, _v, _o;

    internal T5Attention(T5Config c, int layer, bool causal, T5RelativeBias? bias)
    {
        (_c, _layer, _causal, _bias) = (c, layer, causal, bias);
        int inner = c.NumHeads * c.DKv;
        Linear Project(string name, double std) => Add(name, new Linear(c.DModel, inner, bias: false, initializer: Initializer.Normal(c.InitializerFactor * std)));
        _q = Project("q", 1 / Math.Sqrt((double)c.DModel * c.DKv));
        _k = Project("k", 1 / Math.Sqrt(c.DModel));
        _v = Project("v", 1 / Math.Sqrt(c.DModel));
        _o = Add("o", new Linear(inner, c.DModel, bias: false, initializer: Initializer.Normal(c.InitializerFactor / Math.Sqrt(inner))));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) =>
        Out(batch.Attend(_layer, Heads(_q, x, pass), Heads(_k, x, pass), Heads(_v, x, pass), Options(pass)), pass);

    internal Tensor ToSource(Tensor x, TokenBatch batch, ForwardPass pass) =>
        Out(batch.AttendToSource(_layer, Heads(_q, x, pass), source => (Heads(_k, source, pass), Heads(_v, source, pass)), Options(pass)), pass);

    private Tensor Heads(Linear project, Tensor x, ForwardPass pass) => project.Forward(x, pass).Reshape(-1, _c.NumHeads, _c.DKv);   // (T, H, D)

    private Tensor Out(Tensor o, ForwardPass pass) => pass.Visit(this, _o.Forward(o.Reshape(-1, _c.NumHeads * _c.DKv), pass));

    private AttentionOptions Options(ForwardPass pass) => new()
    {
        Scale = 1,
        Causal = _causal,
        RelativeBias = _bias?.Table(pass),
        Dropout = pass.Training ? _c.DropoutRate : 0,
        Seed = pass.DropoutSeed(this),
    };
}

/// <summary>wo(act(wi(x))), or wo(act(wi_0(x)) * wi_1(x)).</summary>
public sealed class T5Mlp : Module
{
    private readonly Linear _in, _out;
    private readonly Linear? _value;
    private readonly Func<Tensor, Tensor> _act;
    private readonly Dropout _drop;

    internal T5Mlp(T5Config c)
    {
        Initializer init = Initializer.Normal(c.InitializerFactor / Math.Sqrt(c.DModel));
        _in = Add(c.IsGatedAct ? "wi_0" : "wi", new Linear(c.DModel, c.DFf, bias: false, initializer: init));
        _value = c.IsGatedAct ? Add("wi_1", new Linear(c.DModel, c.DFf, bias: false, initializer: init)) : null;
        _out = Add("wo", new Linear(c.DFf, c.DModel, bias: false, initializer: Initializer.Normal(c.InitializerFactor / Math.Sqrt(c.DFf))));
        _act = Activations.Get(c.DenseActFn);
        _drop = Add("dropout", new Dropout(c.DropoutRate));
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = _act(_in.Forward(x, pass));
        h = _value is null ? h : h * _value.Forward(x, pass);
        return pass.Visit(this, _out.Forward(_drop.Forward(h, pass), pass));
    }
}

/// <summary>x + attention(norm(x)), in the decoder x + attention to the source, then x + mlp(norm(x)).</summary>
public sealed class T5Block : Block
{
    private readonly RmsNorm _selfNorm, _mlpNorm;
    private readonly RmsNorm? _sourceNorm;
    private readonly T5Attention _self;
    private readonly T5Attention? _source;
    private readonly T5Mlp _mlp;
    private readonly Dropout _drop1, _drop2, _drop3;

    internal T5Block(T5Config c, int layer, bool decoder, T5RelativeBias bias)
    {
        string mlp = decoder ? "layer.2" : "layer.1";
        _self = Add("layer.0.SelfAttention", new T5Attention(c, layer, causal: decoder, bias));
        _selfNorm = Add("layer.0.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop1 = Add("layer.0.dropout", new Dropout(c.DropoutRate));
        _source = decoder ? Add("layer.1.EncDecAttention", new T5Attention(c, layer, causal: false, null)) : null;
        _sourceNorm = decoder ? Add("layer.1.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon)) : null;
        _drop2 = Add("layer.1.dropout", new Dropout(c.DropoutRate));
        _mlp = Add($"{mlp}.DenseReluDense", new T5Mlp(c));
        _mlpNorm = Add($"{mlp}.layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop3 = Add("layer.2.dropout", new Dropout(c.DropoutRate));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_self.Forward(_selfNorm.Forward(x, pass), batch, pass), pass);
        if (_source is not null)
        {
            x += _drop2.Forward(_source.ToSource(_sourceNorm!.Forward(x, pass), batch, pass), pass);
        }
        return x + _drop3.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>The encoder or the decoder.</summary>
public sealed class T5Stack : Module
{
    private readonly Embedding _embed;
    private readonly T5Block[] _layers;
    private readonly RmsNorm _norm;
    private readonly Dropout _drop1, _drop2;

    internal T5Stack(T5Config c, Embedding embed, bool decoder, bool biasInEveryLayer)
    {
        _embed = embed;
        _drop1 = Add("embed_dropout", new Dropout(c.DropoutRate));
        int depth = decoder ? c.NumDecoderLayers : c.NumLayers;
        T5RelativeBias[] biases = [.. Enumerable.Range(0, biasInEveryLayer ? depth : 1).Select(_ => new T5RelativeBias(c, bidirectional: !decoder))];
        _layers = [.. Enumerable.Range(0, depth).Select(i => Add($"block.{i}", new T5Block(c, i, decoder, biases[Math.Min(i, biases.Length - 1)])))];
        for (int i = 0; i < biases.Length; i++)
        {
            Add($"block.{i}.layer.0.SelfAttention.relative_attention_bias", biases[i]);
        }
        _norm = Add("final_layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop2 = Add("dropout", new Dropout(c.DropoutRate));
    }

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _drop1.Forward(_embed.Forward(batch.Ids, pass), pass);   // (T, C)
        foreach (T5Block layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _drop2.Forward(_norm.Forward(x, pass), pass);
    }
}

/// <summary>T5 with its language-model head: <c>T5ForConditionalGeneration</c>.</summary>
public sealed class T5 : EncoderDecoderModel
{
    private readonly T5Stack _encoder, _decoder;
    private readonly Parameter _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    /// <param name="config">The file.</param>
    /// <param name="biasInEveryLayer">Whether each layer has biases of distances of its own (umT5, Chung et al. 2023, arXiv:2304.09151). Default: the first one's serve all.</param>
    public T5(ConfigReader config, bool biasInEveryLayer = false) : base(config)
    {
        Config = T5Config.Read(config);
        Embedding shared = Add("shared", new Embedding(Config.VocabSize, Config.DModel, Initializer.Normal(Config.InitializerFactor)));
        _encoder = Add("encoder", new T5Stack(Config, shared, decoder: false, biasInEveryLayer));
        _decoder = Add("decoder", new T5Stack(Config, shared, decoder: true, biasInEveryLayer));
        _head = Config.TieWordEmbeddings ? shared.Weight
            : Add("lm_head", new Linear(Config.DModel, Config.VocabSize, bias: false, initializer: Initializer.Normal(Config.InitializerFactor))).Weight;
    }

    /// <summary>What it was built from.</summary>
    public T5Config Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override int DecoderStartTokenId => Config.DecoderStartTokenId;

    /// <inheritdoc/>
    public override int PadTokenId => Config.PadTokenId;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _head;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        HiddenStatePaths.Decoder("encoder.embed_dropout", "encoder.block", Config.NumLayers, "encoder.dropout", "encoder_hidden")
            .Concat(HiddenStatePaths.Decoder("decoder.embed_dropout", "decoder.block", Config.NumDecoderLayers, "decoder.dropout", "decoder_hidden"));

    // Both stacks read the shared embedding; old checkpoints have a bias that was never used.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName is "encoder.embed_tokens.weight" or "decoder.embed_tokens.weight"
        or "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight" || (Config.TieWordEmbeddings && checkpointName == "lm_head.weight");

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch source = inputs.Tokens(pass.Scope);
        return new EncodedSource(_encoder.Forward(source, pass), source.Layout);
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _decoder.Forward(batch, pass);
        return Config.ScaleDecoderOutputs ? x * (1 / Math.Sqrt(Config.DModel)) : x;
    }
}
