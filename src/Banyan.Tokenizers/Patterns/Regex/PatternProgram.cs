namespace Banyan.Tokenizers.Patterns.Regex;

internal enum PatternOp
{
    /// <summary>One code point of the set <c>Argument</c>, then the next instruction.</summary>
    OneOf,

    /// <summary>Goes on at <c>First</c>, or else at <c>Second</c>.</summary>
    Split,

    /// <summary>Goes on at the next instruction where the place <c>Argument</c> holds.</summary>
    Place,

    Match,
}

/// <summary>One step; <paramref name="First"/> and <paramref name="Second"/> are instructions, except for sets and places, where First is an index.</summary>
internal readonly record struct PatternStep(PatternOp Op, int First, int Second);

/// <summary>A regular expression as the instructions of a nondeterministic machine (Thompson's construction), to be read forwards or backwards.</summary>
internal sealed class PatternProgram
{
    private const int MaxSteps = 50_000;

    private readonly bool _backwards;
    private readonly List<PatternStep> _steps = [];
    private readonly List<RuneSet> _sets = [];
    private readonly List<Place> _places = [];
    private readonly Dictionary<RuneSet, int> _indices = [];
    private readonly List<(RuneSet Set, int After)> _keepers = [];

    /// <param name="node">The expression.</param>
    /// <param name="backwards">Whether the text is read from its end.</param>
    /// <exception cref="FormatException">It is too large, or gives nothing back where a search in linear time cannot see to it.</exception>
    public PatternProgram(PatternNode node, bool backwards)
    {
        _backwards = backwards;
        Add(node);
        Emit(PatternOp.Match, 0, 0);
        Anywhere = _steps.Count;
        Emit(PatternOp.Split, 0, Anywhere + 1); // the expression here, or one code point further
        Emit(PatternOp.OneOf, Index(RuneSet.All), 0);
        Emit(PatternOp.Split, Anywhere, Anywhere);
        if (!backwards)
        {
            _keepers.ForEach(Check);
        }
    }

    public IReadOnlyList<PatternStep> Steps => _steps;

    public IReadOnlyList<RuneSet> Sets => _sets;

    public IReadOnlyList<Place> Places => _places;

    /// <summary>Where the search begins that may pass over text; 0 is where the match must begin at once.</summary>
    public int Anywhere { get; }

    /// <summary>Whether a place asks for what was read before it.</summary>
    public bool LooksBack => _places.Exists(p => !(p.AtStart && p.Before.Equals(RuneSet.All)));

    private void Add(PatternNode node)
    {
        switch (node)
        {
            case OneOf one:
                Emit(PatternOp.OneOf, Index(one.Set), 0);
                break;
            case Place place:
                _places.Add(_backwards ? new(place.After, place.AtEnd, place.Before, place.AtStart) : place);
                Emit(PatternOp.Place, _places.Count - 1, 0);
                break;
            case Sequence sequence:
                foreach (PatternNode part in _backwards ? sequence.Parts.Reverse() : sequence.Parts)
                {
                    Add(part);
                }
                break;
            case Choice choice:
                AddChoice(choice);
                break;
            case Repeat repeat:
                AddRepeat(repeat);
                break;
        }
    }

    private void AddChoice(Choice choice)
    {
        List<int> ends = [];
        for (int i = 0; i < choice.Options.Count - 1; i++)
        {
            int split = Emit(PatternOp.Split, _steps.Count + 1, 0);
            Add(choice.Options[i]);
            ends.Add(Emit(PatternOp.Split, 0, 0)); // a jump: both ways lead to the same step
            _steps[split] = _steps[split] with { Second = _steps.Count };
        }
        Add(choice.Options[^1]);
        foreach (int end in ends)
        {
            _steps[end] = new(PatternOp.Split, _steps.Count, _steps.Count);
        }
    }

    private void AddRepeat(Repeat repeat)
    {
        for (int i = 0; i < repeat.Min; i++)
        {
            Add(repeat.Part);
        }
        if (repeat.Max is null)
        {
            int loop = Emit(PatternOp.Split, 0, 0);
            Add(repeat.Part);
            Emit(PatternOp.Split, loop, loop);
            _steps[loop] = Fork(loop + 1, _steps.Count, repeat.IsLazy);
        }
        List<int> forks = [];
        for (int i = repeat.Min; i < repeat.Max; i++)
        {
            forks.Add(Emit(PatternOp.Split, 0, 0));
            Add(repeat.Part);
        }
        foreach (int fork in forks)
        {
            _steps[fork] = Fork(fork + 1, _steps.Count, repeat.IsLazy);
        }
        if (repeat.KeepsAll)
        {
            _keepers.Add((repeat.Part is OneOf one ? one.Set : throw new FormatException("a possessive repetition of more than one character"), _steps.Count));
        }
    }

    // What has matched as much as it can gives nothing back: nothing else happens anyway where what follows cannot match what it could give back.
    private void Check((RuneSet Set, int After) keeper)
    {
        HashSet<int> seen = [];
        Stack<int> open = new([keeper.After]);
        while (open.TryPop(out int at))
        {
            PatternStep step = _steps[at];
            if (!seen.Add(at) || step.Op == PatternOp.Match)
            {
                continue;
            }
            if (step.Op == PatternOp.Split)
            {
                open.Push(step.First);
                open.Push(step.Second);
                continue;
            }
            RuneSet next = step.Op == PatternOp.OneOf ? _sets[step.First] : _places[step.First].After;
            if (next.Overlaps(keeper.Set))
            {
                throw new FormatException("a possessive repetition before what it could give back, which is not supported");
            }
        }
    }

    private static PatternStep Fork(int inside, int behind, bool lazy) => lazy ? new(PatternOp.Split, behind, inside) : new(PatternOp.Split, inside, behind);

    private int Emit(PatternOp op, int first, int second)
    {
        _steps.Add(new(op, first, second));
        return _steps.Count <= MaxSteps ? _steps.Count - 1 : throw new FormatException($"a regular expression of more than {MaxSteps} steps");
    }

    private int Index(RuneSet set)
    {
        if (!_indices.TryGetValue(set, out int index))
        {
            _indices[set] = index = _sets.Count;
            _sets.Add(set);
        }
        return index;
    }
}
