using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Banyan.Data.Readers;

/// <summary>Decodes UTF-8: strictly, or with U+FFFD for each invalid sequence (a maximal subpart, as Unicode recommends), which it counts.</summary>
internal sealed class Utf8Text(bool strict)
{
    public long Replaced { get; private set; }

    public string Decode(ReadOnlySpan<byte> bytes, ByteRecords where)
    {
        if (!Utf8.IsValid(bytes))
        {
            CountInvalid(bytes, where);
        }
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Counts something outside UTF-8 that a reader replaces by U+FFFD, or refuses it.</summary>
    public void Replace(string what, ByteRecords where) =>
        Replaced += strict ? throw where.Error($"{what}; not allowed while {nameof(DocumentReaderOptions.Strict)} is set") : 1;

    private void CountInvalid(ReadOnlySpan<byte> bytes, ByteRecords where)
    {
        for (int at = 0; at < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes[at..], out _, out int length) != OperationStatus.Done)
            {
                Replace($"invalid UTF-8 at byte {at}: 0x{Convert.ToHexString(bytes.Slice(at, length))}", where);
            }
            at += length;
        }
    }
}
