using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// XLNet (Yang et al. 2019, arXiv:1906.08237): predicts tokens in any order of factorisation. Two streams run through the same weights: content h, where a token sees itself, and
// query g, which knows a token's position only. Positions are Transformer-XL's (Dai et al. 2019, arXiv:1901.02860): sinusoids of the distance, with learned biases of content and
// position. perm_mask (B, T, T) says which tokens (1) a token may not see, target_mapping (B, P, T) which ones are predicted.
// B texts of T tokens, P predictions, C model width, H heads, D head size.

/// <summary>Configuration of <see cref="XlNet"/>, by the keys of <c>config.json</c>.</summary>
/// <param name="VocabSize">Number of token ids. Default: 32000.</param>
/// <param name="DModel">C. Default: 1024.</param>
/// <param name="NLayer">Number of layers. Default: 24.</param>
/// <param name="NHead">H. Default: 16.</param>
/// <param name="DInner">Width of the MLP. Default: 4096.</param>
/// <param name="FfActivation">Its activation. Default: gelu.</param>
/// <param name="Causal">Whether tokens see only those before them (attn_type "uni"). Default: false.</param>
/// <param name="ClampLen">Distances beyond it count as it; 0 or less: none. Default: -1.</param>
/// <param name="Dropout">In training only. Default: 0.1.</param>
/// <param name="LayerNormEps">Added to the variance in norms. Default: 1e-12.</param>
/// <param name="InitializerRange">Standard deviation of new weights. Default: 0.02.</param>
public sealed record XlNetConfig(int VocabSize, int DModel, int NLayer, int NHead, int DInner, string FfActivation, bool Causal, int ClampLen, double Dropout, double LayerNormEps,
    double InitializerRange)
{
    /// <summary>Reads <c>config.json</c>.</summary>
    public static XlNetConfig Read(ConfigReader c)
    {
        int width = c.GetInt("d_model", 1024, min: 2, max: 1 << 20), heads = c.GetInt("n_head", 16, min: 1, max: 1 << 16);
        ConfigChecks.Divides(c, "d_model", width, "n_head", heads);
        foreach ((string key, bool holds, string expected) in ((string, bool, string)[])[("bi_data", !c.GetBool("bi_data", false), "false"), ("same_length", !c.GetBool("same_length", false), "false"),
            ("d_head", c.GetInt("d_head", width / heads) == width / heads, $"d_model / n_head = {width / heads}"), ("tie_word_embeddings", c.GetBool("tie_word_embeddings", true), "true")])
        {
            if (!holds)
            {
                throw new CheckpointException(c.Source, $"\"{key}\" must be {expected}");
            }
        }
        return new(c.GetInt("vocab_size", 32000, min: 1, max: 1 << 26), width, c.GetInt("n_layer", 24, min: 0, max: 4096), heads, c.GetInt("d_inner", 4096, min: 1, max: 1 << 24),
            c.GetChoice("ff_activation", Activations.Names, "gelu"), c.GetChoice("attn_type", ["bi", "uni"], "bi") == "uni", c.GetInt("clamp_len", -1), c.GetDouble("dropout", 0.1, min: 0, max: 0.999),
            c.GetDouble("layer_norm_eps", 1e-12, min: 0), c.GetDouble("initializer_range", 0.02, min: 0));
    }
}

/// <summary>What all layers of a pass share.</summary>
/// <param name="Distances">Sinusoids (2 T, C) of the distances T .. 1 - T.</param>
/// <param name="Shift">(T, T), int64: the row of the table for query i and key j.</param>
/// <param name="Content">Added to the scores of the content stream, broadcast to (B, H, T, T), or null.</param>
/// <param name="Query">Added to the scores of the query stream, or null.</param>
/// <param name="Segments">(B, 1, T, T), int64: 1 where two tokens lie in different segments; null: segments do not count.</param>
/// <param name="Targets">(B, 1, P, T), or null: every token is predicted.</param>
internal sealed record XlNetPass(Tensor Distances, Tensor Shift, Tensor? Content, Tensor? Query, Tensor? Segments, Tensor? Targets);

