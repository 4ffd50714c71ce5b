using Banyan.Tokenizers.Json;
using System.Text.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>Writes sequences and special tokens as a template says, one for single texts and one for pairs.</summary>
internal sealed class TemplateProcessor : PostProcessor
{
    private readonly List<Part> _single;
    private readonly List<Part> _pair;
    private readonly Dictionary<string, (int[] Ids, string[] Tokens)> _special;

    /// <summary>A sequence ("A" or "B") or a special token of the template.</summary>
    private sealed record Part(string Id, int TypeId, bool IsSequence);

    private TemplateProcessor(List<Part> single, List<Part> pair, Dictionary<string, (int[], string[])> special) =>
        (_single, _pair, _special) = (single, pair, special);

    public override string Type => "TemplateProcessing";

    /// <summary>One token before each text, one behind it; null puts none.</summary>
    public static TemplateProcessor Around(string? bos, string? eos, Func<ReadOnlySpan<char>, int> idOf)
    {
        List<Part> Wrap(string sequence, int typeId)
        {
            Part[] parts = [new(bos ?? "", typeId, false), new(sequence, typeId, true), new(eos ?? "", typeId, false)];
            return [.. parts.Where(p => p.Id.Length > 0)];
        }
        Dictionary<string, (int[], string[])> special = [];
        foreach (string token in new[] { bos, eos }.OfType<string>())
        {
            special[token] = ([idOf(token)], [token]);
        }
        return new(Wrap("A", 0), [.. Wrap("A", 0), .. Wrap("B", 1)], special);
    }

    public static TemplateProcessor Read(JsonView view)
    {
        Dictionary<string, (int[], string[])> special = [];
        JsonView tokens = view.Member("special_tokens");
        foreach ((string name, JsonView value) in tokens.IsNull ? [] : tokens.Members())
        {
            int[] ids = [.. value.Array("ids").Items().Select(i => i.AsInt(0, int.MaxValue - 1))];
            string[] texts = [.. value.Array("tokens").Items().Select(t => t.AsString())];
            special[name] = ids.Length == texts.Length ? (ids, texts) : throw value.Error($"found {ids.Length} ids and {texts.Length} tokens, expected as many");
        }
        return new(ReadParts(view.Array("single"), special, isPair: false), ReadParts(view.Array("pair"), special, isPair: true), special);
    }

    public override int AddedTokens(bool pair) => (pair ? _pair : _single).Where(p => !p.IsSequence).Sum(p => _special[p.Id].Ids.Length);

    public override List<Encoding> Process(List<Encoding> encodings, bool addSpecialTokens)
    {
        List<Encoding> result = [];
        foreach (Part part in encodings.Count > 1 ? _pair : _single)
        {
            if (part.IsSequence)
            {
                int index = part.Id == "A" ? 0 : 1;
                EncodingParts.Rewrite(encodings[index], t => t with { TypeId = part.TypeId, Sequence = index });
                result.Add(EncodingParts.Copy(encodings[index]));
            }
            else if (addSpecialTokens)
            {
                (int[] ids, string[] tokens) = _special[part.Id];
                result.Add(new([.. ids.Zip(tokens, (i, t) => new EncodedToken(i, t, 0, 0, part.TypeId, -1, -1, Special: true))]));
            }
        }
        return result;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        WriteParts(writer, "single", _single);
        WriteParts(writer, "pair", _pair);
        writer.WriteStartObject("special_tokens");
        foreach ((string name, (int[] ids, string[] tokens)) in _special)
        {
            writer.WriteStartObject(name);
            writer.WriteString("id", name);
            WriteArray(writer, "ids", ids, writer.WriteNumberValue);
            WriteArray(writer, "tokens", tokens, writer.WriteStringValue);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteArray<T>(Utf8JsonWriter writer, string name, T[] items, Action<T> write)
    {
        writer.WriteStartArray(name);
        Array.ForEach(items, write);
        writer.WriteEndArray();
    }

    private static List<Part> ReadParts(JsonView view, Dictionary<string, (int[], string[])> special, bool isPair)
    {
        List<Part> parts = [];
        foreach (JsonView item in view.Items())
        {
            bool isSequence = item.Has("Sequence");
            JsonView body = item.Object(isSequence ? "Sequence" : "SpecialToken");
            Part part = new(body.String("id"), body.Int("type_id"), isSequence);
            if (isSequence && part.Id != "A" && (part.Id != "B" || !isPair))
            {
                throw body.Error($"found the sequence \"{part.Id}\", expected A{(isPair ? " or B" : "")}");
            }
            if (!isSequence && !special.ContainsKey(part.Id))
            {
                throw body.Error($"the special token \"{part.Id}\" is not among special_tokens");
            }
            parts.Add(part);
        }
        if (isPair && !(parts.Exists(p => p is { IsSequence: true, Id: "A" }) && parts.Exists(p => p is { IsSequence: true, Id: "B" })))
        {
            throw view.Error("a template of pairs must hold the sequences A and B");
        }
        return parts;
    }

    private static void WriteParts(Utf8JsonWriter writer, string name, List<Part> parts)
    {
        writer.WriteStartArray(name);
        foreach (Part part in parts)
        {
            writer.WriteStartObject();
            writer.WriteStartObject(part.IsSequence ? "Sequence" : "SpecialToken");
            writer.WriteString("id", part.Id);
            writer.WriteNumber("type_id", part.TypeId);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
