using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Tokenizers.ChatTemplates;
using Microsoft.Extensions.AI;

namespace Banyan.Inference;

/// <summary>
/// A language model with a chat template as the client that .NET libraries talk to. What the last conversation and the next have in common is not computed again.
/// </summary>
/// <remarks>Requests may overlap: one of them goes on from the last conversation, the others begin anew. The answers are the same either way.</remarks>
/// <example><code>
/// using IChatClient chat = new LanguageModelChatClient(LanguageModel.Load("qwen-q4_k_m.gguf"));
/// await foreach (ChatResponseUpdate part in chat.GetStreamingResponseAsync("Why is the sky blue?")) Console.Write(part.Text);
/// </code></example>
public sealed class LanguageModelChatClient : IChatClient
{
    private readonly LanguageModel _lm;
    private readonly ComputePool? _pool;
    private (SequenceCache Cache, int[] Ids)? _last;
    private readonly Lock _lock = new();

    /// <summary>A client.</summary>
    /// <param name="lm">The model, with tokenizer and chat template.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <exception cref="CheckpointException">The model came without a tokenizer or a chat template.</exception>
    public LanguageModelChatClient(LanguageModel lm, ComputePool? pool = null)
    {
        (_lm, _pool) = (lm, pool);
        if (lm.Tokenizer.ChatTemplate is null)
        {
            throw new CheckpointException(lm.Source, "has no chat template (chat_template.jinja, chat_template in tokenizer_config.json, or tokenizer.chat_template in a GGUF file)");
        }
    }

    /// <summary>Tokens of the last request that were known from the one before.</summary>
    public int ReusedTokens { get; private set; }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        int[] prompt = _lm.Tokenizer.EncodeChat(Request(messages)).Ids;
        SequenceCache? cache = Take(prompt);
        List<int> ids = [.. prompt];
        string id = Guid.NewGuid().ToString("N");
        var run = new PrefilledPrompt(prompt, cache ?? new SequenceCache());
        try
        {
            await foreach (GeneratedToken token in _lm.GenerateAsync(run, Options(options), _pool, cancellationToken).ConfigureAwait(false))
            {
                ids.Add(token.Id);
                ChatResponseUpdate update = new(ChatRole.Assistant, token.Text) { ResponseId = id, MessageId = id, ModelId = _lm.Source };
                if (token.Finish is { } finish)
                {
                    update.FinishReason = finish == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;
                    update.Contents.Add(new UsageContent(new UsageDetails { InputTokenCount = prompt.Length, OutputTokenCount = ids.Count - prompt.Length, TotalTokenCount = ids.Count }));
                }
                yield return update;
            }
        }
        finally
        {
            // The cache has seen what it counts, whatever ended the answer.
            lock (_lock)
            {
                _last = (run.Cache, [.. ids.Take((int)Math.Min(run.Cache.Length, ids.Count))]);
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("banyan", defaultModelId: _lm.Source)
        : serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(_lm) ? _lm : null;

    /// <summary>Forgets the last conversation.</summary>
    public void Dispose() => _last = null;

    private SequenceCache? Take(int[] prompt)
    {
        lock (_lock)
        {
            (SequenceCache Cache, int[] Ids)? last = _last;
            _last = null;
            ReusedTokens = 0;
            if (last is not { } known)
            {
                return null;
            }
            int common = Math.Min(known.Ids.AsSpan().CommonPrefixLength(prompt), prompt.Length - 1);
            if (common == 0 || !known.Cache.CanTruncate(common))
            {
                return null;
            }
            known.Cache.Truncate(common);
            ReusedTokens = common;
            return known.Cache;
        }
    }

    private static ChatRequest Request(IEnumerable<ChatMessage> messages) => new()
    {
        Messages = [.. messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role.Value, ["content"] = m.Text })],
    };

    private static GenerationOptions Options(ChatOptions? o) => new()
    {
        MaxNewTokens = o?.MaxOutputTokens ?? 1024, Temperature = o?.Temperature ?? 0.8, TopP = o?.TopP ?? 0.95, TopK = o?.TopK ?? 0, FrequencyPenalty = o?.FrequencyPenalty ?? 0, PresencePenalty = o?.PresencePenalty ?? 0,
        Seed = o?.Seed ?? 0, StopStrings = o?.StopSequences is { } stops ? [.. stops] : [],
    };
}
