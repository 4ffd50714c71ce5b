using System.Text.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Several decoders, one after another.</summary>
internal sealed class SequenceDecoder(Decoder[] decoders) : Decoder
{
    public override string Type => "Sequence";

    public override List<string> Chain(List<string> tokens) => decoders.Aggregate(tokens, (current, decoder) => decoder.Chain(current));

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("decoders");
        foreach (Decoder decoder in decoders)
        {
            decoder.Write(writer);
        }
        writer.WriteEndArray();
    }
}

/// <summary>Joins all tokens into one.</summary>
internal sealed class FuseDecoder : Decoder
{
    public override string Type => "Fuse";

    public override List<string> Chain(List<string> tokens) => [string.Concat(tokens)];

    public override bool TryAppend(string token, List<byte> utf8)
    {
        Utf8Text.Append(token, utf8);
        return true;
    }
}
