namespace Banyan.Ops;

/// <summary>
/// The forward-backward algorithm on one sample: states are the labels with blanks before, between and after; a path stays, steps on, or
/// skips a blank between two different labels.
/// </summary>
internal sealed class CtcPath
{
    private readonly int[] _states;
    private readonly int _frames, _first, _frameStep, _blank;

    public CtcPath(long[] labels, int blank, int frames, int sample, int batch, int classes)
    {
        _states = new int[2 * labels.Length + 1];
        Array.Fill(_states, blank);
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0 || labels[i] >= classes || labels[i] == blank)
            {
                throw new ArgumentException($"ctc_loss: the label {labels[i]} of sample {sample} is the blank or outside of 0..{classes - 1}");
            }
            _states[2 * i + 1] = (int)labels[i];
        }
        (_blank, _frames, _first, _frameStep) = (blank, frames, sample * classes, batch * classes);
    }

    /// <summary>The loss; subtracts the posterior probabilities from <paramref name="gradient"/> where it is finite.</summary>
    public double Run(double[] logProbs, double[] gradient)
    {
        int n = _states.Length;
        if (_frames == 0)
        {
            return n == 1 ? 0 : double.PositiveInfinity;
        }
        double[] alpha = Forward(logProbs), beta = Backward(logProbs);
        int last = (_frames - 1) * n;
        double total = LogAdd(alpha[last + n - 1], n > 1 ? alpha[last + n - 2] : double.NegativeInfinity);
        for (int t = 0; t < _frames && !double.IsInfinity(total); t++)
        {
            for (int s = 0; s < n; s++)
            {
                gradient[At(t, s)] -= Math.Exp(alpha[t * n + s] + beta[t * n + s] - total);
            }
        }
        return -total;
    }

    private int At(int t, int s) => _first + t * _frameStep + _states[s];

    // alpha[t, s]: the paths that are in state s at frame t, frame t included.
    private double[] Forward(double[] logProbs)
    {
        int n = _states.Length;
        var alpha = new double[_frames * n];
        Array.Fill(alpha, double.NegativeInfinity);
        for (int s = 0; s < Math.Min(n, 2); s++)
        {
            alpha[s] = logProbs[At(0, s)];
        }
        for (int t = 1; t < _frames; t++)
        {
            int before = (t - 1) * n;
            for (int s = 0; s < n; s++)
            {
                double sum = LogAdd(alpha[before + s], s > 0 ? alpha[before + s - 1] : double.NegativeInfinity);
                sum = MaySkip(s) ? LogAdd(sum, alpha[before + s - 2]) : sum;
                alpha[t * n + s] = sum + logProbs[At(t, s)];
            }
        }
        return alpha;
    }

    // beta[t, s]: the paths from state s at frame t to the end, frame t excluded.
    private double[] Backward(double[] logProbs)
    {
        int n = _states.Length, last = (_frames - 1) * n;
        var beta = new double[_frames * n];
        Array.Fill(beta, double.NegativeInfinity);
        for (int s = Math.Max(0, n - 2); s < n; s++)
        {
            beta[last + s] = 0;
        }
        for (int t = _frames - 2; t >= 0; t--)
        {
            for (int s = 0; s < n; s++)
            {
                double sum = double.NegativeInfinity;
                for (int to = s; to < Math.Min(n, s + 3); to++)
                {
                    sum = to < s + 2 || MaySkip(to) ? LogAdd(sum, beta[(t + 1) * n + to] + logProbs[At(t + 1, to)]) : sum;
                }
                beta[t * n + s] = sum;
            }
        }
        return beta;
    }

    private bool MaySkip(int s) => s >= 2 && _states[s] != _blank && _states[s] != _states[s - 2];

    private static double LogAdd(double a, double b)
    {
        double high = Math.Max(a, b), low = Math.Min(a, b);
        return double.IsNegativeInfinity(low) ? high : high + Math.Log(1 + Math.Exp(low - high));
    }
}
