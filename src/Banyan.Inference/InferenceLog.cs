using Microsoft.Extensions.Logging;

namespace Banyan.Inference;

/// <summary>What loading and generating say to the <see cref="ILogger"/> of a <see cref="LanguageModel"/>.</summary>
internal static partial class InferenceLog
{
    [LoggerMessage(1, LogLevel.Information, "Loaded {Model} with {Parameters} parameters from {Path} in {Seconds} s; tokenizer: {HasTokenizer}")]
    public static partial void Loaded(this ILogger logger, string model, long parameters, string path, double seconds, bool hasTokenizer);

    [LoggerMessage(2, LogLevel.Debug, "Generating {Sequences} sequences from {PromptTokens} prompt tokens, at most {MaxNewTokens} new tokens each")]
    public static partial void Started(this ILogger logger, int sequences, long promptTokens, int maxNewTokens);

    [LoggerMessage(3, LogLevel.Debug, "Generated {Tokens} tokens in {Seconds} s; time to first token {TimeToFirstToken} s")]
    public static partial void Finished(this ILogger logger, long tokens, double seconds, double timeToFirstToken);

    [LoggerMessage(4, LogLevel.Information, "Generation cancelled after {Tokens} tokens")]
    public static partial void Cancelled(this ILogger logger, long tokens);
}
