namespace Banyan.Tokenizers.Models;

/// <summary>
/// GPT-2's alphabet: each byte is one printable character, so that tokens of arbitrary bytes can be written as text.
/// Printable Latin-1 stands for itself, the other 68 bytes follow from U+0100.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_chars = Build();
    private static readonly short[] s_bytes = Invert();

    public static ReadOnlySpan<char> Chars => s_chars;

    public static char CharOf(byte value) => s_chars[value];

    /// <summary>The byte of a character, or -1.</summary>
    public static int ByteOf(char c) => c < s_bytes.Length ? s_bytes[c] : -1;

    /// <summary>Bytes as characters of the alphabet.</summary>
    public static string Write(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, (chars, source) =>
    {
        for (int i = 0; i < chars.Length; i++)
        {
            chars[i] = s_chars[source[i]];
        }
    });

    private static char[] Build()
    {
        char[] chars = new char[256];
        int next = 0x100;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[b] = (char)(printable ? b : next++);
        }
        return chars;
    }

    private static short[] Invert()
    {
        short[] bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        for (int b = 0; b < 256; b++)
        {
            bytes[s_chars[b]] = (short)b;
        }
        return bytes;
    }
}
