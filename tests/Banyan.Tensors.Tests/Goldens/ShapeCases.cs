namespace Banyan.Tensors.Tests.Goldens;

internal static class ShapeCases
{
    public static void Register(OpTable t)
    {
        Parts(t);
        Layouts(t);
        Triangles(t);
        Repeats(t);
        Windows(t);
    }

    private static void Parts(OpTable t)
    {
        t["cat"] = c => Tensor.Cat(c.Inputs, c.Int("dim"));
        t["stack"] = c => Tensor.Stack(c.Inputs, c.Int("dim"));
        t.Many("torch.split", c => c.Ints("split_size_or_sections") is [long size]
            ? c.X.Split(size, c.Int("dim")) : c.X.Split(c.Ints("split_size_or_sections"), c.Int("dim")));
        t.Many("torch.chunk", c => c.X.Chunk(c.Int("chunks"), c.Int("dim")));
        t.Many("torch.tensor_split", c => c.X.TensorSplit(c.Int("sections")));
        t.Many("torch.unbind", c => c.X.Unbind(c.Int("dim")));
        t.Many("torch.meshgrid", c => Tensor.Meshgrid(c.Inputs, c.Text("indexing") == "xy"));
        t["torch.cartesian_prod"] = c => Tensor.CartesianProd(c.Inputs);
    }

    private static void Layouts(OpTable t)
    {
        t["torch.permute"] = c => c.X.Permute(c.Ints("dims"));
        t["torch.transpose"] = c => c.X.Transpose(c.Int("dim0"), c.Int("dim1"));
        t["torch.movedim"] = c => c.X.MoveDim(c.Int("source"), c.Int("destination"));
        t["torch.reshape"] = c => c.X.Reshape((ReadOnlySpan<long>)c.Ints("shape"));
        t["torch.flatten"] = c => c.X.Flatten(c.Int("start_dim"));
        t["torch.unflatten"] = c => c.X.Unflatten(c.Int("dim"), c.Ints("sizes"));
        t["torch.squeeze"] = c => c.HasArg("dim") ? c.X.Squeeze(c.Int("dim")) : c.X.Squeeze();
        t["torch.unsqueeze"] = c => c.X.Unsqueeze(c.Int("dim"));
        t["expand"] = c => c.X.Expand(c.Ints("sizes"));
        t["expand.keep"] = c => c.X.Expand(c.X.Shape.With(1, c.Ints("sizes")[1]));
        t["torch.broadcast_to"] = c => c.X.Expand(c.Ints("size"));
        t["torch.flip"] = c => c.X.Flip(Dims(c));
        t["torch.roll"] = c => c.HasArg("dims") ? c.X.Roll(c.Ints("shifts"), Dims(c)) : c.X.Roll(c.Int("shifts"));
        t["torch.rot90"] = c => c.X.Rot90(c.Int("k"), Dims(c)[0], Dims(c)[1]);
        t["torch.as_strided"] = c => c.X.AsStrided(c.Ints("size"), c.Ints("stride"), c.Int("storage_offset"));
    }

    private static void Triangles(OpTable t)
    {
        t["torch.tril"] = c => c.X.Tril(c.Int("diagonal"));
        t["torch.triu"] = c => c.X.Triu(c.Int("diagonal"));
        t["torch.diagonal"] = c => c.X.Diagonal(c.Int("offset"));
        t["torch.diag_embed"] = c => c.X.DiagEmbed(c.Int("offset"));
        t["torch.diag"] = c => c.X.Diag();
        t["torch.trace"] = c => c.X.Trace();
        t.Many("tril_indices", _ => [Tensor.TrilIndices(4, 5, 1), Tensor.TriuIndices(4, 5, -1)]);
    }

    private static void Repeats(OpTable t)
    {
        t["repeat"] = c => c.X.Repeat(c.Ints("reps"));
        t["torch.tile"] = c => c.X.Repeat(c.Ints("dims"));
        t["torch.repeat_interleave"] = c => c.Has("r") ? c.X.RepeatInterleave(c["r"], c.Int("dim"))
            : c.HasArg("dim") ? c.X.RepeatInterleave(c.Int("repeats"), c.Int("dim")) : c.X.RepeatInterleave(c.Int("repeats"));
        t["torch.nn.functional.pad"] = c => c.X.Pad(c.Ints("pad"), Enum.Parse<PadMode>(c.Text("mode", "constant"), ignoreCase: true), c.Double("value", 0));
    }

    private static void Windows(OpTable t)
    {
        t["unfold_dim"] = c => c.X.Unfold(c.Int("dim"), c.Int("size"), c.Int("step"));
        t["torch.nn.functional.unfold"] = c => c.X.Unfold(c.Ints("kernel_size"), c.Ints("stride"), c.Ints("padding"), c.Ints("dilation"));
        t["torch.nn.functional.fold"] = c => c.X.Fold(c.Ints("output_size"), c.Ints("kernel_size"), c.Ints("stride"), c.Ints("padding"));
        t["torch.nn.functional.pixel_shuffle"] = c => c.X.PixelShuffle(c.Int("upscale_factor"));
        t["torch.nn.functional.pixel_unshuffle"] = c => c.X.PixelUnshuffle(c.Int("downscale_factor"));
        t["torch.nn.functional.channel_shuffle"] = c => c.X.ChannelShuffle(c.Int("groups"));
    }

    private static int[] Dims(OpCase c) => [.. c.Ints("dims").Select(d => (int)d)];
}
