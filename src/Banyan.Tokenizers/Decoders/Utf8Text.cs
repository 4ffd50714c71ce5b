using System.Runtime.InteropServices;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Bytes to text; what is not UTF-8 becomes U+FFFD, one for each maximal part of a character (Unicode 3.9, as in the WHATWG standard).</summary>
internal static class Utf8Text
{
    private static readonly System.Text.UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    public static string Decode(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    /// <summary>Appends a text as UTF-8.</summary>
    public static void Append(string text, List<byte> utf8)
    {
        int start = utf8.Count;
        CollectionsMarshal.SetCount(utf8, start + System.Text.Encoding.UTF8.GetByteCount(text));
        System.Text.Encoding.UTF8.GetBytes(text, CollectionsMarshal.AsSpan(utf8)[start..]);
    }

    public static string? DecodeOrNull(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return null;
        }
        return s_strict.GetString(bytes);
    }
}
