namespace Banyan.Tokenizers.Text;

/// <summary>A prefix tree over UTF-16 units: walks a text and tells which entries end on the way.</summary>
internal sealed class CharTrie
{
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _values = [-1];

    public bool IsEmpty => _children.Count == 0;

    public void Add(ReadOnlySpan<char> key, int value)
    {
        int node = 0;
        foreach (char c in key)
        {
            long edge = Edge(node, c);
            if (!_children.TryGetValue(edge, out node))
            {
                _children[edge] = node = _values.Count;
                _values.Add(-1);
            }
        }
        _values[node] = value;
    }

    /// <summary>Goes on from a node (0 is the root); <paramref name="value"/> is that of the entry which ends here, or -1.</summary>
    public bool TryStep(ref int node, char c, out int value)
    {
        if (!_children.TryGetValue(Edge(node, c), out int next))
        {
            value = -1;
            return false;
        }
        node = next;
        value = _values[next];
        return true;
    }

    /// <summary>Units of the longest entry that the text begins with, or 0.</summary>
    public int Longest(ReadOnlySpan<char> text, out int value)
    {
        int length = 0, node = 0;
        value = -1;
        for (int i = 0; i < text.Length && TryStep(ref node, text[i], out int found); i++)
        {
            if (found >= 0)
            {
                (length, value) = (i + 1, found);
            }
        }
        return length;
    }

    private static long Edge(int node, char c) => ((long)node << 16) | c;
}
