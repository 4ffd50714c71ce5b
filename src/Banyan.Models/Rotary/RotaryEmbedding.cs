using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Rotary position embedding (Su et al. 2021): keeps cos and sin of every position and turns queries and keys by theirs.</summary>
public sealed class RotaryEmbedding
{
    private readonly RopeParameters _parameters;
    private readonly int _dim;
    private readonly bool _interleaved;
    private Table _table;
    private long _stretchedTo;

    private sealed record Table(Tensor Cos, Tensor Sin, long Positions, long Regime);

    /// <summary>An embedding.</summary>
    /// <param name="parameters">Base and scaling.</param>
    /// <param name="dim">Rotated elements at the start of each head, even.</param>
    /// <param name="interleaved">True pairs neighbours (2i, 2i + 1), false pairs (i, i + dim / 2). Default: false.</param>
    public RotaryEmbedding(RopeParameters parameters, int dim, bool interleaved = false)
    {
        foreach (IReadOnlyList<double> factors in new[] { parameters.ShortFactor, parameters.LongFactor })
        {
            if (parameters.Type == "longrope" && factors.Count != dim / 2)
            {
                throw new ArgumentException($"longrope needs {dim / 2} factors, given {factors.Count}");
            }
        }
        (_parameters, _dim, _interleaved) = (parameters, dim, interleaved);
        _table = Make(0, 0);
    }

    /// <summary>True turns the other way round (nanochat). Default: false.</summary>
    public bool Reversed { get; init; }

    /// <summary>Looks up the angles of a batch's tokens. A model calls it once, before its layers.</summary>
    /// <remarks>
    /// Dynamic scaling has a memory, as transformers' has: the frequencies stay those of the longest sequence seen, until one shorter than
    /// the original context resets them. A pass of such a model depends on the passes before it; <see cref="Forget"/> begins anew.
    /// </remarks>
    public void Prepare(TokenBatch batch, ForwardPass pass)
    {
        Table table = _table;
        long length = batch.MaxPosition + 1;
        if (_parameters.Type == "dynamic")
        {
            length = _stretchedTo = length < _parameters.OriginalMaxPositions ? length : Math.Max(length, _stretchedTo);
        }
        long regime = _parameters.Regime(length);
        if (table.Regime != regime || table.Positions < length)
        {
            table = Make(table.Regime != regime ? length : Math.Max(batch.Room, 2 * table.Positions), regime, length);
            _table = table;   // a whole new table, so that another thread's stays valid
        }
        batch.SetRotation(this, pass.Scope.Use(table.Cos).Embedding(batch.Positions), pass.Scope.Use(table.Sin).Embedding(batch.Positions));
    }

    /// <summary>Lets dynamic scaling forget how long the sequences were that it has seen.</summary>
    public void Forget() => _stretchedTo = 0;

    /// <summary>x (tokens, heads, D), turned by the angle of each token.</summary>
    public Tensor Apply(Tensor x, TokenBatch batch)
    {
        (Tensor cos, Tensor sin) = batch.RotationOf(this);
        return Ops.Rotary.Apply(x, cos, sin, _interleaved);
    }

    private Table Make(long positions, long regime, long length = 0)
    {
        int half = _dim / 2;
        double[] frequencies = _parameters.Frequencies(_dim, length);
        float[] cos = new float[positions * half], sin = new float[positions * half];
        for (long p = 0; p < positions; p++)
        {
            for (int i = 0; i < half; i++)
            {
                (double s, double c) = Math.SinCos(p * frequencies[i]);
                (cos[p * half + i], sin[p * half + i]) = ((float)(c * _parameters.Magnitude), (float)((Reversed ? -s : s) * _parameters.Magnitude));
            }
        }
        return new Table(Tensor.From(cos, [positions, half]), Tensor.From(sin, [positions, half]), positions, regime);
    }
}
