namespace Banyan;

// Channels and places exchanged.
public sealed partial class Tensor
{
    /// <summary>Groups of r * r channels become r times as many rows and columns: (..., C r^2, H, W) to (..., C, H r, W r).</summary>
    public Tensor PixelShuffle(int upscaleFactor)
    {
        long r = upscaleFactor, h = Shape[-2], w = Shape[-1], c = ChannelGroups("pixel_shuffle", Shape[-3], r * r);
        return Reshape(-1, c, r, r, h, w).Permute(0, 1, 4, 2, 5, 3).Reshape(Shape.With(-3, c).With(-2, h * r).With(-1, w * r));
    }

    /// <summary>Blocks of r * r places become channels, the inverse of <see cref="PixelShuffle"/>: (..., C, H r, W r) to (..., C r^2, H, W).</summary>
    public Tensor PixelUnshuffle(int downscaleFactor)
    {
        long r = downscaleFactor, c = Shape[-3], h = ChannelGroups("pixel_unshuffle", Shape[-2], r), w = ChannelGroups("pixel_unshuffle", Shape[-1], r);
        return Reshape(-1, c, h, r, w, r).Permute(0, 1, 3, 5, 2, 4).Reshape(Shape.With(-3, c * r * r).With(-2, h).With(-1, w));
    }

    /// <summary>Channel j of group i goes to place i of group j: (N, C, ...).</summary>
    public Tensor ChannelShuffle(int groups)
    {
        long each = ChannelGroups("channel_shuffle", Shape[1], groups);
        return Reshape(Shape[0], groups, each, -1).Transpose(1, 2).Reshape(Shape);
    }

    private long ChannelGroups(string op, long size, long by) =>
        by > 0 && size % by == 0 ? size / by : throw new ArgumentException($"{op}: {size} of {Shape} is not a multiple of {by}");
}
