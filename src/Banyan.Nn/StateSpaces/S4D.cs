namespace Banyan.Nn;

/// <summary>
/// S4D (Gu, Gupta, Goel, Re 2022, "On the parameterization and initialization of diagonal state space models", arXiv:2206.11893): each channel is a linear state space x' = A x + u, y = 2 Re(C x) + D u
/// whose A is diagonal and complex. In time steps it is a convolution with K_t = 2 Re(sum over n of C_n B_n A_n^t), or a recurrence over N numbers. H channels, N pairs of conjugate states, T steps.
/// Parameters: <c>log_dt</c> (H), <c>log_A_real</c> and <c>A_imag</c> (H, N), <c>C</c> (H, N, 2: real and imaginary), <c>D</c> (H).
/// </summary>
public sealed class S4D : Module
{
    private readonly Parameter _logStep, _logReal, _imaginary, _c, _d;
    private readonly bool _bilinear;

    /// <summary>A layer, by S4D-Lin: A_n = -1/2 + pi n i.</summary>
    /// <param name="channels">H.</param>
    /// <param name="states">N.</param>
    /// <param name="bilinear">How time is cut into steps: by the bilinear rule, or as if inputs were constant within each (zero-order hold). Default: the latter.</param>
    public S4D(int channels, int states, bool bilinear = false)
    {
        _bilinear = bilinear;
        _logStep = Add("log_dt", [channels], Initializer.Of((h, _) => Math.Log(0.001) + Math.Log(100) * (h + 0.5) / channels));   // steps from 0.001 to 0.1
        _logReal = Add("log_A_real", [channels, states], Initializer.Constant(Math.Log(0.5)));
        _imaginary = Add("A_imag", [channels, states], Initializer.Of((_, n) => Math.PI * n));
        _c = Add("C", [channels, states, 2], Initializer.Normal(Math.Sqrt(0.5)));
        _d = Add("D", [channels], Initializer.Ones);
    }

    /// <summary>u (B, H, T) to the same, as a convolution.</summary>
    public Tensor Forward(Tensor u, ForwardPass pass)
    {
        int length = (int)u.Shape[2];
        Tensor reversed = Kernel(length, pass).Flip([1]).Unsqueeze(1);                               // (H, 1, T)
        Tensor y = u.Pad([length - 1, 0]).Conv(reversed, groups: (int)u.Shape[1]);
        return pass.Visit(this, y + u * pass.Scope.Use(_d).Unsqueeze(1));
    }

    /// <summary>What a pulse leaves behind: K (H, T).</summary>
    public Tensor Kernel(int length, ForwardPass pass)
    {
        Tensor step = pass.Scope.Use(_logStep).Exp().Unsqueeze(1), real = -pass.Scope.Use(_logReal).Exp(), parts = pass.Scope.Use(_c);
        var a = new Complex(real, pass.Scope.Use(_imaginary));                                        // (H, N)
        var c = new Complex(parts.Select(2, 0), parts.Select(2, 1));
        (Tensor logLength, Tensor angle, Complex b) = _bilinear ? Bilinear(a, step) : Held(a, step);
        Complex gain = c * b;
        // The power t of what a step does, by its logarithm: a length and an angle.
        Tensor times = pass.Scope.From<float>([.. Enumerable.Range(0, length).Select(t => (float)t)], [length]);
        Tensor fade = (logLength.Unsqueeze(2) * times).Exp(), turn = angle.Unsqueeze(2) * times;      // (H, N, T)
        return ((gain.Re.Unsqueeze(2) * turn.Cos() - gain.Im.Unsqueeze(2) * turn.Sin()) * fade).Sum([1]) * 2;
    }

    // A step is exp(dt A), an input counts (exp(dt A) - 1) / A.
    private static (Tensor LogLength, Tensor Angle, Complex Input) Held(Complex a, Tensor step)
    {
        Tensor length = (a.Re * step).Exp(), angle = a.Im * step;
        return (a.Re * step, angle, new Complex(length * angle.Cos() - 1, length * angle.Sin()) / a);
    }

    // A step is (1 + dt A / 2) / (1 - dt A / 2), an input counts dt / (1 - dt A / 2).
    private static (Tensor LogLength, Tensor Angle, Complex Input) Bilinear(Complex a, Tensor step)
    {
        Complex half = new(a.Re * step / 2, a.Im * step / 2), above = new(half.Re + 1, half.Im), below = new(1 - half.Re, -half.Im);
        return ((above.SquaredLength.Log() - below.SquaredLength.Log()) / 2, above.Im.Atan2(above.Re) - below.Im.Atan2(below.Re), new Complex(step, step * 0) / below);
    }

    private readonly record struct Complex(Tensor Re, Tensor Im)
    {
        public Tensor SquaredLength => Re.Square() + Im.Square();

        public static Complex operator *(Complex x, Complex y) => new(x.Re * y.Re - x.Im * y.Im, x.Re * y.Im + x.Im * y.Re);

        public static Complex operator /(Complex x, Complex y) => new((x.Re * y.Re + x.Im * y.Im) / y.SquaredLength, (x.Im * y.Re - x.Re * y.Im) / y.SquaredLength);
    }
}
