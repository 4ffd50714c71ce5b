using Banyan.Ops;

namespace Banyan.Tensors.Tests.Goldens;

/// <summary>The reference takes (B, H, T, D); attention takes tokens.</summary>
internal static class AttentionCases
{
    public static void Register(OpTable t)
    {
        t["sdpa"] = c => Attend(c, new AttentionOptions
        {
            Causal = c.Bool("is_causal"), Scale = c.HasArg("scale") ? c.Double("scale") : null, Window = c.HasArg("window") ? c.Int("window") : null,
            Mask = c.Has("m") && c["m"].DType == DType.Bool ? c["m"] : null, Bias = c.Has("m") && c["m"].DType.IsFloat ? c["m"] : null,
        });
        t["sdpa.packed"] = c => Attend(c, new AttentionOptions { Causal = true, Layout = Documents(c["doc"].ToArray<long>()) });
        t["alibi"] = c => Attend(c, new AttentionOptions { Causal = true, AlibiSlopes = c["slopes"] });
        t["sinks"] = c => Attend(c, new AttentionOptions { Causal = true, Sinks = c["s"] });
        t["softcap"] = c => Attend(c, new AttentionOptions { Causal = true, SoftCap = c.Double("cap") });
        t.Many("mha", SelfAttention);
        t.Many("rope_half", c => Rotate(c, interleaved: false));
        t.Many("rope_partial", c => Rotate(c, interleaved: false));
        t.Many("rope_interleaved", c => Rotate(c, interleaved: true));
        t["sinusoidal"] = c => RelativePositions.Sinusoids(c["p"].ToArray<long>(), 8);
        t["t5_bucket"] = c => Tensor.From([.. c["r"].ToArray<long>().Select(r =>
            (long)RelativePositions.T5Bucket(r, c.Bool("bidirectional"), c.Int("num_buckets"), c.Int("max_distance")))]);
    }

    private static Tensor Attend(OpCase c, AttentionOptions options)
    {
        Tensor q = c["q"], k = c["k"];
        options.Layout ??= SequenceLayout.Batch((int)q.Shape[0], (int)q.Shape[2], (int)k.Shape[2]);
        return Rectangle(Attention.Apply(Tokens(q), Tokens(k), Tokens(c["v"]), options), q.Shape[0]);
    }

    private static Tensor Tokens(Tensor x) => x.Transpose(1, 2).Reshape(x.Shape[0] * x.Shape[2], x.Shape[1], x.Shape[3]);

    private static Tensor Rectangle(Tensor x, long batch) =>
        x.Reshape(batch, x.Shape[0] / Math.Max(batch, 1) + (batch == 0 ? 3 : 0), x.Shape[1], x.Shape[2]).Transpose(1, 2);

    private static SequenceLayout Documents(long[] ids) => SequenceLayout.Packed([.. ids.GroupBy(i => i).Select(g => g.Count())]);

    // Sequences are columns of (L, B, E); their tokens are brought together for attention.
    private static Tensor[] SelfAttention(OpCase c)
    {
        Tensor x = c["x"];
        long length = x.Shape[0], batch = x.Shape[1], width = x.Shape[2], heads = c.Int("num_heads"), dim = width / heads;
        Tensor qkv = x.Linear(c["wi"], c["bi"]).Transpose(0, 1).Reshape(batch * length, 3, heads, dim);
        Tensor q = qkv.Select(1, 0), k = qkv.Select(1, 1), v = qkv.Select(1, 2);
        Tensor o = Attention.Apply(q, k, v, new AttentionOptions { Layout = SequenceLayout.Batch((int)batch, (int)length) });
        Tensor y = o.Reshape(batch, length, width).Transpose(0, 1).Linear(c["wo"], c["bo"]);
        Tensor p = (Rectangle(q, batch).MatMul(Rectangle(k, batch).Transpose(2, 3)) / Math.Sqrt(dim)).Softmax(-1);
        return [y, p.Mean(1)];
    }

    private static Tensor[] Rotate(OpCase c, bool interleaved)
    {
        long[] positions = c["p"].ToArray<long>();
        int dim = c.Int("rotary_dim", (int)c["q"].Shape[3]), half = dim / 2;
        float[] cos = new float[positions.Length * half], sin = new float[cos.Length];
        for (int i = 0; i < cos.Length; i++)
        {
            // The reference multiplies positions by frequencies in float32.
            float angle = positions[i / half] * (1 / MathF.Pow((float)c.Double("base"), 2f * (i % half) / dim));
            (cos[i], sin[i]) = (MathF.Cos(angle), MathF.Sin(angle));
        }
        Tensor cs = c.Scope.From(cos, [positions.Length, half]), sn = c.Scope.From(sin, [positions.Length, half]);
        return [.. ((Tensor[])[c["q"], c["k"]]).Select(x => Rectangle(Rotary.Apply(Tokens(x), cs, sn, interleaved), 1))];
    }
}
