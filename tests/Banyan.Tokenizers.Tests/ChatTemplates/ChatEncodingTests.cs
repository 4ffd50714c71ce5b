using System.Text.Json.Nodes;
using Banyan.Tokenizers.ChatTemplates;

namespace Banyan.Tokenizers.Tests.ChatTemplates;

public sealed class ChatEncodingTests
{
    private static Tokenizer Characters(string template)
    {
        Tokenizer tokenizer = Tokenizer.TrainCharacters(["user asistnbo:<>\n👍hié"], ["<s>"], "<s>");
        tokenizer.BosToken = "<s>";
        tokenizer.ChatTemplate = template;
        return tokenizer;
    }

    private const string Marked = "{{ bos_token }}{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '\\n' }}{% endfor %}";

    [Fact]
    public void Mask_covers_what_the_assistant_wrote_and_nothing_else()
    {
        Tokenizer tokenizer = Characters(Marked);
        ChatEncoding chat = tokenizer.EncodeChat(ChatRequest.Of(("user", "hi 👍"), ("assistant", "é👍bo"), ("user", "no")));
        Assert.Equal("<s>user: hi 👍\nassistant: é👍bo\nuser: no\n", chat.Text);
        Assert.Equal(tokenizer.BosTokenId, chat.Ids[0]);
        Assert.Equal("é👍bo", tokenizer.Decode([.. chat.Ids.Where((_, i) => chat.AssistantMask[i] == 1)]));
        Assert.Equal(chat.Ids.Length, chat.AssistantMask.Length);
    }

    [Fact]
    public void Raised_error_carries_the_template_s_words_and_place()
    {
        Tokenizer tokenizer = Characters("{{ bos_token }}\n  {{ raise_exception('no system role') }}");
        ChatTemplateException e = Assert.Throws<ChatTemplateException>(() => tokenizer.EncodeChat(ChatRequest.Of(("user", "hi"))));
        Assert.Equal((ChatTemplateError.Raised, "no system role", 2), (e.Kind, e.Problem, e.Line));
        Assert.Contains("line 2, column", e.Message);
    }

    [Fact]
    public void A_tokenizer_without_template_says_so() =>
        Assert.Contains("no chat template", Assert.Throws<InvalidOperationException>(() => Tokenizer.TrainCharacters(["a"]).EncodeChat(ChatRequest.Of(("user", "a")))).Message);

    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{{ 'a' * 1000000000 }}")]
    [InlineData("{{ 9 ** 999999 }}")]
    [InlineData("{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    public void Limits_end_a_hostile_template(string source) =>
        Assert.Equal(ChatTemplateError.Limit, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render(new JsonObject())).Kind);

    [Fact]
    public void Smaller_limits_are_kept()
    {
        var options = new ChatTemplateOptions { MaxCharacters = 10 };
        Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse("{{ 'abcdef' }}{{ 'abcdef' }}", options).Render(new JsonObject()));
        Assert.Equal("abcdef", ChatTemplate.Parse("{{ 'abcdef' }}", options).Render(new JsonObject()).Text);
    }
}
