namespace Banyan.Models.Tests.Goldens;

/// <summary>Losses of models without one of their own, by the text in the case's <c>loss_definition</c>.</summary>
internal static class LossDefinitions
{
    private static readonly string[] First = ["logits", "waveform", "spectrogram", "audio_values", "pooler_output", "last_hidden_state"];

    public static Func<ModelOutputs, Tensor>? Of(GoldenModel golden) => !golden.Case.TryGetProperty("loss_definition", out var definition) ? null
        : definition.GetString()!.StartsWith("mean(y * cos(i)), i = flat index", StringComparison.Ordinal) ? MeanOfWave
        : throw new InvalidOperationException($"{golden.Name}: unknown loss definition: {definition.GetString()}");

    private static Tensor MeanOfWave(ModelOutputs outputs)
    {
        Tensor y = First.Select(outputs.Find).First(t => t is not null)!;
        float[] wave = [.. Enumerable.Range(0, (int)y.Count).Select(i => (float)Math.Cos(i))];
        return (y.Reshape(-1) * y.Scope!.From(wave, [wave.Length])).Mean();
    }
}
