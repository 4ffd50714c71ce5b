using System.Text.Json.Nodes;

namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>A conversation as the tokens that a model reads.</summary>
/// <param name="Text">The rendered prompt.</param>
/// <param name="Ids">Its tokens; the template writes the special ones itself.</param>
/// <param name="AssistantMask">1 for each token that the assistant wrote, else 0: what supervised fine-tuning learns from. All 0 where the template does not mark it.</param>
public sealed record ChatEncoding(string Text, int[] Ids, int[] AssistantMask)
{
    internal static ChatEncoding Create(Tokenizer tokenizer, ChatRequest request, ChatTemplateOptions? options)
    {
        string source = tokenizer.ChatTemplate ?? throw new InvalidOperationException("the tokenizer has no chat template: set Tokenizer.ChatTemplate");
        RenderedChat chat = ChatTemplate.Parse(source, options).Render(WithSpecialTokens(request, tokenizer));
        Encoding encoding = tokenizer.Encode(chat.Text, addSpecialTokens: false);
        return new ChatEncoding(chat.Text, encoding.Ids, Mask(chat, encoding.Offsets));
    }

    // Templates write the tokens by these names.
    private static ChatRequest WithSpecialTokens(ChatRequest request, Tokenizer tokenizer)
    {
        var variables = (JsonObject)request.Variables.DeepClone();
        foreach ((string name, string? token) in (ReadOnlySpan<(string, string?)>)[("bos_token", tokenizer.BosToken), ("eos_token", tokenizer.EosToken),
            ("unk_token", tokenizer.UnkToken), ("pad_token", tokenizer.PadToken)])
        {
            if (token is not null && !variables.ContainsKey(name))
            {
                variables[name] = token;
            }
        }
        return new ChatRequest
        {
            Messages = request.Messages,
            Tools = request.Tools,
            Documents = request.Documents,
            AddGenerationPrompt = request.AddGenerationPrompt,
            ContinueFinalMessage = request.ContinueFinalMessage,
            Variables = variables,
        };
    }

    // A token counts when it shares a character with what the assistant wrote.
    private static int[] Mask(RenderedChat chat, TokenOffsets[] offsets)
    {
        var mask = new int[offsets.Length];
        foreach (Range span in chat.AssistantSpans)
        {
            int start = Banyan.Tokenizers.Text.Runes.Count(chat.Text.AsSpan(0, span.Start.Value)), end = start + Banyan.Tokenizers.Text.Runes.Count(chat.Text.AsSpan()[span]);
            for (int i = 0; i < mask.Length; i++)
            {
                mask[i] |= offsets[i].Start < end && offsets[i].End > start ? 1 : 0;
            }
        }
        return mask;
    }
}
