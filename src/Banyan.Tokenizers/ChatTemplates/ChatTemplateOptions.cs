namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>What a template may spend. The defaults leave room for conversations of several megabytes and stop a hostile template in some 50 ms.</summary>
public sealed class ChatTemplateOptions
{
    /// <summary>Evaluated nodes, loop rounds, and 64 characters of handled text each count as a step. Default: 500,000.</summary>
    public long MaxSteps { get; init; } = 500_000;

    /// <summary>Characters of the result, and of any text made on the way. Default: 32 Mi.</summary>
    public int MaxCharacters { get; init; } = 32 << 20;

    /// <summary>How deep expressions, blocks and macro calls nest. Default: 200.</summary>
    public int MaxDepth { get; init; } = 200;

    /// <summary>What <c>strftime_now</c> calls now. Default: the system's clock, local time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
