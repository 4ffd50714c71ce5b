namespace Banyan.Tokenizers;

/// <summary>Fills encodings up to a length.</summary>
/// <param name="FixedLength">The length to reach, or null for the longest of the batch.</param>
/// <param name="Direction">The side that is filled.</param>
/// <param name="PadToMultipleOf">Rounds the length up to a multiple, if not null.</param>
/// <param name="PadId">Id of the padding token.</param>
/// <param name="PadTypeId">Its type id.</param>
/// <param name="PadToken">Its text.</param>
public sealed record Padding(
    int? FixedLength = null, Side Direction = Side.Right, int? PadToMultipleOf = null, int PadId = 0, int PadTypeId = 0, string PadToken = "[PAD]")
{
    /// <summary>The longest padding that is made; a file cannot ask for more.</summary>
    internal const int MaxLength = 1 << 24;

    internal void Apply(IReadOnlyList<Encoding> batch)
    {
        int length = FixedLength ?? (batch.Count == 0 ? 0 : batch.Max(e => e.Count));
        if (PadToMultipleOf is > 0 and int multiple && length % multiple > 0)
        {
            length = checked(length + multiple - (length % multiple));
        }
        if (length > MaxLength)
        {
            throw new InvalidOperationException($"padding to {length} tokens was asked for, at most {MaxLength} is possible");
        }
        foreach (Encoding e in batch)
        {
            Fill(e, length);
        }
    }

    private void Fill(Encoding encoding, int length)
    {
        foreach (Encoding o in encoding.Overflowing)
        {
            Fill(o, length);
        }
        int missing = length - encoding.Count;
        if (missing > 0)
        {
            EncodedToken pad = new(PadId, PadToken, 0, 0, PadTypeId, -1, -1, Special: true, Padding: true);
            encoding.Items.InsertRange(Direction == Side.Left ? 0 : encoding.Count, Enumerable.Repeat(pad, missing));
        }
    }
}
