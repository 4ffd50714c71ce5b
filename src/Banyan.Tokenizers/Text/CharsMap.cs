using System.Buffers.Binary;

namespace Banyan.Tokenizers.Text;

/// <summary>
/// The character map of a SentencePiece model: a double-array trie (Darts) over UTF-8 whose values point at zero-terminated
/// replacements. Layout: uint32 size of the trie in bytes, the trie's uint32 units, the replacements.
/// </summary>
internal sealed class CharsMap
{
    private readonly uint[] _units;
    private readonly byte[] _strings;

    private CharsMap(uint[] units, byte[] strings) => (_units, _strings) = (units, strings);

    /// <exception cref="InvalidDataException">The blob is not what it must be.</exception>
    public static CharsMap Parse(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 4)
        {
            throw new InvalidDataException($"the character map has {blob.Length} bytes, expected at least 4");
        }
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (size == 0 || size % 1024 != 0 || size >= blob.Length - 4 || blob[^1] != 0)
        {
            throw new InvalidDataException(
                $"the character map's trie has {size} bytes of {blob.Length - 4}, expected a multiple of 1024 and behind it zero-terminated strings");
        }
        uint[] units = new uint[size / 4];
        for (int i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + (4 * i))..]);
            if (units[i] >> 31 != 0 && (units[i] & 0x7FFFFFFF) >= blob.Length - 4 - size)
            {
                throw new InvalidDataException($"unit {i} of the character map's trie points behind its strings");
            }
        }
        return new(units, blob[(4 + (int)size)..].ToArray());
    }

    /// <summary>The replacement of the shortest prefix that the map knows, or null.</summary>
    public string? Shortest(ReadOnlySpan<char> text) => Find(text, longest: false, out _);

    /// <summary>The replacement of the longest prefix that the map knows and its length in UTF-16 units, or null.</summary>
    public string? Longest(ReadOnlySpan<char> text, out int length) => Find(text, longest: true, out length);

    private string? Find(ReadOnlySpan<char> text, bool longest, out int length)
    {
        Span<byte> utf8 = stackalloc byte[4];
        string? found = null;
        length = 0;
        uint node = 0;
        for (int i = 0; i < text.Length;)
        {
            i += Runes.Decode(text, i, out int rune);
            int count = new System.Text.Rune(rune).EncodeToUtf8(utf8);
            foreach (byte b in utf8[..count])
            {
                if (!TryStep(ref node, b))
                {
                    return found;
                }
            }
            if (TryValue(node, out string? value))
            {
                (found, length) = (value, i);
                if (!longest)
                {
                    return found;
                }
            }
        }
        return found;
    }

    // A unit: bit 31 = leaf, bits 10.. = offset (shifted by 8 more where bit 9 is set), bit 8 = has a leaf child, bits 0-7 = label.
    private bool TryStep(ref uint node, byte label)
    {
        uint unit = _units[node];
        uint next = node ^ Offset(unit) ^ label;
        if (next >= _units.Length || (_units[next] & 0x800000FF) != label)
        {
            return false;
        }
        node = next;
        return true;
    }

    private bool TryValue(uint node, out string? value)
    {
        uint unit = _units[node];
        uint leaf = node ^ Offset(unit);
        value = null;
        if ((unit & 0x100) == 0 || leaf >= _units.Length)
        {
            return false;
        }
        uint at = _units[leaf] & 0x7FFFFFFF;
        if (at >= _strings.Length)
        {
            return false;
        }
        ReadOnlySpan<byte> rest = _strings.AsSpan((int)at);
        int end = rest.IndexOf((byte)0);
        value = System.Text.Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
        return true;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
