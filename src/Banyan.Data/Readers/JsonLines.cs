using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Banyan.Data.Readers;

/// <summary>One JSON object per line; blank lines are skipped. Of a key that comes twice the last value counts.</summary>
internal sealed class JsonLines(ByteRecords lines, string key, Utf8Text utf8)
{
    public IEnumerable<string> Read()
    {
        while (lines.MoveNext())
        {
            if (lines.Current.ContainsAnyExcept(" \t\r"u8))
            {
                yield return Text(lines.Current);
            }
        }
    }

    private string Text(ReadOnlySpan<byte> line)
    {
        if (!Utf8.IsValid(line))
        {
            line = Encoding.UTF8.GetBytes(utf8.Decode(line, lines));
        }
        try
        {
            return Parse(line);
        }
        catch (JsonException e)
        {
            throw lines.Error($"not a JSON object: {e.Message}", e);
        }
    }

    private string Parse(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw lines.Error($"found {reader.TokenType}, expected a JSON object with the key \"{key}\"");
        }
        string? text = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isKey = reader.ValueIsEscaped ? String(ref reader) == key : reader.ValueTextEquals(key);
            reader.Read();
            text = isKey ? StringValue(ref reader) : text;
            reader.Skip();
        }
        reader.Read(); // refuses what follows the object
        return text ?? throw lines.Error($"no key \"{key}\": choose the key of the text by {nameof(DocumentReaderOptions.TextKey)}");
    }

    private string StringValue(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String
        ? String(ref reader)
        : throw lines.Error($"\"{key}\" is {reader.TokenType}, expected a string");

    private string String(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException) // an unpaired surrogate, which JSON's grammar allows and UTF-8 does not
        {
            return ReplaceUnpaired(Unescape(Encoding.UTF8.GetString(reader.ValueSpan)));
        }
    }

    private static char[] Unescape(string s)
    {
        var chars = new List<char>(s.Length);
        for (int i = 0; i < s.Length; i++)
        {
            if (s[i] != '\\')
            {
                chars.Add(s[i]);
                continue;
            }
            char c = s[++i];
            chars.Add(c switch
            {
                'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f',
                'u' => (char)ushort.Parse(s.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                _ => c,
            });
            i += c == 'u' ? 4 : 0;
        }
        return [.. chars];
    }

    private string ReplaceUnpaired(char[] chars)
    {
        for (int i = 0; i < chars.Length; i++)
        {
            if (i + 1 < chars.Length && char.IsSurrogatePair(chars[i], chars[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(chars[i]))
            {
                utf8.Replace($"unpaired surrogate \\u{(int)chars[i]:x4}", lines);
                chars[i] = '\uFFFD';
            }
        }
        return new string(chars);
    }
}
