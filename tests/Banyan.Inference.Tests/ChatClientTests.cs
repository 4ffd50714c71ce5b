using Banyan.Checkpoints;
using Banyan.Testing;
using Banyan.Tokenizers.ChatTemplates;
using Microsoft.Extensions.AI;

namespace Banyan.Inference.Tests;

/// <summary>The chat client: what it says is what the model generates, whatever it remembers and whoever else asks.</summary>
public sealed class ChatClientTests
{
    private static readonly ChatOptions s_options = new() { Temperature = 1, TopP = 1, MaxOutputTokens = 24, Seed = 5 };

    [SkippableFact]
    public async Task An_answer_is_what_the_model_generates()
    {
        LanguageModel lm = Model();
        using var client = new LanguageModelChatClient(lm);
        ChatResponse response = await client.GetResponseAsync([new(ChatRole.System, "short"), new(ChatRole.User, "Hello")], s_options);
        int[] prompt = lm.Tokenizer.EncodeChat(ChatRequest.Of(("system", "short"), ("user", "Hello"))).Ids;
        Completion expected = lm.Generate([prompt], new() { MaxNewTokens = 24, Seed = 5 })[0];
        Assert.Equal(expected.Text, response.Text);
        Assert.Equal((prompt.Length, expected.Ids.Count), ((int)response.Usage!.InputTokenCount!, (int)response.Usage.OutputTokenCount!));
        Assert.Equal(expected.Finish == FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop, response.FinishReason);
    }

    [SkippableFact]
    public async Task What_two_requests_have_in_common_is_computed_once_and_changes_nothing()
    {
        LanguageModel lm = Model();
        using LanguageModelChatClient remembering = new(lm), fresh = new(lm);
        List<ChatMessage> talk = [new(ChatRole.User, "Hello"), new(ChatRole.Assistant, (await remembering.GetResponseAsync("Hello", s_options)).Text), new(ChatRole.User, "And then?")];
        string answer = (await remembering.GetResponseAsync(talk, s_options)).Text;
        Assert.InRange(remembering.ReusedTokens, 5, 1000);
        Assert.Equal((await fresh.GetResponseAsync(talk, s_options)).Text, answer);
        // An answer that was stopped leaves a memory that can be gone on from.
        await foreach (ChatResponseUpdate _ in remembering.GetStreamingResponseAsync(talk, s_options))
        {
            break;
        }
        Assert.Equal(answer, (await remembering.GetResponseAsync(talk, s_options)).Text);
        Assert.True(remembering.ReusedTokens > 10);
    }

    [SkippableFact]
    public async Task Sixty_four_conversations_at_once_give_the_same_answers()
    {
        LanguageModel lm = Model();
        using var client = new LanguageModelChatClient(lm);
        string[] questions = [.. Enumerable.Range(0, 64).Select(i => $"Question {i} of {i * 7}")];
        string[] expected = [.. questions.Select(q => Ask(new LanguageModelChatClient(lm), q).Result)];
        string[] together = await Task.WhenAll(questions.Select(q => Task.Run(() => Ask(client, q))));
        Assert.Equal(expected, together);

        static async Task<string> Ask(LanguageModelChatClient client, string question) => (await client.GetResponseAsync(question, s_options)).Text;
    }

    [SkippableFact]
    public async Task A_cancelled_answer_ends()
    {
        using var client = new LanguageModelChatClient(Model());
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync("Hello", new() { MaxOutputTokens = 100 }, stop.Token))
            {
                await stop.CancelAsync();
            }
        });
        Assert.NotEmpty((await client.GetResponseAsync("Hello", s_options)).Text);
    }

    [SkippableFact]
    public void A_model_without_a_template_is_refused() =>
        Assert.Contains("chat template", Assert.Throws<CheckpointException>(() => new LanguageModelChatClient(LanguageModel.Load(SharedFolder.Get("goldens", "gguf", "llama-F32.gguf")))).Message, StringComparison.Ordinal);

    private static LanguageModel Model() => LanguageModel.Load(SharedFolder.Get("goldens", "convert", "llama", "model-q8_0.gguf"));
}
