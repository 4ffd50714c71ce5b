using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Banyan.Inference;

/// <summary>
/// Generation as instruments of the meter <c>Banyan.Inference</c>, for OpenTelemetry, <c>dotnet-counters</c> or a <see cref="MeterListener"/>. Names,
/// units and attributes are those of OpenTelemetry's conventions for generative AI; without a listener they cost nothing.
/// </summary>
internal static class InferenceMetrics
{
    private static readonly Meter s_meter = new("Banyan.Inference");

    // The conventions' buckets for times.
    private static readonly InstrumentAdvice<double> s_seconds = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60] };

    private static readonly Counter<long> s_tokens = s_meter.CreateCounter<long>("banyan.inference.tokens", "{token}", "Tokens read (input) and generated (output).");
    private static readonly Histogram<double> s_first = Seconds("gen_ai.server.time_to_first_token", "From the request to its first token.");
    private static readonly Histogram<double> s_each = Seconds("gen_ai.server.time_per_output_token", "Between tokens after the first.");
    private static readonly Histogram<double> s_request = Seconds("gen_ai.server.request.duration", "From the request to its last token.");

    private static readonly KeyValuePair<string, object?> s_input = new("gen_ai.token.type", "input"), s_output = new("gen_ai.token.type", "output");

    public static void Read(long tokens, string model) => s_tokens.Add(tokens, s_input, Model(model));

    public static void Generated(long tokens, string model) => s_tokens.Add(tokens, s_output, Model(model));

    public static void FirstToken(double seconds, string model) => s_first.Record(seconds, Tags(model));

    /// <summary>A request is done: its duration, and the mean time of its later steps.</summary>
    public static void Finished(double seconds, double first, long steps, string model)
    {
        s_request.Record(seconds, Tags(model));
        if (steps > 1)
        {
            s_each.Record((seconds - first) / (steps - 1), Tags(model));
        }
    }

    private static KeyValuePair<string, object?> Model(string model) => new("gen_ai.request.model", model);

    private static TagList Tags(string model) => [new("gen_ai.operation.name", "text_completion"), new("gen_ai.provider.name", "banyan"), Model(model)];

    private static Histogram<double> Seconds(string name, string description) => s_meter.CreateHistogram(name, "s", description, advice: s_seconds);
}
