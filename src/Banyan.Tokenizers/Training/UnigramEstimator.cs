using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>Estimates the probabilities of pieces over all segmentations of a corpus, and drops those that matter least.</summary>
internal sealed class UnigramEstimator
{
    // Pieces that are expected less often than this are dropped at once.
    private const double LeastExpected = 0.5;

    // A fixed number of parts, whose sums are added in order: the same numbers for any number of threads.
    private const int Parts = 8;

    private readonly (string Text, long Count)[] _corpus;
    private readonly int _maxUnits;
    private Dictionary<string, int> _ids = [];

    public UnigramEstimator((string Text, long Count)[] corpus, List<(string Text, double Score)> pieces, int maxLength)
    {
        _corpus = corpus;
        _maxUnits = 2 * maxLength;
        Pieces = pieces;
        Index();
    }

    /// <summary>Pieces and the logarithms of their probabilities.</summary>
    public List<(string Text, double Score)> Pieces { get; private set; }

    public int Count => Pieces.Count;

    public double? ScoreOf(string piece) => _ids.TryGetValue(piece, out int id) ? Pieces[id].Score : null;

    /// <summary>One round: how often each piece is expected, and new probabilities from that (with the digamma function, which favours few pieces).</summary>
    public void Estimate(CancellationToken cancellationToken)
    {
        double[] expected = SumOverCorpus((lattice, count, sums) => lattice.Expect(count, sums), cancellationToken);
        double sum = Digamma(expected.Where(e => e >= LeastExpected).Sum()), least = Digamma(LeastExpected) - sum;
        List<(string Text, double Score)> kept = [];
        for (int i = 0; i < Pieces.Count; i++)
        {
            if (expected[i] >= LeastExpected)
            {
                kept.Add((Pieces[i].Text, Digamma(expected[i]) - sum));
            }
            else if (IsCharacter(Pieces[i].Text))
            {
                kept.Add((Pieces[i].Text, least)); // without which some texts had no segmentation
            }
        }
        Pieces = kept;
        Index();
    }

    /// <summary>Keeps so many pieces: those whose loss would cost the likelihood most. Characters stay.</summary>
    public void Prune(int size, CancellationToken cancellationToken)
    {
        double[] used = SumOverCorpus((lattice, count, sums) => lattice.Best(count, sums), cancellationToken);
        double total = used.Sum(), logTotal = Math.Log(total);
        List<(int Id, double Loss)> candidates = [];
        List<int> kept = [];
        Lattice lattice = new(this);
        for (int id = 0; id < Pieces.Count; id++)
        {
            if (IsCharacter(Pieces[id].Text))
            {
                kept.Add(id);
                continue;
            }
            lattice.Set(Pieces[id].Text);
            List<int> instead = lattice.BestWithout(id, out double score);
            if (used[id] == 0 || score > Pieces[id].Score)
            {
                continue; // it is never, or never rightly, taken
            }
            // Were it gone, its count would go to what it is cut into.
            double logAlternative = Math.Log(total + (used[id] * (instead.Count - 1)));
            double before = Math.Log(used[id]) - logTotal, after = instead.Sum(n => Math.Log(used[n] + used[id]) - logAlternative);
            candidates.Add((id, used[id] / total * (before - after)));
        }
        kept.AddRange(candidates.OrderByDescending(c => c.Loss).ThenBy(c => c.Id).Take(Math.Max(0, size - kept.Count)).Select(c => c.Id));
        kept.Sort();
        Pieces = kept.ConvertAll(id => Pieces[id]);
        Index();
    }

    private static bool IsCharacter(string piece) => piece.Length == Runes.Width(piece, 0);

    private void Index()
    {
        _ids = new(Pieces.Count, StringComparer.Ordinal);
        for (int i = 0; i < Pieces.Count; i++)
        {
            _ids[Pieces[i].Text] = i;
        }
    }