/// <summary>norm(x + attention(x)): <c>q</c>, <c>k</c>, <c>v</c>, <c>r</c> and <c>o</c> are (C, H, D), the biases (H, D).</summary>
public sealed class XlNetAttention : Module
{
    private readonly XlNetConfig _c;
    private readonly Parameter _q, _k, _v, _o, _r, _rBias, _sBias, _wBias, _segments;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal XlNetAttention(XlNetConfig c)
    {
        _c = c;
        Initializer init = Initializer.Normal(c.InitializerRange);
        long heads = c.NHead, width = c.DModel / c.NHead;
        Parameter Project(string name) => Add(name, [c.DModel, heads, width], init);
        (_q, _k, _v, _o, _r) = (Project("q"), Project("k"), Project("v"), Project("o"), Project("r"));
        (_rBias, _sBias, _wBias) = (Add("r_r_bias", [heads, width], init), Add("r_s_bias", [heads, width], init), Add("r_w_bias", [heads, width], init));
        _segments = Add("seg_embed", [2, heads, width], init);
        _norm = Add("layer_norm", new LayerNorm(c.DModel, c.LayerNormEps));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    internal (Tensor H, Tensor? G) Forward(Tensor h, Tensor? g, XlNetPass p, ForwardPass pass)
    {
        Tensor k = Heads(h, _k, pass), v = Heads(h, _v, pass), r = Heads(p.Distances, _r, pass);   // (B, H, T, D), r (H, 2 T, D)
        Tensor content = Post(h, Attend(Heads(h, _q, pass), k, v, r, p.Content, p, pass), pass);
        if (g is null)
        {
            return (content, null);
        }
        Tensor q = Heads(g, _q, pass);
        Tensor y = Attend(p.Targets is null ? q : p.Targets.Transpose(2, 3).MatMul(q), k, v, r, p.Query, p, pass);
        return (content, Post(g, p.Targets is null ? y : p.Targets.MatMul(y), pass));
    }

    // (..., T, C) to (..., H, T, D).
    private Tensor Heads(Tensor x, Parameter weight, ForwardPass pass)
    {
        Tensor y = x.MatMul(pass.Scope.Use(weight).Reshape(_c.DModel, -1));
        return y.Reshape(x.Shape.With(-1, _c.NHead).Insert(x.Rank, _c.DModel / _c.NHead)).Transpose(-3, -2);
    }

    private Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor r, Tensor? mask, XlNetPass p, ForwardPass pass)
    {
        Tensor Biased(Parameter bias) => q + pass.Scope.Use(bias).Unsqueeze(1);                    // (B, H, T, D)
        Shape pairs = [q.Shape[0], q.Shape[1], q.Shape[2], k.Shape[2]];
        Tensor scores = Biased(_wBias).MatMul(k.Transpose(2, 3)) + Biased(_rBias).MatMul(r.Transpose(1, 2)).Gather(3, p.Shift.Expand(pairs));
        if (p.Segments is not null)
        {
            scores += Biased(_sBias).MatMul(pass.Scope.Use(_segments).Permute([1, 2, 0])).Gather(3, p.Segments.Expand(pairs));
        }
        scores *= 1 / Math.Sqrt(q.Shape[3]);
        Tensor weights = (mask is null ? scores : scores + mask).Softmax(-1);
        weights = pass.Training ? weights.Dropout(_c.Dropout, (long)pass.DropoutSeed(this), 0, 0) : weights;
        return weights.MatMul(v);
    }

    private Tensor Post(Tensor x, Tensor y, ForwardPass pass)
    {
        Tensor o = Ops.Linear.Apply(y.Transpose(1, 2).Reshape(x.Shape), pass.Scope.Use(_o).Reshape(_c.DModel, -1));
        return _norm.Forward(x + _drop.Forward(o, pass), pass);
    }
}

/// <summary>Attention, then norm(x + mlp(x)), for both streams.</summary>
public sealed class XlNetLayer : Module
{
    private readonly XlNetAttention _attention;
    private readonly Linear _up, _down;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;

    internal XlNetLayer(XlNetConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _attention = Add("rel_attn", new XlNetAttention(c));
        _up = Add("ff.layer_1", new Linear(c.DModel, c.DInner, initializer: init));
        _down = Add("ff.layer_2", new Linear(c.DInner, c.DModel, initializer: init));
        _norm = Add("ff.layer_norm", new LayerNorm(c.DModel, c.LayerNormEps));
        (_drop1, _drop2) = (Add("ff.dropout1", new Dropout(c.Dropout)), Add("ff.dropout2", new Dropout(c.Dropout)));
        _act = Activations.Get(c.FfActivation);
    }

    internal (Tensor H, Tensor? G) Forward(Tensor h, Tensor? g, XlNetPass p, ForwardPass pass)
    {
        (h, g) = _attention.Forward(h, g, p, pass);
        return (pass.Visit(this, Mlp(h, pass)), g is null ? null : pass.Visit(this, "query_stream", Mlp(g, pass)));
    }

    private Tensor Mlp(Tensor x, ForwardPass pass) =>
        _norm.Forward(x + _drop2.Forward(_down.Forward(_drop1.Forward(_act(_up.Forward(x, pass)), pass), pass), pass), pass);
}

