namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>
/// The deterministic machine of a program, built state by state as texts ask for it. Every character is one step, whatever the expression. A state is the ordered list of the
/// steps that are alive, before what needs no character is followed: the next character decides about places too, so that looking one character around costs nothing.
/// </summary>
internal sealed class LazyAutomaton
{
    private const int MaxStates = 10_000;

    private readonly PatternProgram _program;
    private readonly RuneClasses _classes;
    private readonly bool _longest;
    private readonly bool[][] _inSet;
    private readonly (bool[] Before, bool[] After)[] _places;
    private readonly Lock _lock = new();
    private readonly Dictionary<State, State> _states = [];
    private readonly Dictionary<(int Start, int Before), State> _starts = [];

    /// <param name="program">The steps.</param>
    /// <param name="classes">Classes that tell apart what the program's sets tell apart.</param>
    /// <param name="longest">Whether the longest match counts; else the one that the expression prefers.</param>
    public LazyAutomaton(PatternProgram program, RuneClasses classes, bool longest)
    {
        (_program, _classes, _longest) = (program, classes, longest);
        _inSet = [.. program.Sets.Select(s => Members(s, false))];
        _places = [.. program.Places.Select(p => (Members(p.Before, p.AtStart), Members(p.After, p.AtEnd)))];
    }

    private int End => _classes.Count;

    /// <summary>Where a search begins: at the step <paramref name="start"/>, behind a code point of a class (or the start of the text).</summary>
    public State Begin(int start, int before)
    {
        before = _program.LooksBack ? before : End;
        lock (_lock)
        {
            if (!_starts.TryGetValue((start, before), out State? state))
            {
                _starts[(start, before)] = state = Known(new State(false, before, [start]));
            }
            return state;
        }
    }

    /// <summary>The state behind a code point of a class, or behind the end of the text. It tells whether a match ended before it.</summary>
    public State Next(State state, int next) => state.Next(next) ?? Build(state, next);

    private State Build(State state, int next)
    {
        lock (_lock)
        {
            HashSet<int> seen = [];
            List<int> alive = [];
            HashSet<int> listed = [];
            Stack<int> open = new();
            bool matched = false;
            foreach (int start in state.Steps)
            {
                open.Push(start);
                while (!(matched && !_longest) && open.TryPop(out int at))
                {
                    if (!seen.Add(at))
                    {
                        continue;
                    }
                    PatternStep step = _program.Steps[at];
                    switch (step.Op)
                    {
                        case PatternOp.Split:
                            open.Push(step.Second);
                            open.Push(step.First);
                            break;
                        case PatternOp.Place when _places[step.First].Before[state.Before] && _places[step.First].After[next]:
                            open.Push(at + 1);
                            break;
                        case PatternOp.OneOf when _inSet[step.First][next] && listed.Add(at + 1):
                            alive.Add(at + 1);
                            break;
                        case PatternOp.Match:
                            matched = true; // what the expression prefers less is given up
                            break;
                    }
                }
                open.Clear();
            }
            State result = Known(new State(matched, _program.LooksBack ? next : End, next == End ? [] : [.. alive]));
            state.SetNext(next, result, End + 1);
            return result;
        }
    }

    private State Known(State state)
    {
        if (_states.TryGetValue(state, out State? known))
        {
            return known;
        }
        if (_states.Count >= MaxStates / Math.Max(1, End / 100))
        {
            _states.Clear();
            _starts.Clear();
        }
        _states[state] = state;
        return state;
    }

    private bool[] Members(RuneSet set, bool end) => [.. Enumerable.Range(0, _classes.Count).Select(c => set.Contains(_classes.Member(c))), end];

    /// <summary>A state; equal states are one object.</summary>
    internal sealed class State(bool matched, int before, int[] steps) : IEquatable<State>
    {
        private State?[]? _next;

        /// <summary>Whether a match ended before the character that led here.</summary>
        public bool Matched => matched;

        /// <summary>The class of the character that led here, where a place asks for it.</summary>
        public int Before => before;

        /// <summary>What is alive, the preferred first.</summary>
        public int[] Steps => steps;

        public bool IsDead => steps.Length == 0;

        public State? Next(int next) => _next?[next];

        public void SetNext(int next, State state, int count) => (_next ??= new State?[count])[next] = state;

        public bool Equals(State? other) => other is not null && matched == other.Matched && before == other.Before && steps.AsSpan().SequenceEqual(other.Steps);

        public override bool Equals(object? obj) => Equals(obj as State);

        public override int GetHashCode()
        {
            HashCode hash = new();
            hash.Add(matched);
            hash.Add(before);
            foreach (int step in steps)
            {
                hash.Add(step);
            }
            return hash.ToHashCode();
        }
    }
}
