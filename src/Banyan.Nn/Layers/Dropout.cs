namespace Banyan.Nn;

/// <summary>Zeroes elements at random in training and lets everything pass otherwise. The mask depends on the pass's seed and step and on the module's path.</summary>
public sealed class Dropout : Module
{
    private readonly double _p;
    private uint? _stream;

    /// <summary>Dropout with probability <paramref name="p"/> in [0, 1).</summary>
    public Dropout(double p) => _p = p;

    /// <summary>x (...) to (...).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) =>
        pass.Visit(this, pass.Training ? x.Dropout(_p, pass.Seed, _stream ??= Initializer.Stream(Path), pass.Step) : x);
}
