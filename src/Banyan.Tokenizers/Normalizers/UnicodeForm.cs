using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>NFC, NFD, NFKC and NFKD (Unicode Standard Annex 15), keeping alignments.</summary>
internal sealed class UnicodeForm(bool compatible, bool compose) : Normalizer
{
    private readonly record struct Mark(int Rune, int Change, int Class);

    public override string Type => (compatible, compose) switch
    {
        (false, true) => "NFC",
        (false, false) => "NFD",
        (true, true) => "NFKC",
        _ => "NFKD",
    };

    public override AlignedText Normalize(AlignedText text) => IsUnchanged(text.Span) ? text : Run(text);

    /// <summary>Below U+0300 every text is NFC already; below U+0080 it is every form.</summary>
    public override bool IsUnchanged(ReadOnlySpan<char> text) =>
        !text.ContainsAnyExceptInRange('\0', compose && !compatible ? '\u02FF' : '\u007F');

    protected override void WriteFields(Utf8JsonWriter writer)
    {
    }

    private AlignedText Run(AlignedText text)
    {
        List<Mark> marks = Decompose(text.Span);
        Reorder(marks);
        Rewriter writer = new(text);
        if (compose)
        {
            Compose(marks, ref writer);
        }
        else
        {
            foreach (Mark m in marks)
            {
                writer.Write(m.Rune, m.Change);
            }
        }
        return writer.Output;
    }

    private List<Mark> Decompose(ReadOnlySpan<char> text)
    {
        NormalizationData data = NormalizationData.Shared;
        List<Mark> marks = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            i += Runes.Decode(text, i, out int rune);
            if (rune is >= 0xAC00 and < 0xD7A4)
            {
                DecomposeHangul(rune - 0xAC00, marks);
                continue;
            }
            int[]? parts = data.Decompose(rune, compatible);
            if (parts is null)
            {
                marks.Add(new(rune, 0, data.ClassOf(rune)));
                continue;
            }
            for (int k = 0; k < parts.Length; k++)
            {
                marks.Add(new(parts[k], k == 0 ? 0 : 1, data.ClassOf(parts[k])));
            }
        }
        return marks;
    }

    private static void DecomposeHangul(int index, List<Mark> marks)
    {
        marks.Add(new(0x1100 + (index / 588), 0, 0));
        marks.Add(new(0x1161 + (index % 588 / 28), 1, 0));
        if (index % 28 != 0)
        {
            marks.Add(new(0x11A7 + (index % 28), 1, 0));
        }
    }

    /// <summary>Stable sort of each run of combining marks by class.</summary>
    private static void Reorder(List<Mark> marks)
    {
        for (int i = 0; i < marks.Count; i++)
        {
            if (marks[i].Class == 0)
            {
                continue;
            }
            int end = i;
            while (end < marks.Count && marks[end].Class != 0)
            {
                end++;
            }
            Mark[] run = [.. marks.GetRange(i, end - i).OrderBy(m => m.Class)];
            for (int k = 0; k < run.Length; k++)
            {
                marks[i + k] = run[k];
            }
            i = end;
        }
    }

    /// <summary>Canonical composition: a mark joins the last starter unless one of its class or higher stands between.</summary>
    private static void Compose(List<Mark> marks, ref Rewriter writer)
    {
        NormalizationData data = NormalizationData.Shared;
        List<Mark> pending = [];
        Mark? starter = null;
        int lastClass = -1;
        foreach (Mark m in marks)
        {
            if (starter is { } s)
            {
                int composite = lastClass < m.Class || lastClass == -1 ? data.Compose(s.Rune, m.Rune) : -1;
                if (composite >= 0)
                {
                    starter = new(composite, s.Change + m.Change - 1, 0);
                    continue;
                }
            }
            if (m.Class == 0)
            {
                Flush(ref starter, pending, ref writer);
                (starter, lastClass) = (m, -1);
                continue;
            }
            if (starter is null)
            {
                writer.Write(m.Rune, m.Change);
                continue;
            }
            pending.Add(m);
            lastClass = m.Class;
        }
        Flush(ref starter, pending, ref writer);
    }

    private static void Flush(ref Mark? starter, List<Mark> pending, ref Rewriter writer)
    {
        if (starter is { } s)
        {
            writer.Write(s.Rune, s.Change);
        }
        foreach (Mark m in pending)
        {
            writer.Write(m.Rune, m.Change);
        }
        pending.Clear();
        starter = null;
    }
}
