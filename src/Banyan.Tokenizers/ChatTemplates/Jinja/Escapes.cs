using System.Globalization;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The escapes of a text literal: Python's, and an unknown one keeps its backslash.</summary>
internal static class Escapes
{
    private const string Simple = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";

    // .NET has no table of names; these are the marks that people write by name.
    private static readonly (string Name, int Value)[] s_names =
    [
        ("NO-BREAK SPACE", 0xA0), ("SECTION SIGN", 0xA7), ("COPYRIGHT SIGN", 0xA9), ("DEGREE SIGN", 0xB0), ("MIDDLE DOT", 0xB7),
        ("ZERO WIDTH SPACE", 0x200B), ("ZERO WIDTH JOINER", 0x200D), ("EN DASH", 0x2013), ("EM DASH", 0x2014),
        ("LEFT SINGLE QUOTATION MARK", 0x2018), ("RIGHT SINGLE QUOTATION MARK", 0x2019), ("LEFT DOUBLE QUOTATION MARK", 0x201C),
        ("RIGHT DOUBLE QUOTATION MARK", 0x201D), ("BULLET", 0x2022), ("HORIZONTAL ELLIPSIS", 0x2026), ("EURO SIGN", 0x20AC),
        ("LEFTWARDS ARROW", 0x2190), ("RIGHTWARDS ARROW", 0x2192), ("CHECK MARK", 0x2713), ("BLACK SQUARE", 0x25A0),
    ];

    /// <summary>The text between the quotes.</summary>
    public static string Decode(ReadOnlySpan<char> source, int position)
    {
        if (!source.Contains('\\'))
        {
            return source.ToString();
        }
        var text = new StringBuilder(source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            if (source[i] != '\\' || i + 1 == source.Length)
            {
                text.Append(source[i]);
                continue;
            }
            i += One(source[(i + 1)..], text, position);
        }
        return text.ToString();
    }

    // Appends what the escape means; returns its length without the backslash.
    private static int One(ReadOnlySpan<char> s, StringBuilder text, int position)
    {
        char c = s[0];
        if (c == '\n')
        {
            return 1;
        }
        for (int i = 0; i < Simple.Length; i += 2)
        {
            if (Simple[i] == c)
            {
                text.Append(Simple[i + 1]);
                return 1;
            }
        }
        switch (c)
        {
            case 'x': return Hex(s, 2, text, position);
            case 'u': return Hex(s, 4, text, position);
            case 'U': return Hex(s, 8, text, position);
            case 'N': return Named(s, text, position);
            case >= '0' and <= '7': return Octal(s, text);
        }
        text.Append('\\');
        if (c < 128)
        {
            text.Append(c);
            return 1;
        }
        // Python first writes what is not ASCII as an escape, whose backslash this one then takes.
        Rune.DecodeFromUtf16(s, out Rune rune, out int length);
        int value = rune.Value;
        text.Append(value < 0x100 ? $"x{value:x2}" : value < 0x10000 ? $"u{value:x4}" : $"U{value:x8}");
        return length;
    }

    private static int Hex(ReadOnlySpan<char> s, int digits, StringBuilder text, int position)
    {
        if (s.Length <= digits || !uint.TryParse(s.Slice(1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) || value > 0x10FFFF)
        {
            throw new JinjaSyntaxError($"the escape \\{s[0]} needs {digits} hexadecimal digits of a character", position);
        }
        text.Append(value > 0xFFFF ? char.ConvertFromUtf32((int)value) : ((char)value).ToString());
        return digits + 1;
    }

    private static int Named(ReadOnlySpan<char> s, StringBuilder text, int position)
    {
        int end = s.IndexOf('}');
        string name = s.Length > 1 && s[1] == '{' && end > 0 ? s[2..end].ToString().ToUpperInvariant() : "";
        int value = Array.Find(s_names, n => n.Name == name).Value;
        if (value == 0)
        {
            throw new JinjaSyntaxError($"the character name '{name}' is not one of those known here ({string.Join(", ", s_names.Select(n => n.Name))})", position);
        }
        text.Append((char)value);
        return end + 1;
    }

    private static int Octal(ReadOnlySpan<char> s, StringBuilder text)
    {
        int value = 0, length = 0;
        while (length < 3 && length < s.Length && s[length] is >= '0' and <= '7')
        {
            value = 8 * value + s[length++] - '0';
        }
        text.Append((char)value);
        return length;
    }
}
