using Banyan.Nn;

namespace Banyan.Models;

/// <summary>down(act(gate(x)) * up(x)) (Shazeer 2020, arXiv:2002.05202): with silu SwiGLU, with gelu GeGLU. Parameters: <c>gate_proj</c>, <c>up_proj</c>, <c>down_proj</c>.</summary>
public class GatedMlp : Module
{
    private readonly Linear _gate, _up, _down;
    private readonly Func<Tensor, Tensor> _act;

    /// <summary>The MLP of a decoder's configuration.</summary>
    public GatedMlp(DecoderConfig c) : this(c.HiddenSize, c.IntermediateSize, c.HiddenAct, c.MlpBias, c.InitializerRange)
    {
    }

    /// <summary>An MLP.</summary>
    /// <param name="width">C.</param>
    /// <param name="inner">Width between.</param>
    /// <param name="act">Name of the activation.</param>
    /// <param name="bias">Whether the layers have biases. Default: none.</param>
    /// <param name="initializerRange">Standard deviation of new weights. Default: 0.02.</param>
    /// <param name="gate">Name of the gate's layer. Default: <c>gate_proj</c>.</param>
    /// <param name="up">Name of the values' layer. Default: <c>up_proj</c>.</param>
    /// <param name="down">Name of the output's layer. Default: <c>down_proj</c>.</param>
    public GatedMlp(int width, int inner, string act, bool bias = false, double initializerRange = 0.02,
        string gate = "gate_proj", string up = "up_proj", string down = "down_proj")
    {
        Initializer init = Initializer.Normal(initializerRange);
        _gate = Add(gate, new Linear(width, inner, bias, initializer: init));
        _up = Add(up, new Linear(width, inner, bias, initializer: init));
        _down = Add(down, new Linear(inner, width, bias, initializer: init));
        _act = Activations.Get(act);
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _down.Forward(Between(_act(_gate.Forward(x, pass)) * _up.Forward(x, pass), pass), pass));

    /// <summary>What happens before the output's layer. Default: nothing.</summary>
    protected virtual Tensor Between(Tensor h, ForwardPass pass) => h;
}

/// <summary>down(act(gate(x)) * up(x)) with gate and up in one layer: <c>gate_up_proj</c>, <c>down_proj</c>.</summary>
public sealed class FusedGatedMlp : Module
{
    private readonly Linear _gateUp, _down;
    private readonly Func<Tensor, Tensor> _act;

    /// <summary>The MLP of a decoder's configuration.</summary>
    public FusedGatedMlp(DecoderConfig c)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _gateUp = Add("gate_up_proj", new Linear(c.HiddenSize, 2 * c.IntermediateSize, c.MlpBias, initializer: init));
        _down = Add("down_proj", new Linear(c.IntermediateSize, c.HiddenSize, c.MlpBias, initializer: init));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor[] parts = _gateUp.Forward(x, pass).Chunk(2, 1);
        return pass.Visit(this, _down.Forward(_act(parts[0]) * parts[1], pass));
    }
}

/// <summary>down(act(up(x))).</summary>
public sealed class Mlp : Module
{
    private readonly Linear _up, _down;
    private readonly Func<Tensor, Tensor> _act;
    private readonly Dropout? _drop;

    /// <summary>An MLP.</summary>
    /// <param name="width">C.</param>
    /// <param name="inner">Width between.</param>
    /// <param name="act">Name of the activation.</param>
    /// <param name="bias">Whether the layers have biases.</param>
    /// <param name="up">Name of the first layer.</param>
    /// <param name="down">Name of the second layer.</param>
    /// <param name="initializerRange">Standard deviation of new weights. Default: 0.02.</param>
    /// <param name="dropout">Dropout of the result in training. Default: 0.</param>
    /// <param name="transposed">Whether weights are stored (in, out). Default: false.</param>
    public Mlp(int width, int inner, string act, bool bias, string up, string down, double initializerRange = 0.02, double dropout = 0, bool transposed = false)
    {
        Initializer init = Initializer.Normal(initializerRange);
        _up = Add(up, new Linear(width, inner, bias, transposed, init));
        _down = Add(down, new Linear(inner, width, bias, transposed, init));
        _act = Activations.Get(act);
        _drop = dropout > 0 ? Add("dropout", new Dropout(dropout)) : null;
    }

    /// <summary>x (T, C) to (T, C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor y = _down.Forward(_act(_up.Forward(x, pass)), pass);
        return pass.Visit(this, _drop is null ? y : _drop.Forward(y, pass));
    }
}
