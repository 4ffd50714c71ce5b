using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Banyan.Cli.Output;

/// <summary>
/// What a verb shows. With <c>--json</c> the standard output holds one document, alone on the last line, and everything for people goes to
/// standard error; without, results go to standard output.
/// </summary>
internal sealed class Reporter(bool json)
{
    public bool IsJson => json;

    /// <summary>The stream of results for people.</summary>
    public TextWriter Out => json ? Console.Error : Console.Out;

    /// <summary>Progress in words.</summary>
    public void Note(string text) => Console.Error.WriteLine(text);

    /// <summary>A line of the result.</summary>
    public void Line(string text = "") => Out.WriteLine(text);

    /// <summary>The document of <c>--json</c>; nothing without it.</summary>
    public void Document(JsonObject document)
    {
        if (json)
        {
            Console.Out.WriteLine(document.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        }
    }

    /// <summary>A number for JSON, which has no NaN.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    /// <summary>A list of numbers.</summary>
    public static JsonArray Numbers(IEnumerable<double> values) => new([.. values.Select(Number)]);

    /// <summary>A list of ids.</summary>
    public static JsonArray Ids(IEnumerable<int> values) => new([.. values.Select(v => (JsonNode?)JsonValue.Create(v))]);

    /// <summary>A progress bar with rate and time left on a terminal, plain lines every few seconds where standard error is redirected.</summary>
    public ProgressLine Progress(string what, long total) => new(what, total, !Console.IsErrorRedirected);
}
