using Banyan.Nn;

namespace Banyan.Models;

// The leaves of T5 and its relatives.

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
