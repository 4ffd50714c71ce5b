using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Cuts pictures into patches and projects each (Dosovitskiy et al. 2021, arXiv:2010.11929). Parameters: those of a convolution whose stride is its kernel.</summary>
public sealed class Patches : Module
{
    private readonly Conv _projection;

    /// <summary>Patches of pictures.</summary>
    /// <param name="size">Pixels of the height and of the width.</param>
    /// <param name="patchSize">Pixels of a patch's side.</param>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="width">C.</param>
    /// <param name="bias">Whether the projection has a bias. Default: true.</param>
    /// <param name="name">Name of the projection within the module. Default: none.</param>
    public Patches((int Height, int Width) size, int patchSize, int channels, int width, bool bias = true, string name = "")
    {
        Size = size;
        Count = size.Height / patchSize * (size.Width / patchSize);
        _projection = Add(name, new Conv(channels, width, [patchSize, patchSize], new ConvOptions { Stride = [patchSize, patchSize], Bias = bias }));
    }

    /// <summary>Patches of square pictures.</summary>
    /// <param name="imageSize">Pixels of a side.</param>
    /// <param name="patchSize">Pixels of a patch's side.</param>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="width">C.</param>
    /// <param name="bias">Whether the projection has a bias. Default: true.</param>
    /// <param name="name">Name of the projection within the module. Default: none.</param>
    public Patches(int imageSize, int patchSize, int channels, int width, bool bias = true, string name = "") : this((imageSize, imageSize), patchSize, channels, width, bias, name)
    {
    }

    /// <summary>Pixels of the height and of the width.</summary>
    public (int Height, int Width) Size { get; }

    /// <summary>Patches of a picture.</summary>
    public int Count { get; }

    /// <summary>Pictures (B, channels, height, width) to (B, patches, C).</summary>
    /// <exception cref="ArgumentException">Pictures of another size.</exception>
    public Tensor Forward(Tensor pixels, ForwardPass pass)
    {
        if (pixels.Rank != 4 || pixels.Shape[2] != Size.Height || pixels.Shape[3] != Size.Width)
        {
            throw new ArgumentException($"pixel_values must be (batch, channels, {Size.Height}, {Size.Width}), given {pixels.Shape}");
        }
        Tensor x = _projection.Forward(pass.Scope.Use(pixels), pass);          // (B, C, h, w)
        return x.Reshape(x.Shape[0], x.Shape[1], -1).Transpose(1, 2);
    }

    /// <summary>A token of its own (C) before the patches (B, N, C) of every picture.</summary>
    public static Tensor Prepend(Tensor token, Tensor patches) => Tensor.Cat([token.Reshape(1, 1, -1).Expand([patches.Shape[0], 1, patches.Shape[2]]), patches], 1);

    /// <summary>A batch of so many sequences of this length, for layers that know tokens only.</summary>
    /// <param name="count">Number of sequences.</param>
    /// <param name="length">Tokens of each.</param>
    /// <param name="scope">Owner of the tensors.</param>
    /// <param name="visible">count * length flags, false where no token may look; null: all are visible.</param>
    public static TokenBatch Batch(long count, long length, Scope scope, bool[]? visible = null)
    {
        if (visible is not null)
        {
            Tensor none = scope.Zeros([count * length], DType.Int64);
            return new TokenBatch(none, none, 0, SequenceLayout.Batch((int)count, (int)length, visible));
        }
        var lengths = new int[count];
        lengths.AsSpan().Fill((int)length);
        return TokenBatch.Packed(new long[count * length], lengths, scope);
    }
}
