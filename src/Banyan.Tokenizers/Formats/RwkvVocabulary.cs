using System.Globalization;
using System.Text;
using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Pipeline;

namespace Banyan.Tokenizers.Formats;

/// <summary>RWKV's vocabulary: in each line an id, a Python literal of text or bytes, and the number of bytes. Literals are read, never evaluated.</summary>
internal static class RwkvVocabulary
{
    /// <summary>Whether a text file looks like one: its first line is an id, a quoted literal and a number.</summary>
    public static bool LooksLike(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> line = bytes[..(bytes.IndexOf((byte)'\n') is >= 0 and int end ? end : bytes.Length)];
        int space = line.IndexOf((byte)' ');
        return space > 0 && line[..space].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0 && line.Length > space + 2 && line[(space + 1)..].TrimStart("b"u8) is [(byte)'\'' or (byte)'"', ..];
    }

    public static TokenizerParts Read(byte[] bytes, string file)
    {
        string[] lines = System.Text.Encoding.UTF8.GetString(bytes).Split('\n');
        List<(int, byte[])> tokens = [];
        HashSet<int> ids = [];
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimEnd('\r') is not { Length: > 0 } line)
            {
                continue;
            }
            try
            {
                (int id, byte[] token) = ReadLine(line);
                tokens.Add(ids.Add(id) ? (id, token) : throw new FormatException($"the id {id} is taken"));
            }
            catch (FormatException e)
            {
                throw new TokenizerFormatException(file, $"line {i + 1}", e.Message, e);
            }
        }
        return tokens.Count > 0 ? new(new ByteTrie(tokens), null) { Decoder = new ByteLevelDecoder() } : throw new TokenizerFormatException(file, "", "has no tokens");
    }

    /// <summary>One line. Throws <see cref="FormatException"/> where it is none.</summary>
    public static (int Id, byte[] Token) ReadLine(string line)
    {
        int first = line.IndexOf(' ', StringComparison.Ordinal), last = line.LastIndexOf(' ');
        if (first <= 0 || last <= first)
        {
            throw new FormatException("expected an id, a literal and a number of bytes");
        }
        int id = Number(line.AsSpan(0, first)), length = Number(line.AsSpan(last + 1));
        byte[] token = Literal(line.AsSpan(first + 1, last - first - 1));
        return token.Length == length && length > 0 ? (id, token) : throw new FormatException($"the literal has {token.Length} bytes, expected {length}, and at least one");
    }

    private static int Number(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new FormatException($"found \"{digits}\", expected a whole number");

    private static byte[] Literal(ReadOnlySpan<char> text)
    {
        bool isBytes = text is ['b', ..];
        ReadOnlySpan<char> quoted = isBytes ? text[1..] : text;
        if (quoted.Length < 2 || quoted[0] is not ('\'' or '"') || quoted[^1] != quoted[0])
        {
            throw new FormatException("expected a literal in quotes");
        }
        char quote = quoted[0];
        ReadOnlySpan<char> inner = quoted[1..^1];
        using MemoryStream bytes = new();
        StringBuilder run = new();
        for (int i = 0; i < inner.Length; i++)
        {
            char c = inner[i];
            if (c == quote || (isBytes && c >= 0x80))
            {
                throw new FormatException(c == quote ? "a quote inside the literal" : $"the character {c} in a literal of bytes");
            }
            if (c != '\\')
            {
                run.Append(c);
                continue;
            }
            int code = Escape(inner, ref i, isBytes);
            if (isBytes)
            {
                Flush(run, bytes);
                bytes.WriteByte((byte)code);
            }
            else
            {
                run.Append(System.Text.Rune.IsValid(code) ? char.ConvertFromUtf32(code) : throw new FormatException($"\\u{code:x4} is half a character"));
            }
        }
        Flush(run, bytes);
        return bytes.ToArray();
    }

    private static void Flush(StringBuilder run, MemoryStream bytes)
    {
        bytes.Write(System.Text.Encoding.UTF8.GetBytes(run.ToString()));
        run.Clear();
    }

    // The code of the escape at the backslash; leaves the place at its last character.
    private static int Escape(ReadOnlySpan<char> text, ref int at, bool isBytes)
    {
        char c = ++at < text.Length ? text[at] : throw new FormatException("a backslash at the end");
        int digits = c switch { 'x' => 2, 'u' when !isBytes => 4, 'U' when !isBytes => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + digits >= text.Length || !int.TryParse(text.Slice(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code))
            {
                throw new FormatException($"\\{c} without {digits} hexadecimal digits");
            }
            at += digits;
            return code;
        }
        return c switch
        {
            'n' => '\n', 't' => '\t', 'r' => '\r', 'a' => '\a', 'b' => '\b', 'f' => '\f', 'v' => '\v', '0' => 0, '\\' or '\'' or '"' => c,
            _ => throw new FormatException($"the escape \\{c} is unknown"),
        };
    }
}
