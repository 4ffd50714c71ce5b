using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>
/// 32 numbers of a row of the left operand as <see cref="Emit.Int8Tile"/> reads them: x is about <see cref="Step"/> times a whole number from -127 to 127. One line of the cache.
/// </summary>
internal unsafe struct ActivationBlock
{
    /// <summary>The whole numbers.</summary>
    public fixed sbyte Codes[32];

    /// <summary>The largest magnitude / 127.</summary>
    public float Step;

    /// <summary>Where the sums of products start: minus the code of weight 0 times the sum of the codes; of the first and second 16 numbers, or of all 32 and 0.</summary>
    public fixed int Start[2];

    /// <summary>The step times the sums of the codes.</summary>
    public fixed float Sum[2];

    private fixed int _unused[3];

    /// <summary>
    /// Quantizes rows to blocks in the order (tiles of <paramref name="tileRows"/> rows, groups of k, rows of the tile). Each row is a function of itself.
    /// </summary>
    public static void Quantize(float* x, long rows, long k, int tileRows, int group, int zero, ActivationBlock* to, ComputePool pool) =>
        pool.For(rows, Math.Max(1, 16384 / k), new RowsBody { X = x, Count = rows, Groups = k / 32, TileRows = tileRows, Group = group, Zero = zero, To = to });

    private struct RowsBody : IParallelBody
    {
        public float* X;
        public long Count, Groups;
        public int TileRows, Group, Zero;
        public ActivationBlock* To;

        public readonly void Run(long begin, long end)
        {
            for (long r = begin; r < end; r++)
            {
                long tile = r / TileRows, height = Math.Min(TileRows, Count - tile * TileRows);
                ActivationBlock* to = To + tile * TileRows * Groups + r % TileRows;
                for (long g = 0; g < Groups; g++)
                {
                    One(X + 32 * (r * Groups + g), to + g * height);
                }
            }
        }

        private readonly void One(float* x, ActivationBlock* to)
        {
            Vector256<float> a = Vector256.Load(x), b = Vector256.Load(x + 8), c = Vector256.Load(x + 16), d = Vector256.Load(x + 24);
            float largest = Max(Vector256.Max(Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)))), inverse = largest > 0 ? 127 / largest : 0;
            // A tiny block would overflow the inverse. NaN and infinities show in the result by way of the step.
            inverse = float.IsFinite(inverse) ? inverse : 0;
            Vector256<int> qa = Round(a, inverse), qb = Round(b, inverse), qc = Round(c, inverse), qd = Round(d, inverse);
            Vector256.Narrow(Vector256.Narrow(qa, qb), Vector256.Narrow(qc, qd)).Store(to->Codes);
            int first = Vector256.Sum(qa + qb), second = Vector256.Sum(qc + qd);
            float step = largest / 127;
            to->Step = step;
            if (Group == 32)
            {
                (first, second) = (first + second, 0);
            }
            (to->Start[0], to->Start[1]) = (-Zero * first, -Zero * second);
            (to->Sum[0], to->Sum[1]) = (step * first, step * second);
        }

        private static float Max(Vector256<float> v)
        {
            var b = Vector128.Max(v.GetLower(), v.GetUpper());
            return MathF.Max(MathF.Max(b[0], b[1]), MathF.Max(b[2], b[3]));
        }

        // To the nearest, halves to even: adding 1.5 * 2^23 leaves the whole number in the low bits.
        private static Vector256<int> Round(Vector256<float> v, float scale) => (v * Vector256.Create(scale) + Vector256.Create(12582912f)).AsInt32() - Vector256.Create(0x4B400000);
    }
}
