namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>A regular expression as a tree.</summary>
internal abstract record PatternNode;

/// <summary>One code point of a set.</summary>
internal sealed record OneOf(RuneSet Set) : PatternNode;

/// <summary>One after the other; nothing where there are none.</summary>
internal sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

/// <summary>The first that leads to a match.</summary>
internal sealed record Choice(IReadOnlyList<PatternNode> Options) : PatternNode;

/// <summary>Several times, as often as possible first (<see cref="IsLazy"/>: as seldom). <see cref="Max"/> null: without limit. <see cref="KeepsAll"/>: gives nothing back once it has matched.</summary>
internal sealed record Repeat(PatternNode Part, int Min, int? Max, bool IsLazy = false, bool KeepsAll = false) : PatternNode;

/// <summary>A place, told by the code points to both sides; the ends of the text count as <see cref="AtStart"/> and <see cref="AtEnd"/> say.</summary>
internal sealed record Place(RuneSet Before, bool AtStart, RuneSet After, bool AtEnd) : PatternNode;
