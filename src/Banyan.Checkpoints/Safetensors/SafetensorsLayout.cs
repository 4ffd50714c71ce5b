using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Banyan.Checkpoints;

/// <summary>Where the reference library puts each tensor: widest type first, then by name (as UTF-8); the header is padded to 8 bytes.</summary>
/// <remarks>Its metadata come in the order of a hash table; here they keep the order that they are given in.</remarks>
internal sealed class SafetensorsLayout
{
    public SafetensorsLayout(IEnumerable<TensorEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        List<TensorEntry> ordered = [.. tensors];
        Check(ordered);
        ordered.Sort((a, b) => Rank(a) != Rank(b) ? Rank(b).CompareTo(Rank(a)) : CompareUtf8(a.Name, b.Name));
        Header = Encode(ordered, metadata);
        long offset = Header.Length;
        foreach (TensorEntry entry in ordered)
        {
            Entries.Add(new TensorEntry(entry.Name, entry.Type, entry.Shape) { Offset = offset });
            offset = checked(offset + entry.ByteCount);
        }
        FileLength = offset;
    }

    public List<TensorEntry> Entries { get; } = [];

    public byte[] Header { get; }

    public long FileLength { get; }

    private static int Rank(TensorEntry entry) => SafetensorsTypes.Rank(entry.Type);

    private static void Check(List<TensorEntry> entries)
    {
        var names = new HashSet<string>();
        foreach (TensorEntry entry in entries)
        {
            if (Rank(entry) < 0)
            {
                throw new ArgumentException($"{entry}: safetensors has no type {entry.Type}; it has {string.Join(", ", SafetensorsTypes.All)}");
            }
            if (entry.Name == "__metadata__" || !names.Add(entry.Name))
            {
                throw new ArgumentException($"{entry}: the name is taken");
            }
        }
    }

    private static byte[] Encode(List<TensorEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is not null)
        {
            json.Append("\"__metadata__\":{");
            string separator = "";
            foreach ((string key, string value) in metadata)
            {
                json.Append(separator);
                AppendText(json, key).Append(':');
                AppendText(json, value);
                separator = ",";
            }
            json.Append(entries.Count > 0 ? "}," : "}");
        }
        AppendEntries(json, entries);
        return Pad(json.Append('}').ToString());
    }

    private static void AppendEntries(StringBuilder json, List<TensorEntry> entries)
    {
        long begin = 0;
        foreach (TensorEntry entry in entries)
        {
            long end = checked(begin + entry.ByteCount);
            AppendText(ReferenceEquals(entry, entries[0]) ? json : json.Append(','), entry.Name)
                .Append(CultureInfo.InvariantCulture, $":{{\"dtype\":\"{entry.Type}\",\"shape\":[{string.Join(",", entry.Shape.ToArray())}],")
                .Append(CultureInfo.InvariantCulture, $"\"data_offsets\":[{begin},{end}]}}");
            begin = end;
        }
    }

    private static byte[] Pad(string json)
    {
        byte[] text = Encoding.UTF8.GetBytes(json);
        var header = new byte[8 + (text.Length + 7) / 8 * 8];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        text.CopyTo(header, 8);
        return header.Length - 8 <= SafetensorsHeader.MaxHeaderBytes
            ? header
            : throw new ArgumentException($"the header would have {header.Length - 8} bytes; the format allows {SafetensorsHeader.MaxHeaderBytes}");
    }

    // System.Text.Json would write letters beyond the basic plane as escapes; the reference library writes them as they are.
    private static StringBuilder AppendText(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }
        return json.Append('"');
    }

    private static int CompareUtf8(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