/// <summary>XLNet with its language-model head: <c>XLNetLMHeadModel</c>. Labels are those of the predicted tokens, not moved.</summary>
public sealed class XlNet : Model
{
    private const float Hidden = -1e30f;   // added, as in the reference: a token that sees nothing reads everything alike, with gradients

    private readonly Embedding _embed;
    private readonly Parameter _mask, _bias;
    private readonly XlNetLayer[] _layers;
    private readonly Dropout _drop;

    /// <summary>A model without weights; initialise or load it.</summary>
    public XlNet(ConfigReader config) : base(config)
    {
        XlNetConfig c = Config = XlNetConfig.Read(config);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _mask = Add("transformer.mask_emb", [1, 1, c.DModel], init);
        _embed = Add("transformer.word_embedding", new Embedding(c.VocabSize, c.DModel, init));
        _layers = [.. Enumerable.Range(0, c.NLayer).Select(i => Add($"transformer.layer.{i}", new XlNetLayer(c)))];
        _drop = Add("transformer.dropout", new Dropout(c.Dropout));
        _bias = Add("lm_loss.bias", [c.VocabSize], Initializer.Zeros);
    }

    /// <summary>What it was built from.</summary>
    public XlNetConfig Config { get; }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder("transformer.word_embedding", "transformer.layer", Config.NLayer);

    /// <inheritdoc/>
    public override string BasePrefix => "transformer.";

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName == "lm_loss.weight";

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        Tensor? labels = inputs.Find("labels"), targets = inputs.Find("target_mapping");
        XlNetPass p = Prepare(ids, inputs, targets, pass.Scope);
        inputs.CheckAllRead();
        Tensor h = _drop.Forward(_embed.Forward(pass.Scope.Use(ids.To(DType.Int64)), pass), pass);                                     // (B, T, C)
        Tensor? g = targets is null ? null : _drop.Forward(pass.Scope.Use(_mask).Expand([ids.Shape[0], targets.Shape[1], Config.DModel]).Contiguous(), pass);
        foreach (XlNetLayer layer in _layers)
        {
            (h, g) = layer.Forward(h, g, p, pass);
        }
        Tensor logits = Ops.Linear.Apply(_drop.Forward(g ?? h, pass), _embed.Weight, _bias);
        return new ModelOutputs().With("loss", labels is null ? null : Loss.CrossEntropy(logits.Reshape(-1, Config.VocabSize), pass.Scope.Use(labels).Reshape(-1))).With("logits", logits);
    }

    private XlNetPass Prepare(Tensor ids, ModelInputs inputs, Tensor? targets, Scope scope)
    {
        int batch = (int)ids.Shape[0], length = (int)ids.Shape[1];
        double[]? mask = inputs.Find("attention_mask")?.ToDoubles(), order = inputs.Find("perm_mask")?.ToDoubles(), types = inputs.Find("token_type_ids")?.ToDoubles();
        var shift = new long[length * length];
        for (int at = 0; at < shift.Length; at++)
        {
            shift[at] = length - at / length + at % length;
        }
        // Which pairs of a text's tokens do not see each other.
        bool Hides(int at)
        {
            int b = at / shift.Length, i = at / length % length, j = at % length;
            return (Config.Causal && j > i) || mask?[b * length + j] == 0 || order?[at] > 0;
        }
        bool any = Config.Causal || mask is not null || order is not null;
        Tensor? Scores(bool self) => !any ? null
            : scope.From<float>([.. Enumerable.Range(0, batch * shift.Length).Select(at => Hides(at) && !(self && at / length % length == at % length) ? Hidden : 0)], [batch, 1, length, length]);
        Tensor? segments = types is null ? null
            : scope.From<long>([.. Enumerable.Range(0, batch * shift.Length).Select(at => types[at / length] == types[at / shift.Length * length + at % length] ? 0L : 1L)], [batch, 1, length, length]);
        return new(Distances(length, scope), scope.From<long>(shift, [1, 1, length, length]), Scores(self: true), Scores(self: false), segments,
            targets is null ? null : scope.Use(targets).Unsqueeze(1));
    }

    // Sines, then cosines.
    private Tensor Distances(int length, Scope scope)
    {
        int half = Config.DModel / 2;
        var table = new float[2 * length * 2 * half];
        for (int at = 0; at < table.Length; at++)
        {
            (int row, int i) = (at / (2 * half), at % (2 * half));
            double distance = Config.ClampLen > 0 ? Math.Clamp(length - row, -Config.ClampLen, Config.ClampLen) : length - row;
            double angle = distance / Math.Pow(10000, (double)(i % half) / half);
            table[at] = (float)(i < half ? Math.Sin(angle) : Math.Cos(angle));
        }
        return scope.From<float>(table, [2 * length, 2 * half]);
    }
}
