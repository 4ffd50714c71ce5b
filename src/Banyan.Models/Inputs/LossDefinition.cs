namespace Banyan.Models;

/// <summary>
/// Losses by which models without one of their own are differentiated, as a text, so that two programs can agree on one:
/// <c>mean(y * cos(i)), i = flat index in row-major order, y = first of logits, last_hidden_state that exists</c>.
/// </summary>
public static class LossDefinition
{
    private const string Wave = "mean(y * cos(i))", FirstOf = "first of ", Exists = " that exists";
    private static readonly string[] Outputs = ["logits", "waveform", "spectrogram", "audio_values", "pooler_output", "last_hidden_state"];

    /// <summary>The loss that a text defines.</summary>
    /// <param name="text"><c>mean(y * cos(i))</c>, with or without the list of outputs that y may be.</param>
    /// <exception cref="ArgumentException">The text is no known definition.</exception>
    public static Func<ModelOutputs, Tensor> Parse(string text)
    {
        if (!text.StartsWith(Wave, StringComparison.Ordinal))
        {
            throw new ArgumentException($"unknown loss definition \"{text}\"; expected \"{Wave}\", optionally with \"y = {FirstOf}NAME, NAME{Exists}\"");
        }
        int list = text.IndexOf(FirstOf, StringComparison.Ordinal);
        string[] names = list < 0 ? Outputs : text[(list + FirstOf.Length)..].Replace(Exists, "", StringComparison.Ordinal).Split(',', StringSplitOptions.TrimEntries);
        return outputs => MeanOfWave(names.Select(outputs.Find).FirstOrDefault(t => t is not null)
            ?? throw new ArgumentException($"the model gives none of {string.Join(", ", names)}; it gives {string.Join(", ", outputs.Tensors.Select(t => t.Name))}"));
    }

    private static Tensor MeanOfWave(Tensor y)
    {
        float[] wave = [.. Enumerable.Range(0, checked((int)y.Count)).Select(i => (float)Math.Cos(i))];
        return (y.Reshape(-1) * y.Scope!.From(wave, [wave.Length])).Mean();
    }
}
