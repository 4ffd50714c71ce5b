namespace Banyan.Tensors.Tests;

public class FourierTests
{
    // A power of two, a prime, a highly composite odd number, and the smallest lengths.
    public static TheoryData<int> Lengths => [1, 2, 3, 4, 64, 97, 225, 1000];

    [Theory, MemberData(nameof(Lengths))]
    public void AnyLengthIsTheSumThatDefinesIt(int n)
    {
        Tensor x = FiniteDifferences.Random([n, 2]);
        double[] v = x.ToDoubles(), y = Fourier.Fft(x).ToDoubles();
        for (int k = 0; k < n; k++)
        {
            double re = 0, im = 0;
            for (int j = 0; j < n; j++)
            {
                (double sin, double cos) = Math.SinCos(-2 * Math.PI * ((long)j * k % n) / n);
                re += v[2 * j] * cos - v[2 * j + 1] * sin;
                im += v[2 * j] * sin + v[2 * j + 1] * cos;
            }
            Assert.Equal(re, y[2 * k], 1e-10);
            Assert.Equal(im, y[2 * k + 1], 1e-10);
        }
    }

    [Theory, MemberData(nameof(Lengths))]
    public void TheInverseReturns(int n)
    {
        Tensor x = FiniteDifferences.Random([3, n, 2]), real = FiniteDifferences.Random([n, 3], 2);
        foreach (FftNorm norm in Enum.GetValues<FftNorm>())
        {
            Near(x, Fourier.Ifft(Fourier.Fft(x, norm: norm), norm: norm));
            Near(real, Fourier.Irfft(Fourier.Rfft(real, dim: 0, norm: norm), n, dim: 0, norm: norm));
        }
    }

    [Fact]
    public void FramesAddUpToTheSignal()
    {
        Tensor x = FiniteDifferences.Random([2, 50]);
        var options = new StftOptions { FftSize = 12, HopLength = 3, Window = Window.Hann(12).To(DType.Float64) };
        Near(x, Fourier.Istft(Fourier.Stft(x, options), options, 50));
    }

    [Fact]
    public void WhatCannotBeTransformedIsNamed()
    {
        Tensor signal = Tensor.Zeros([10]);
        Assert.Contains("last dimension of 2", Assert.Throws<ArgumentException>(() => Fourier.Fft(signal)).Message);
        Assert.Contains("at least 1", Assert.Throws<ArgumentException>(() => Fourier.Rfft(signal, 0)).Message);
        Assert.Contains("reflected", Assert.Throws<ArgumentException>(() => Fourier.Stft(signal, new StftOptions { FftSize = 32 })).Message);
        var gaps = new StftOptions { FftSize = 4, HopLength = 4, Window = Window.Hann(4), Center = false };
        Tensor spectra = Fourier.Stft(signal, gaps);
        Assert.Contains("uncovered", Assert.Throws<ArgumentException>(() => Fourier.Istft(spectra, gaps)).Message);
        Assert.Contains("samples asked for", Assert.Throws<ArgumentException>(() => Fourier.Istft(spectra, gaps, 100)).Message);
    }

    private static void Near(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToDoubles().Zip(actual.ToDoubles()), p => Assert.Equal(p.First, p.Second, 1e-11));
    }
}
