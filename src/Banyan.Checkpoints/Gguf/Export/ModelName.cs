using System.Globalization;
using System.Text.RegularExpressions;

namespace Banyan.Checkpoints.Gguf;

/// <summary>What the customary name of a model says: <c>Llama-3.2-1B-Instruct</c> is version 3.2 of Llama, of a size of 1B, tuned to follow instructions.</summary>
/// <param name="Full">The name without the organization.</param>
/// <param name="Organization">What stands before a slash.</param>
/// <param name="Basename">The family.</param>
/// <param name="Finetune">What it was tuned for.</param>
/// <param name="Version">The version, where it is not a part of the family's name.</param>
/// <param name="SizeLabel">The size.</param>
internal sealed partial record ModelName(string Full, string? Organization = null, string? Basename = null, string? Finetune = null, string? Version = null, string? SizeLabel = null)
{
    [Flags]
    private enum Part
    {
        None = 0,
        Version = 1,
        Type = 2,
        Size = 4,
        Finetune = 8,
        Base = 16,
    }

    /// <summary>The name for people: words begin with capitals, hyphens are spaces.</summary>
    public static string Title(string name) => string.Join(' ', name.Replace('-', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(w => w.Any(char.IsLower) && !w.Any(char.IsUpper) && !NumberOrVersion().IsMatch(w) ? Capitalized(w) : w));

    /// <summary>Takes a name apart.</summary>
    /// <param name="id">The name of a folder or of a repository, perhaps with its organization.</param>
    /// <param name="parameters">How many parameters the model has, which tells a size from a context length; 0: unknown.</param>
    public static ModelName Parse(string id, long parameters)
    {
        if (id.Contains(' ', StringComparison.Ordinal))
        {
            return new(id); // a name for people
        }
        int slash = id.IndexOf('/', StringComparison.Ordinal);
        string full = id[(slash + 1)..];
        string? organization = slash > 0 && id[0] != '.' ? id[..slash] : null;
        (string Text, Part Kind)[] parts = [.. full.Split('-', StringSplitOptions.RemoveEmptyEntries).Select((text, i) => Recognize(text, i == 0, parameters))];
        DropWordsBesideNumbers(parts);
        MarkBase(parts);
        string? Join(Func<Part, bool> takes, bool distinct = false)
        {
            IEnumerable<string> texts = parts.Where(p => takes(p.Kind)).Select(p => p.Text);
            return string.Join('-', distinct ? texts.Distinct() : texts) is { Length: > 0 } joined ? joined : null;
        }
        string? size = Join(k => k.HasFlag(Part.Size), distinct: true), finetune = Join(k => k.HasFlag(Part.Finetune)), version = Join(k => k.HasFlag(Part.Version) && !k.HasFlag(Part.Base));
        string? basename = size is null && finetune is null && version is null ? null : Join(k => k.HasFlag(Part.Base)); // a bare word says too little
        return new(full, organization, basename, finetune, version, size);
    }

    private static (string Text, Part Kind) Recognize(string text, bool isFirst, long parameters)
    {
        if (VersionPart().IsMatch(text))
        {
            return (text, Part.Version);
        }
        if (TypePart().IsMatch(text))
        {
            return (text.ToUpperInvariant(), Part.Type);
        }
        if (!isFirst && SizePart().IsMatch(text))
        {
            return Size(text.Replace('_', '.'), parameters);
        }
        return (text, !isFirst && TuningPart().IsMatch(text) ? Part.Finetune : Part.None);
    }

    private static (string Text, Part Kind) Size(string text, long parameters)
    {
        if (char.IsAsciiDigit(text[^1]))
        {
            text = $"{text[..^2]}.{text[^1]}{text[^2]}"; // 7b1 is 7.1b
        }
        if (text.Length > 1 && char.IsAsciiDigit(text[^2]) && "kmbt".Contains(text[^1], StringComparison.Ordinal))
        {
            text = text[..^1] + char.ToUpperInvariant(text[^1]);
        }
        if (parameters != 0 && double.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && " KMBT".IndexOf(text[^1], StringComparison.Ordinal) is >= 0 and int power)
        {
            // Far from the true size it is a context length.
            if (Math.Abs((number * Math.Pow(1000, power)) - parameters) > 7 * parameters / 8)
            {
                return (text[..^1] + char.ToLowerInvariant(text[^1]), Part.Finetune);
            }
        }
        return (text, Part.Size);
    }

    // "mini" is no size where a number is there too.
    private static void DropWordsBesideNumbers((string Text, Part Kind)[] parts)
    {
        if (!parts.Any(p => p.Kind.HasFlag(Part.Size) && p.Text.Any(char.IsAsciiDigit)))
        {
            return;
        }
        foreach (ref (string Text, Part Kind) part in parts.AsSpan())
        {
            part.Kind = part.Kind.HasFlag(Part.Size) && part.Text.All(char.IsLetter) ? part.Kind & ~Part.Size : part.Kind;
        }
    }

    // Words and versions at the beginning are the family; versions at its end are the version of the model. Other words tell what it was tuned for.
    private static void MarkBase((string Text, Part Kind)[] parts)
    {
        bool atStart = true;
        foreach (ref (string Text, Part Kind) part in parts.AsSpan())
        {
            atStart &= part.Kind.HasFlag(Part.Version) || (part.Kind == Part.None && char.IsLetter(part.Text[0]));
            part.Kind |= atStart ? Part.Base : part.Kind == Part.None ? Part.Finetune : Part.None;
        }
        for (int i = parts.Length - 1; i >= 0 && parts[i].Kind.HasFlag(Part.Base) && parts[i].Kind != Part.Base; i--)
        {
            parts[i].Kind &= ~Part.Base;
        }
    }

    // A letter behind something that is none is a capital.
    private static string Capitalized(string word) => string.Concat(word.Select((c, i) => i == 0 || !char.IsLetter(word[i - 1]) ? char.ToUpperInvariant(c) : c));

    [GeneratedRegex(@"^(v\d+(\.\d+)*|\d.*)$")]
    private static partial Regex NumberOrVersion();

    [GeneratedRegex(@"^(v|iter)?\d+(\.\d+)*$", RegexOptions.IgnoreCase)]
    private static partial Regex VersionPart();

    [GeneratedRegex(@"^(i?q\d(_\w)*|b?fp?(16|32))$", RegexOptions.IgnoreCase)]
    private static partial Regex TypePart();

    [GeneratedRegex(@"^((A|\d+x)?\d+([._]\d+)?[KMBT]\d?|small|mini|medium|large|x?xl)$", RegexOptions.IgnoreCase)]
    private static partial Regex SizePart();

    [GeneratedRegex("^(chat|instruct|vision|lora)$", RegexOptions.IgnoreCase)]
    private static partial Regex TuningPart();
}
