using System.Buffers;
using System.Text;

namespace Banyan.Data.Readers;

/// <summary>One column of a CSV file (RFC 4180): a header line, fields in double quotes where they hold commas, quotes ("") or line breaks.</summary>
internal sealed class CsvTexts(ByteRecords lines, string column, Utf8Text utf8)
{
    private readonly ArrayBufferWriter<byte> _joined = new();
    private readonly List<string> _fields = [];
    private readonly StringBuilder _field = new();

    public IEnumerable<string> Read()
    {
        if (!MoveNext())
        {
            yield break;
        }
        int columns = _fields.Count, at = _fields.IndexOf(column);
        if (at < 0)
        {
            throw lines.Error($"no column \"{column}\" among \"{string.Join("\", \"", _fields.Take(20))}\": " +
                $"choose the column of the text by {nameof(DocumentReaderOptions.TextKey)}");
        }
        while (MoveNext())
        {
            yield return _fields.Count == columns ? _fields[at]
                : throw lines.Error($"{_fields.Count} fields, expected {columns} as in the header");
        }
    }

    /// <summary>Parses the next record into the fields; blank lines between records are skipped.</summary>
    private bool MoveNext()
    {
        while (lines.MoveNext())
        {
            if (lines.Current is not ([] or [(byte)'\r']))
            {
                Parse(utf8.Decode(Join(), lines));
                return true;
            }
        }
        return false;
    }

    // A line break inside quotes belongs to the field: lines are joined until the quotes are even.
    private ReadOnlySpan<byte> Join()
    {
        if (lines.Current.Count((byte)'"') % 2 == 0)
        {
            return lines.Current;
        }
        _joined.ResetWrittenCount();
        _joined.Write(lines.Current);
        long first = lines.Number;
        do
        {
            if (!lines.MoveNext())
            {
                throw lines.Error($"the file ends inside a quoted field that began on line {first}: a quote is missing, or one too many");
            }
            lines.CheckLength(_joined.WrittenCount + lines.Current.Length);
            _joined.Write("\n"u8);
            _joined.Write(lines.Current);
        }
        while (lines.Current.Count((byte)'"') % 2 == 0);
        return _joined.WrittenSpan;
    }

    private void Parse(string record)
    {
        _fields.Clear();
        ReadOnlySpan<char> rest = record.EndsWith('\r') ? record.AsSpan(0, record.Length - 1) : record;
        while (true)
        {
            rest = rest is ['"', ..] ? Quoted(rest[1..]) : Unquoted(rest);
            if (rest.IsEmpty)
            {
                return;
            }
            if (rest[0] != ',')
            {
                throw lines.Error($"'{rest[0]}' behind a closing quote, expected a comma: write a quote inside a field as \"\"");
            }
            rest = rest[1..];
        }
    }

    private ReadOnlySpan<char> Unquoted(ReadOnlySpan<char> rest)
    {
        int end = rest.IndexOf(',');
        ReadOnlySpan<char> field = end < 0 ? rest : rest[..end];
        if (field.Contains('"'))
        {
            throw lines.Error("a quote inside an unquoted field: enclose the field in quotes and double those inside");
        }
        _fields.Add(field.ToString());
        return rest[field.Length..];
    }

    private ReadOnlySpan<char> Quoted(ReadOnlySpan<char> rest)
    {
        _field.Clear();
        while (true)
        {
            int quote = rest.IndexOf('"');
            if (quote < 0)
            {
                throw lines.Error("a quoted field does not end");
            }
            _field.Append(rest[..quote]);
            rest = rest[(quote + 1)..];
            if (rest is not ['"', ..])
            {
                _fields.Add(_field.ToString());
                return rest;
            }
            _field.Append('"');
            rest = rest[1..];
        }
    }
}
