namespace Banyan;

/// <summary>Positions as numbers and buckets: what models add to embeddings or scores.</summary>
public static class RelativePositions
{
    /// <summary>
    /// The sinusoids of Vaswani et al. 2017: (positions, dim) with sin(p / 10000^(2i / dim)) at 2i and the cosine at 2i + 1; or, not interleaved, at i
    /// and i + dim / 2 (Marian).
    /// </summary>
    /// <param name="positions">The positions, in any order.</param>
    /// <param name="dim">Even.</param>
    /// <param name="interleaved">False puts all sines before all cosines. Default: true.</param>
    /// <exception cref="ArgumentException">An odd dimension.</exception>
    public static Tensor Sinusoids(ReadOnlySpan<long> positions, int dim, bool interleaved = true)
    {
        if (dim < 0 || dim % 2 != 0)
        {
            throw new ArgumentException($"sinusoids: the dimension must be even, given {dim}");
        }
        float[] table = new float[checked(positions.Length * dim)];
        for (int i = 0; i < table.Length; i += 2)
        {
            double angle = positions[i / dim] / Math.Pow(10000, (double)(i % dim) / dim);
            int sine = interleaved ? i : i - i % dim / 2, cosine = sine + (interleaved ? 1 : dim / 2);
            (table[sine], table[cosine]) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
        }
        return Tensor.From(table, [positions.Length, dim]);
    }

    /// <summary>
    /// T5's bucket of a distance (Raffel et al. 2020): small distances have their own, larger ones share buckets that grow like a logarithm up
    /// to <paramref name="maxDistance"/>, and all beyond share the last.
    /// </summary>
    /// <param name="distance">Key position - query position.</param>
    /// <param name="bidirectional">True: keys after the query have the upper half of the buckets; false: they all count as distance 0.</param>
    /// <param name="buckets">Number of buckets. Default: 32.</param>
    /// <param name="maxDistance">From here on there is one bucket. Default: 128.</param>
    public static int T5Bucket(long distance, bool bidirectional, int buckets = 32, int maxDistance = 128)
    {
        int first = 0;
        if (bidirectional)
        {
            buckets /= 2;
            first = distance > 0 ? buckets : 0;
        }
        long apart = bidirectional ? Math.Abs(distance) : Math.Max(-distance, 0);
        int exact = buckets / 2;
        if (apart < exact)
        {
            return first + (int)apart;
        }
        // float32, as the reference rounds at the edges of buckets.
        float grown = MathF.Log((float)apart / exact) / (float)Math.Log((double)maxDistance / exact) * (buckets - exact);
        return first + Math.Min(exact + (int)grown, buckets - 1);
    }

    /// <summary>
    /// T5's learned biases (buckets, H) spread over distances, as <see cref="AttentionOptions.RelativeBias"/> wants them: (H, 2 * span + 1),
    /// with a span from which on every distance has the last bucket. Gradients flow to the weight.
    /// </summary>
    /// <param name="weight">(buckets, H).</param>
    /// <param name="bidirectional">True in encoders.</param>
    /// <param name="maxDistance">The configuration's relative_attention_max_distance. Default: 128.</param>
    public static Tensor T5Table(Tensor weight, bool bidirectional, int maxDistance = 128)
    {
        var index = new long[2 * maxDistance + 1];
        for (int i = 0; i < index.Length; i++)
        {
            index[i] = T5Bucket(i - maxDistance, bidirectional, (int)weight.Shape[0], maxDistance);
        }
        return weight.Embedding(Tensor.From(index)).Transpose(0, 1);
    }

    /// <summary>ALiBi's slopes (Press et al. 2022, arXiv:2108.12409): 2^(-8 h / H) for a power of two, with every second of twice as many behind it else.</summary>
    /// <param name="heads">H.</param>
    public static Tensor AlibiSlopes(int heads)
    {
        int power = 1 << (int)Math.Log2(Math.Max(heads, 1));
        IEnumerable<double> First(int n) => Enumerable.Range(1, n).Select(h => Math.Pow(2, -8.0 * h / n));
        return Tensor.From([.. First(power).Concat(First(2 * power).Where((_, i) => i % 2 == 0)).Take(heads).Select(s => (float)s)], new Shape(heads));
    }
}
