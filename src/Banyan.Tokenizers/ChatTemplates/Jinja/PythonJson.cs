using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>JSON as values of a template, and values as JSON text the way Python's <c>json.dumps</c> writes them.</summary>
internal static class PythonJson
{
    /// <summary>A JSON value; integers keep all their digits.</summary>
    public static object? Read(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => ReadObject(element),
        JsonValueKind.Array => new TemplateList([.. element.EnumerateArray().Select(Read)]),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => ReadNumber(element.GetRawText()),
        _ => null,
    };

    private static TemplateDict ReadObject(JsonElement element)
    {
        var dict = new TemplateDict();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            dict[property.Name] = Read(property.Value);
        }
        return dict;
    }

    private static object ReadNumber(string text) => text.AsSpan().ContainsAny(".eE")
        ? double.Parse(text, CultureInfo.InvariantCulture)
        : BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary><c>json.dumps(value, …)</c>. <paramref name="indent"/> is the text for one level, or null for one line.</summary>
    public static string Write(object? value, string? indent, string itemSeparator, string keySeparator, bool asciiOnly, bool sortKeys, Fuel fuel)
    {
        var writer = new Writer(indent, itemSeparator, keySeparator, asciiOnly, sortKeys, fuel);
        writer.Write(value, 0);
        return writer.ToString();
    }

    private sealed class Writer(string? indent, string itemSeparator, string keySeparator, bool asciiOnly, bool sortKeys, Fuel fuel)
    {
        private readonly StringBuilder _to = new();

        public override string ToString() => _to.ToString();

        public void Write(object? value, int level)
        {
            using Fuel.Level depth = fuel.Enter();
            fuel.Step();
            fuel.CheckLength(_to.Length);
            switch (value)
            {
                case TemplateDict d: WriteDict(d, level); break;
                case TemplateList l: WriteList(l.Items, level); break;
                case TemplateTuple t: WriteList(t.Items, level); break;
                case Group g: WriteList([g.Grouper, g.List], level); break;
                default: _to.Append(Scalar(value) is { } s ? s : TextOf(value)); break;
            }
        }

        private string TextOf(object? value) => Operators.TextOf(value) is { } text
            ? Quote(text)
            : throw Operators.Error($"Object of type {Operators.TypeName(value)} is not JSON serializable");

        private static string? Scalar(object? value) => value switch
        {
            null => "null",
            bool b => b ? "true" : "false",
            BigInteger i => PythonText.Integer(i),
            double d => double.IsNaN(d) ? "NaN" : double.IsInfinity(d) ? (d > 0 ? "Infinity" : "-Infinity") : PythonText.Float(d),
            _ => null,
        };

        private void WriteList(IList<object?> items, int level)
        {
            if (items.Count == 0)
            {
                _to.Append("[]");
                return;
            }
            _to.Append('[');
            for (int i = 0; i < items.Count; i++)
            {
                Separate(i, level + 1);
                Write(items[i], level + 1);
            }
            Close(level, ']');
        }

        private void WriteDict(TemplateDict dict, int level)
        {
            if (dict.Items.Count == 0)
            {
                _to.Append("{}");
                return;
            }
            _to.Append('{');
            int i = 0;
            foreach ((Key key, object? value) in sortKeys ? dict.Items.OrderBy(e => e.Key.Value, Comparer<object?>.Create(Operators.Compare)) : dict.Items.AsEnumerable())
            {
                Separate(i++, level + 1);
                string name = Operators.TextOf(key.Value) ?? Scalar(key.Value)
                    ?? throw Operators.Error($"keys must be str, int, float, bool or None, not {Operators.TypeName(key.Value)}");
                _to.Append(Quote(name)).Append(keySeparator);
                Write(value, level + 1);
            }
            Close(level, '}');
        }

        private void Separate(int index, int level)
        {
            _to.Append(index == 0 ? "" : itemSeparator);
            Line(level);
        }

        private void Close(int level, char mark)
        {
            Line(level);
            _to.Append(mark);
        }

        private void Line(int level)
        {
            if (indent is not null)
            {
                _to.Append('\n');
                for (int i = 0; i < level; i++)
                {
                    _to.Append(indent);
                }
            }
        }

        private string Quote(string text)
        {
            fuel.Text(text.Length);
            var to = new StringBuilder(text.Length + 2).Append('"');
            foreach (char c in text)
            {
                _ = c switch
                {
                    '"' => to.Append("\\\""),
                    '\\' => to.Append("\\\\"),
                    '\n' => to.Append("\\n"),
                    '\r' => to.Append("\\r"),
                    '\t' => to.Append("\\t"),
                    '\b' => to.Append("\\b"),
                    '\f' => to.Append("\\f"),
                    < ' ' => to.Append($"\\u{(int)c:x4}"),
                    > '~' when asciiOnly => to.Append($"\\u{(int)c:x4}"),
                    _ => to.Append(c),
                };
            }
            return to.Append('"').ToString();
        }
    }
}
