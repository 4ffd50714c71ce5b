namespace Banyan.Cpu;

/// <summary>
/// The online softmax of one row (Milakov and Gimelshein, 2018): each key block brings its scores, and what was summed so far shrinks by
/// e^(old maximum - new maximum). A block whose scores are all -inf changes nothing, to the bit.
/// </summary>
internal static unsafe class SoftmaxRow
{
    private const float None = float.NegativeInfinity;

    /// <summary>
    /// Turns the scores in columns <c>[begin, end)</c> into weights e^(s - maximum), adds them to the 16 running lane sums and rescales
    /// <paramref name="output"/> where the maximum grew.
    /// </summary>
    public static void Update<S, V>(float* s, int begin, int end, float* maximum, float* lanes, float* output, int outputCount)
        where S : struct, ISimd<V> where V : struct
    {
        float old = *maximum, block = Maximum<S, V>(s, begin, end);
        if (old < block)
        {
            *maximum = block;
            if (old != None)
            {
                float shrink = VectorMath.Exp<SimdScalar, float>(old - block);
                Scale<S, V>(lanes, AttentionTile.Lanes, shrink);
                Scale<S, V>(output, outputCount, shrink);
            }
        }
        Exponentiate<S, V>(s, begin, end, Shift(*maximum), lanes);
    }

    /// <summary>The maximum as it is subtracted: 0 for a row that has seen no key, so that -inf - shift stays -inf.</summary>
    public static float Shift(float maximum) => maximum == None ? 0 : maximum;

    /// <summary>The sum of 16 lanes, as a tree.</summary>
    public static float Sum(float* lanes)
    {
        float* t = stackalloc float[8];
        for (int i = 0; i < 8; i++)
        {
            t[i] = lanes[i] + lanes[i + 8];
        }
        return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
    }

    private static float Maximum<S, V>(float* s, int begin, int end) where S : struct, ISimd<V> where V : struct
    {
        float* lanes = stackalloc float[AttentionTile.Lanes];
        V m = S.Splat(None);
        for (int j = begin; j < end; j += S.Width)
        {
            // A plain comparison: NaN scores are passed over here and reach the sum below.
            V x = S.Load(s + j);
            m = S.Select(S.Less(m, x), x, m);
        }
        S.Store(lanes, m);
        float maximum = lanes[0];
        for (int i = 1; i < S.Width; i++)
        {
            maximum = maximum < lanes[i] ? lanes[i] : maximum;
        }
        return maximum;
    }

    private static void Exponentiate<S, V>(float* s, int begin, int end, float shift, float* lanes) where S : struct, ISimd<V> where V : struct
    {
        V m = S.Splat(shift);
        for (int lane = 0; lane < AttentionTile.Lanes; lane += S.Width)
        {
            V sum = S.Load(lanes + lane);
            for (int j = begin + lane; j < end; j += AttentionTile.Lanes)
            {
                V p = VectorMath.ExpNonPositive<S, V>(S.Sub(S.Load(s + j), m));
                S.Store(s + j, p);
                sum = S.Add(sum, p);
            }
            S.Store(lanes + lane, sum);
        }
    }

    private static void Scale<S, V>(float* x, int count, float factor) where S : struct, ISimd<V> where V : struct
    {
        V f = S.Splat(factor);
        for (int j = 0; j < count; j += S.Width)
        {
            S.Store(x + j, S.Mul(S.Load(x + j), f));
        }
    }
}
