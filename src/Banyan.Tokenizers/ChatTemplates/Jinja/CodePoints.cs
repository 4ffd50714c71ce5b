using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Texts by code points, as Python counts them.</summary>
internal static class CodePoints
{
    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');

    public static int Count(string text) => IsPlain(text) ? text.Length : Split(text).Length;

    public static string[] Split(string text) => [.. text.EnumerateRunes().Select(r => r.ToString())];

    public static IEnumerable<object?> Each(string text) => text.EnumerateRunes().Select(r => (object?)r.ToString());

    /// <summary>One code point by a non-negative index.</summary>
    public static string At(string text, int index) => IsPlain(text) ? text[index].ToString() : Split(text)[index];

    /// <summary>The UTF-16 index of a code point.</summary>
    public static int Offset(string text, int codePoints)
    {
        if (IsPlain(text))
        {
            return Math.Min(codePoints, text.Length);
        }
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (codePoints-- <= 0)
            {
                break;
            }
            at += rune.Utf16SequenceLength;
        }
        return at;
    }

    /// <summary>The indices that a slice takes from a sequence.</summary>
    public static IEnumerable<int> Slice(BigInteger? start, BigInteger? stop, BigInteger? step, int length)
    {
        BigInteger by = step ?? 1;
        if (by.IsZero)
        {
            throw Operators.Error("slice step cannot be zero");
        }
        (BigInteger low, BigInteger high) = by > 0 ? (0, length) : (-1, length - 1);
        BigInteger first = Bound(start, by > 0 ? low : high, low, high, length), end = Bound(stop, by > 0 ? high : low, low, high, length);
        for (BigInteger i = first; by > 0 ? i < end : i > end; i += by)
        {
            yield return (int)i;
        }
    }

    private static BigInteger Bound(BigInteger? index, BigInteger absent, BigInteger low, BigInteger high, int length) =>
        index is not { } i ? absent : BigInteger.Clamp(i < 0 ? i + length : i, low, high);
}
