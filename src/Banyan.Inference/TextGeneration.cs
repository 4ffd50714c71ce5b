using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Banyan.Cpu;

namespace Banyan.Inference;

/// <summary>Generates text: prompts in, tokens out as they are made.</summary>
public static class TextGeneration
{
    /// <summary>Generates completions of a prompt, token by token.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="prompt">The text to go on from.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the generation after the current token.</param>
    public static IAsyncEnumerable<GeneratedToken> GenerateAsync(this LanguageModel lm, string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        lm.GenerateAsync([lm.Tokenizer.EncodeToIds(prompt)], options, cancellationToken: cancellationToken);

    /// <summary>Generates completions of several prompts at once, token by token; the tokens of the sequences alternate.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="prompts">Ids of each prompt, at least one each.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the generation after the current token.</param>
    /// <exception cref="ArgumentException">An option is out of its range, a prompt is empty or longer than the model's context.</exception>
    public static IAsyncEnumerable<GeneratedToken> GenerateAsync(this LanguageModel lm, IReadOnlyList<int[]> prompts, GenerationOptions? options = null, ComputePool? pool = null, CancellationToken cancellationToken = default) =>
        Stream(() => new GenerationRun(lm, prompts, (options ?? new GenerationOptions()).Validated(), pool), cancellationToken);

    internal static IAsyncEnumerable<GeneratedToken> GenerateAsync(this LanguageModel lm, PrefilledPrompt prompt, GenerationOptions options, ComputePool? pool, CancellationToken cancellationToken) =>
        Stream(() => new GenerationRun(lm, prompt, options.Validated(), pool), cancellationToken);

    private static async IAsyncEnumerable<GeneratedToken> Stream(Func<GenerationRun> begin, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<GeneratedToken>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task work = Task.Run(() => Produce(begin, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (GeneratedToken token in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return token;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
    }

    /// <summary>Generates completions on the caller's thread and gives them when all are finished.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="prompts">Ids of each prompt, at least one each.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <param name="onToken">Told of each token as it is made.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the generation after the current token: <see cref="OperationCanceledException"/>.</param>
    public static Completion[] Generate(this LanguageModel lm, IReadOnlyList<int[]> prompts, GenerationOptions? options = null, Action<GeneratedToken>? onToken = null,
        ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        using var run = new GenerationRun(lm, prompts, (options ?? new GenerationOptions()).Validated(), pool);
        return Finish(run, onToken, cancellationToken);
    }

    private static Completion[] Finish(GenerationRun run, Action<GeneratedToken>? onToken, CancellationToken cancellationToken)
    {
        while (!run.IsDone)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                run.Cancel();
                cancellationToken.ThrowIfCancellationRequested();
            }
            run.Step(onToken);
        }
        return run.Completions();
    }

    private static void Produce(Func<GenerationRun> begin, ChannelWriter<GeneratedToken> output, CancellationToken stop)
    {
        try
        {
            using GenerationRun run = begin();
            Finish(run, t => output.TryWrite(t), stop);
            output.Complete();
        }
        catch (Exception e) // whatever it is, it belongs to the reader
        {
            output.Complete(e);
        }
    }
}
