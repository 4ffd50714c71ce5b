using System.Text.Json;

namespace Banyan.Tokenizers.Json;

/// <summary>Truncation and padding in a tokenizer.json.</summary>
internal static class LengthsJson
{
    public static Truncation ReadTruncation(JsonView view) => new(
        view.Int("max_length"),
        view.Int("stride"),
        ReadEnum<TruncationStrategy>(view.Member("strategy")),
        view.Has("direction") ? ReadEnum<Side>(view.Member("direction")) : Side.Right);

    public static Padding ReadPadding(JsonView view)
    {
        JsonView strategy = view.Member("strategy");
        int? fixedLength = null;
        if (strategy.Kind == JsonValueKind.Object)
        {
            fixedLength = strategy.Int("Fixed");
        }
        else if (strategy.AsString() != "BatchLongest")
        {
            throw strategy.Error($"found {strategy.Describe()}, expected \"BatchLongest\" or {{\"Fixed\": length}}");
        }
        return new(
            fixedLength,
            ReadEnum<Side>(view.Member("direction")),
            view.Has("pad_to_multiple_of") ? view.Int("pad_to_multiple_of") : null,
            view.Int("pad_id"),
            view.Int("pad_type_id"),
            view.String("pad_token"));
    }

    public static T ReadEnum<T>(JsonView view)
        where T : struct, Enum
    {
        string text = view.AsString();
        return Enum.GetNames<T>().Contains(text)
            ? Enum.Parse<T>(text)
            : throw view.Error($"found \"{text}\", expected one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    public static void Write(Utf8JsonWriter writer, Truncation? truncation)
    {
        if (truncation is null)
        {
            writer.WriteNull("truncation");
            return;
        }
        writer.WriteStartObject("truncation");
        writer.WriteString("direction", truncation.Direction.ToString());
        writer.WriteNumber("max_length", truncation.MaxLength);
        writer.WriteString("strategy", truncation.Strategy.ToString());
        writer.WriteNumber("stride", truncation.Stride);
        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, Padding? padding)
    {
        if (padding is null)
        {
            writer.WriteNull("padding");
            return;
        }
        writer.WriteStartObject("padding");
        if (padding.FixedLength is { } length)
        {
            writer.WriteStartObject("strategy");
            writer.WriteNumber("Fixed", length);
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteString("strategy", "BatchLongest");
        }
        writer.WriteString("direction", padding.Direction.ToString());
        if (padding.PadToMultipleOf is { } multiple)
        {
            writer.WriteNumber("pad_to_multiple_of", multiple);
        }
        else
        {
            writer.WriteNull("pad_to_multiple_of");
        }
        writer.WriteNumber("pad_id", padding.PadId);
        writer.WriteNumber("pad_type_id", padding.PadTypeId);
        writer.WriteString("pad_token", padding.PadToken);
        writer.WriteEndObject();
    }
}
