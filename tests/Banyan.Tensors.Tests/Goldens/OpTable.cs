namespace Banyan.Tensors.Tests.Goldens;

/// <summary>How to call the operation of a golden case: by the case's <c>op</c>, or by its full name where one case needs its own call.</summary>
internal sealed class OpTable
{
    private readonly Dictionary<string, Func<OpCase, Tensor[]>> _calls = [];

    /// <summary>The table of one group, filled by the class named after it.</summary>
    public static OpTable For(string group)
    {
        var table = new OpTable();
        switch (group)
        {
            case "elementwise": ElementwiseCases.Register(table); break;
            case "casts": CastsCases.Register(table); break;
            case "indexing": IndexingCases.Register(table); break;
            case "shape": ShapeCases.Register(table); break;
            case "reductions": ReductionsCases.Register(table); break;
            case "activations": ActivationsCases.Register(table); break;
            case "norm": NormCases.Register(table); break;
            case "losses": LossesCases.Register(table); break;
            case "matmul": MatmulCases.Register(table); break;
            case "fft": FftCases.Register(table); break;
            case "linalg": LinalgCases.Register(table); break;
            case "extreme": ExtremeCases.Register(table); break;
            case "resample": ResampleCases.Register(table); break;
            case "attention": AttentionCases.Register(table); break;
            case "double_backward": DoubleBackwardCases.Register(table); break;
        }
        return table;
    }

    /// <summary>Sets the call for an op (or a case name) with one output.</summary>
    public Func<OpCase, Tensor> this[string op]
    {
        set => _calls[op] = c => [value(c)];
    }

    /// <summary>Sets the call for an op (or a case name) with several outputs, in the order of the case's <c>outputs</c>.</summary>
    public void Many(string op, Func<OpCase, Tensor[]> call) => _calls[op] = call;

    public Func<OpCase, Tensor[]>? Find(string name, string op) =>
        _calls.TryGetValue(name, out var own) ? own : _calls.TryGetValue(op, out var shared) ? shared : null;
}
