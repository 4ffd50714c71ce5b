using System.Text.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>
/// BERT (<c>[CLS] A [SEP] B [SEP]</c>, segments 0 and 1) and RoBERTa (<c>&lt;s&gt; A &lt;/s&gt; &lt;/s&gt; B &lt;/s&gt;</c>, segment 0 only).
/// </summary>
internal sealed class PairProcessor((string Token, int Id) cls, (string Token, int Id) sep, PairProcessor.RobertaOptions? roberta) : PostProcessor
{
    /// <summary>What RoBERTa adds: offsets without the spaces at the ends.</summary>
    public sealed record RobertaOptions(bool TrimOffsets, bool AddPrefixSpace);

    public override string Type => roberta is null ? "BertProcessing" : "RobertaProcessing";

    public override int AddedTokens(bool pair) => !pair ? 2 : roberta is null ? 3 : 4;

    public override List<Encoding> Process(List<Encoding> encodings, bool addSpecialTokens)
    {
        if (roberta is not null)
        {
            encodings.ForEach(e => Prepare(e, roberta));
        }
        return addSpecialTokens ? [.. encodings.Select(Frame)] : encodings;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        WriteToken(writer, "sep", sep);
        WriteToken(writer, "cls", cls);
        if (roberta is not null)
        {
            writer.WriteBoolean("trim_offsets", roberta.TrimOffsets);
            writer.WriteBoolean("add_prefix_space", roberta.AddPrefixSpace);
        }
    }

    private static void WriteToken(Utf8JsonWriter writer, string name, (string Token, int Id) token)
    {
        writer.WriteStartArray(name);
        writer.WriteStringValue(token.Token);
        writer.WriteNumberValue(token.Id);
        writer.WriteEndArray();
    }

    private static void Prepare(Encoding encoding, RobertaOptions options)
    {
        foreach (Encoding e in encoding.Overflowing.Prepend(encoding))
        {
            if (options.TrimOffsets)
            {
                ByteLevelProcessor.Trim(e, options.AddPrefixSpace);
            }
            EncodingParts.Rewrite(e, t => t with { TypeId = 0 });
        }
    }

    private Encoding Frame(Encoding encoding, int index)
    {
        int type = roberta is null ? index : 0;
        EncodedToken[] before = index == 0 ? [Special(cls, type)] : roberta is null ? [] : [Special(sep, type)];
        return new(
            [.. before, .. encoding.Items.Select(t => t with { Special = false }), Special(sep, type)],
            [.. encoding.Overflowing.Select(o => Frame(o, index))]);
    }

    private static EncodedToken Special((string Token, int Id) token, int type) => new(token.Id, token.Token, 0, 0, type, -1, -1, Special: true);
}
