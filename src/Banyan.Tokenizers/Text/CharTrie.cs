namespace Banyan.Tokenizers.Text;

/// <summary>A prefix tree over UTF-16 units: walks a text and tells which entries end on the way.</summary>
internal sealed class CharTrie
{
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _values = [-1];

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

    private static long Edge(int node, char c) => ((long)node << 16) | c;
}
