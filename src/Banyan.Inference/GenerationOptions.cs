namespace Banyan.Inference;

/// <summary>How text is generated. The defaults sample from the model's own distribution.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to generate. Default: 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>Divides the logits: below 1 is more certain, above 1 more varied; 0 takes the most probable token. Default: 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the k most probable tokens (and those tied with the k-th); 0 is off. Default: 0.</summary>
    public int TopK { get; init; }

    /// <summary>Only the most probable tokens that together reach this probability (Holtzman et al. 2020); 1 is off. Default: 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens of at least this share of the largest probability; 0 is off. Default: 0.</summary>
    public double MinP { get; init; }

    /// <summary>Top-k, top-p and min-p leave at least this many tokens. Default: 1.</summary>
    public int MinTokensToKeep { get; init; } = 1;

    /// <summary>Divides positive and multiplies negative logits of tokens that occurred, the prompt included (Keskar et al. 2019); 1 is off. Default: 1.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from a token's logit for each time it was generated. Default: 0.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Subtracted once from the logit of each token that was generated. Default: 0.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Further rules, in this order, before the penalties above: see the implementations of <see cref="Sampling.ILogitsProcessor"/>. Default: none.</summary>
    public IReadOnlyList<Sampling.ILogitsProcessor> Processors { get; init; } = [];

    /// <summary>Texts that end the generation; they are not part of the result.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>True goes on behind the tokens that end a text. Default: false.</summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>Seed of the draws: the same seed gives the same text, alone or in a batch, with any number of threads. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>How many completions of each prompt. Default: 1.</summary>
    public int Completions { get; init; } = 1;

    /// <summary>How many of the most probable tokens are reported at each position, with their log-probabilities. Default: 0.</summary>
    public int TopLogProbs { get; init; }

    /// <summary>
    /// Looks at every module's output and names the first that holds NaN or infinite numbers; without it only the logits are looked at (and never drawn from when they are not finite).
    /// Slower. Default: false.
    /// </summary>
    public bool Check { get; init; }

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    public GenerationOptions Validated()
    {
        Require(MaxNewTokens >= 0, nameof(MaxNewTokens), MaxNewTokens, "at least 0");
        Require(Temperature >= 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature, "a number from 0");
        Require(TopK >= 0, nameof(TopK), TopK, "at least 0 (0 is off)");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0, up to 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "between 0 and 1");
        Require(MinTokensToKeep >= 1, nameof(MinTokensToKeep), MinTokensToKeep, "at least 1");
        Require(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "above 0");
        Require(Completions >= 1, nameof(Completions), Completions, "at least 1");
        Require(TopLogProbs >= 0, nameof(TopLogProbs), TopLogProbs, "at least 0");
        Require(StopStrings.All(s => s.Length > 0), nameof(StopStrings), "\"\"", "texts of at least one character");
        return this;
    }

    private static void Require(bool holds, string name, object value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} is {value}; expected {expected}", name);
        }
    }
}
