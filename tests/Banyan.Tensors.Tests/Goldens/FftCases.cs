namespace Banyan.Tensors.Tests.Goldens;

internal static class FftCases
{
    public static void Register(OpTable t)
    {
        t["torch.fft.rfft"] = c => Fourier.Rfft(c.X, Length(c), norm: Norm(c));
        t["fft"] = c => Fourier.Fft(c.X);
        t["ifft"] = c => Fourier.Ifft(c.X);
        t["irfft"] = c => Fourier.Irfft(c.X, Length(c));
        t["torch.fft.rfft2"] = c => Fourier.Rfft2(c.X);
        t["torch.fft.fftshift"] = c => Fourier.FftShift(c.X);
        t.Many("fftfreq", c => [Fourier.FftFreq(7, 0.5), Fourier.RfftFreq(8)]);
        t.Many("windows", c =>
        [
            Window.Hann(10), Window.Hann(10, periodic: false), Window.Hamming(10), Window.Blackman(10), Window.Kaiser(10, 12), Window.Bartlett(10),
        ]);
        t["stft"] = c => Fourier.Stft(c.X, Options(c));
        t["istft"] = c => Fourier.Istft(Fourier.Stft(c.X, Options(c)), Options(c), c.X.Shape[-1]);
        t["fft_conv"] = c => Convolve(c.X, c["k"]);
    }

    private static long? Length(OpCase c) => c.HasArg("n") ? c.Int("n") : null;

    private static FftNorm Norm(OpCase c) => c.Text("norm") switch { "ortho" => FftNorm.Ortho, "forward" => FftNorm.Forward, _ => FftNorm.Backward };

    private static StftOptions Options(OpCase c) => new()
    {
        FftSize = c.Int("n_fft"),
        HopLength = c.Int("hop_length"),
        Window = c["w"],
        Center = c.Bool("center", true),
        Reflect = c.Text("pad_mode", "reflect") == "reflect",
        Normalized = c.Bool("normalized"),
        OneSided = c.Bool("onesided", true),
    };

    private static Tensor Convolve(Tensor x, Tensor k)
    {
        long n = x.Shape[-1] + k.Shape[-1] - 1;
        Tensor a = Fourier.Rfft(x, n), b = Fourier.Rfft(k, n);
        (Tensor ar, Tensor ai, Tensor br, Tensor bi) = (a.Select(-1, 0), a.Select(-1, 1), b.Select(-1, 0), b.Select(-1, 1));
        return Fourier.Irfft(Tensor.Cat([(ar * br - ai * bi).Unsqueeze(-1), (ar * bi + ai * br).Unsqueeze(-1)], -1), n);
    }
}