    private double[] SumOverCorpus(Action<Lattice, long, double[]> add, CancellationToken cancellationToken)
    {
        double[][] sums = new double[Parts][];
        Parallel.For(0, Parts, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, part =>
        {
            sums[part] = new double[Pieces.Count];
            Lattice lattice = new(this);
            for (int w = (int)((long)_corpus.Length * part / Parts), end = (int)((long)_corpus.Length * (part + 1) / Parts); w < end; w++)
            {
                lattice.Set(_corpus[w].Text);
                add(lattice, _corpus[w].Count, sums[part]);
            }
        });
        for (int i = 0; i < Pieces.Count; i++)
        {
            for (int part = 1; part < Parts; part++)
            {
                sums[0][i] += sums[part][i];
            }
        }
        return sums[0];
    }

    // Bernardo's series, after moving the argument up to where it is exact.
    private static double Digamma(double x)
    {
        double result = 0;
        for (; x < 7; x++)
        {
            result -= 1 / x;
        }
        x -= 0.5;
        double square = 1 / (x * x);
        return result + Math.Log(x) + (square * (1.0 / 24)) - (square * square * (7.0 / 960)) + (square * square * square * (31.0 / 8064)) - (square * square * square * square * (127.0 / 30720));
    }

    /// <summary>The pieces that fit at each place of a word.</summary>
    private sealed class Lattice(UnigramEstimator owner)
    {
        private readonly List<(int Start, int End, int Id)> _edges = []; // by their start
        private double[] _forward = [], _backward = [];
        private int[] _from = [];
        private int _length;

        public void Set(string word)
        {
            _length = word.Length;
            if (_forward.Length <= _length)
            {
                (_forward, _backward, _from) = (new double[_length + 1], new double[_length + 1], new int[_length + 1]);
            }
            _edges.Clear();
            var lookup = owner._ids.GetAlternateLookup<ReadOnlySpan<char>>();
            for (int start = 0; start < word.Length; start += Runes.Width(word, start))
            {
                for (int end = start + Runes.Width(word, start); end <= word.Length && end - start <= owner._maxUnits; end += end < word.Length ? Runes.Width(word, end) : 1)
                {
                    if (lookup.TryGetValue(word.AsSpan(start, end - start), out int id))
                    {
                        _edges.Add((start, end, id));
                    }
                }
            }
        }

        /// <summary>Adds how often each piece is expected, times a count.</summary>
        public void Expect(long count, double[] sums)
        {
            Array.Fill(_forward, double.NegativeInfinity, 0, _length + 1);
            Array.Fill(_backward, double.NegativeInfinity, 0, _length + 1);
            _forward[0] = _backward[_length] = 0;
            foreach ((int start, int end, int id) in _edges)
            {
                _forward[end] = LogSum(_forward[end], _forward[start] + owner.Pieces[id].Score);
            }
            for (int e = _edges.Count - 1; e >= 0; e--)
            {
                (int start, int end, int id) = _edges[e];
                _backward[start] = LogSum(_backward[start], _backward[end] + owner.Pieces[id].Score);
            }
            double all = _forward[_length];
            foreach ((int start, int end, int id) in _edges)
            {
                sums[id] += count * Math.Exp(_forward[start] + owner.Pieces[id].Score + _backward[end] - all);
            }
        }

        /// <summary>Adds the pieces of the best segmentation, times a count.</summary>
        public void Best(long count, double[] sums)
        {
            Search(without: -1);
            for (int at = _length; at > 0; at = _edges[_from[at]].Start)
            {
                sums[_edges[_from[at]].Id] += count;
            }
        }

        /// <summary>The best segmentation that does not use a piece.</summary>
        public List<int> BestWithout(int without, out double score)
        {
            score = Search(without);
            List<int> ids = [];
            for (int at = _length; at > 0; at = _edges[_from[at]].Start)
            {
                ids.Add(_edges[_from[at]].Id);
            }
            return ids;
        }

        private double Search(int without)
        {
            Array.Fill(_forward, double.NegativeInfinity, 0, _length + 1);
            _forward[0] = 0;
            for (int e = 0; e < _edges.Count; e++)
            {
                (int start, int end, int id) = _edges[e];
                if (id != without && _forward[start] + owner.Pieces[id].Score is var score && score > _forward[end])
                {
                    (_forward[end], _from[end]) = (score, e);
                }
            }
            return _forward[_length];
        }

        private static double LogSum(double a, double b) => a < b ? b + Math.Log(1 + Math.Exp(a - b)) : double.IsNegativeInfinity(a) ? a : a + Math.Log(1 + Math.Exp(b - a));
    }
}
