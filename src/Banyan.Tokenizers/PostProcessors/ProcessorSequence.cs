using System.Text.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>Several post-processors, one after another.</summary>
internal sealed class ProcessorSequence(PostProcessor[] processors) : PostProcessor
{
    public override string Type => "Sequence";

    public override int AddedTokens(bool pair) => processors.Sum(p => p.AddedTokens(pair));

    public override List<Encoding> Process(List<Encoding> encodings, bool addSpecialTokens) =>
        processors.Aggregate(encodings, (current, processor) => processor.Process(current, addSpecialTokens));

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("processors");
        foreach (PostProcessor processor in processors)
        {
            processor.Write(writer);
        }
        writer.WriteEndArray();
    }
}
