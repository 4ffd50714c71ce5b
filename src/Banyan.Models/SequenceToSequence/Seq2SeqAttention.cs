using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Attention among the tokens of a stack, or from the decoder to the source, with biases: <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>, <c>out_proj</c>.</summary>
public sealed class Seq2SeqAttention : Module
{
    private readonly Seq2SeqConfig _c;
    private readonly int _layer, _heads;
    private readonly bool _causal;
    private readonly Linear _q, _k, _v, _out;

    /// <summary>The attention of one layer.</summary>
    /// <param name="c">Width and dropout.</param>
    /// <param name="heads">H.</param>
    /// <param name="layer">Index of the layer, for caches.</param>
    /// <param name="causal">Whether tokens see only those before them.</param>
    /// <param name="keyBias">Whether keys have a bias, which no score depends on. Default: true.</param>
    public Seq2SeqAttention(Seq2SeqConfig c, int heads, int layer, bool causal, bool keyBias = true)
    {
        (_c, _layer, _heads, _causal) = (c, layer, heads, causal);
        Linear Project(string name, bool bias = true) => Add(name, new Linear(c.DModel, c.DModel, bias, initializer: Initializer.Normal(c.InitStd)));
        (_q, _k, _v, _out) = (Project("q_proj"), Project("k_proj", keyBias), Project("v_proj"), Project("out_proj"));
    }

    /// <summary>x (T, C) to (T, C), among the tokens of the batch.</summary>
    public Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) =>
        Out(batch.Attend(_layer, Heads(_q, x, pass), Heads(_k, x, pass), Heads(_v, x, pass), Options(pass)), pass);

    /// <summary>x (T, C) to (T, C), from the source.</summary>
    public Tensor ToSource(Tensor x, TokenBatch batch, ForwardPass pass) =>
        Out(batch.AttendToSource(_layer, Heads(_q, x, pass), source => (Heads(_k, source, pass), Heads(_v, source, pass)), Options(pass)), pass);

    private Tensor Heads(Linear project, Tensor x, ForwardPass pass) => project.Forward(x, pass).Reshape(-1, _heads, _c.DModel / _heads);   // (T, H, D)

    private Tensor Out(Tensor o, ForwardPass pass) => pass.Visit(this, _out.Forward(o.Reshape(-1, _c.DModel), pass));

    private AttentionOptions Options(ForwardPass pass) => new() { Causal = _causal, Dropout = pass.Training ? _c.AttentionDropout : 0, Seed = pass.DropoutSeed(this) };
}

/// <summary>fc2(act(fc1(x))).</summary>
public sealed class Seq2SeqMlp : Module
{
    private readonly Linear _up, _down;
    private readonly Dropout _drop;
    private readonly Func<Tensor, Tensor> _act;

    /// <summary>The MLP of one layer.</summary>
    /// <param name="c">Width and activation.</param>
    /// <param name="inner">Width between.</param>
    public Seq2SeqMlp(Seq2SeqConfig c, int inner)
    {
        _up = Add("fc1", new Linear(c.DModel, inner, initializer: Initializer.Normal(c.InitStd)));
        _down = Add("fc2", new Linear(inner, c.DModel, initializer: Initializer.Normal(c.InitStd)));
        _drop = Add("activation_dropout", new Dropout(c.ActivationDropout));
        _act = Activations.Get(c.ActivationFunction);
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => _down.Forward(_drop.Forward(_act(_up.Forward(x, pass)), pass), pass);
}
