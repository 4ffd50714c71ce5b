using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>Every kind of path that <see cref="Tokenizer.Load"/> takes, and what <see cref="Tokenizer.Save"/> writes.</summary>
public sealed class LoadTests
{
    private const string Text = "Hello, world! It's the 21st century: naïve café 中文 😀\n\tend  ";

    [GoldenFact, Trait("Category", "Golden")]
    public void Reads_the_tokenizer_of_llama2c()
    {
        Tokenizer tokenizer = Tokenizer.Load(SharedFolder.Get("assets", "weights", "stories260K", "tok512.bin"));
        JsonElement golden = Expected.Read("assets", "weights", "stories260K", "golden_stories260K.json");
        Assert.Equal(512, tokenizer.VocabularySize);
        Assert.Equal((1, 2), (tokenizer.BosTokenId, tokenizer.EosTokenId));
        foreach (JsonElement c in golden.GetProperty("cases").EnumerateArray())
        {
            string prompt = c.GetProperty("prompt").GetString()!;
            Assert.Equal(Expected.Ints(c.GetProperty("prompt_tokens")), tokenizer.EncodeToIds(prompt));
            Assert.Equal(prompt, tokenizer.Decode(tokenizer.EncodeToIds(prompt)));
        }
        int[] story = Expected.Ints(golden.GetProperty("cases")[0].GetProperty("greedy_tokens"));
        Assert.StartsWith("Once upon a time, there was a little girl named Lily.", tokenizer.Decode(story), StringComparison.Ordinal);
    }

    [GoldenFact, Trait("Category", "Golden")]
    public void Reads_vocab_and_merges_as_the_json_of_the_same_model()
    {
        Tokenizer folder = Tokenizer.Load(SharedFolder.Get("goldens", "convert", "gpt2", "hf"));
        using TemporaryFolder pair = new();
        File.Copy(SharedFolder.Get("goldens", "convert", "gpt2", "hf", "vocab.json"), pair["vocab.json"]);
        File.Copy(SharedFolder.Get("goldens", "convert", "gpt2", "hf", "merges.txt"), pair["merges.txt"]);
        Tokenizer files = Tokenizer.Load(pair.Path);
        Assert.Equal(folder.EncodeToIds(Text), files.EncodeToIds(Text));
        Assert.Equal(files.EncodeToIds(Text), Tokenizer.Load(pair["vocab.json"]).EncodeToIds(Text));
        Assert.Equal(Text, files.Decode(files.EncodeToIds(Text)));
    }

    [GoldenTheory, Trait("Category", "Golden")]
    [InlineData("tokenizers/tiktoken/cl100k_base.tiktoken")]
    [InlineData("tokenizers/torchtune/tiktoken_small.model")]
    [InlineData("tokenizers/mistral/tokenizer.model.v1")]
    [InlineData("tokenizers/t5/spiece.model")]
    [InlineData("weights/stories260K/tok512.bin")]
    public void Saved_file_gives_the_same_ids(string asset)
    {
        Tokenizer first = Tokenizer.Load(SharedFolder.Get("assets", asset));
        using TemporaryFolder folder = new();
        first.Save(folder["saved"]);
        Tokenizer second = Tokenizer.Load(folder["saved"]);
        Assert.Equal(first.EncodeToIds(Text), second.EncodeToIds(Text));
        Assert.Equal(first.Decode(first.EncodeToIds(Text)), second.Decode(first.EncodeToIds(Text)));
        Assert.Equal((first.BosTokenId, first.EosTokenId, first.VocabularySize), (second.BosTokenId, second.EosTokenId, second.VocabularySize));
        Assert.Equal(["tokenizer.json", "tokenizer_config.json"], Directory.GetFiles(folder["saved"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Character_tokenizer_numbers_characters_and_survives_saving()
    {
        Tokenizer tokenizer = Tokenizer.TrainCharacters(["hello 😀\n", "world"], ["<|endoftext|>"]);
        using TemporaryFolder folder = new();
        tokenizer.Save(folder.Path);
        Tokenizer again = Tokenizer.Load(folder.Path);
        foreach (Tokenizer t in (Tokenizer[])[tokenizer, again])
        {
            Assert.Equal(11, t.VocabularySize);
            Assert.Equal(0, t.EosTokenId);
            Assert.Equal([5, 4, 6, 6, 7, 2, 10, 1], t.EncodeToIds("hello 😀\n"));
            Assert.Equal(t.EncodeToIds("hello 😀\n"), t.Encode("hello 😀\n").Ids);
            Assert.Equal([5, 7, 0], t.EncodeToIds("hXo<|endoftext|>"));
            Assert.Equal("hello 😀\n", t.Decode([5, 4, 6, 6, 7, 2, 10, 1, 0]));
        }
    }

    [Fact]
    public void Character_tokenizer_may_have_an_unknown_token()
    {
        Tokenizer tokenizer = Tokenizer.TrainCharacters(["ab"], [], "<unk>");
        Assert.Equal([1, 0, 0, 2], tokenizer.EncodeToIds("axyb"));
        Assert.Equal(tokenizer.Encode("axyb").Ids, tokenizer.EncodeToIds("axyb"));
    }

    [Fact]
    public void Configuration_is_read_and_written_back_with_keys_that_are_not_known()
    {
        using TemporaryFolder folder = new();
        Tokenizer.TrainByteLevel(["to be or not to be"], 260, ["<|endoftext|>"]).Save(folder.Path);
        File.WriteAllText(folder["tokenizer_config.json"], """{"eos_token":{"content":"<|endoftext|>"},"chat_template":"{{ x }}","model_max_length":77,"pad_token":null}""");
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(("<|endoftext|>", 0, "{{ x }}"), (tokenizer.EosToken, tokenizer.EosTokenId, tokenizer.ChatTemplate));
        tokenizer.Save(folder["copy"]);
        JsonElement config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder["copy"], "tokenizer_config.json"))).RootElement;
        Assert.Equal(77, config.GetProperty("model_max_length").GetInt32());
        Assert.Equal("<|endoftext|>", config.GetProperty("eos_token").GetString());
    }

    [Theory]
    [InlineData("vocab.json", "{\"a\":0,\"b\":1}", "merges.txt", "a c")]
    [InlineData("vocab.json", "{\"a\":0,\"b\":1,\"ab\":2}", "merges.txt", "a b c")]
    [InlineData("vocab.json", "{\"a\":-1}", "merges.txt", "")]
    [InlineData("vocab.json", "[1]", "merges.txt", "")]
    [InlineData("tokenizer.json", "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", "tokenizer_config.json", "[]")]
    [InlineData("tokenizer.json", "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", "tokenizer_config.json", "{\"eos_token\":3}")]
    [InlineData("tokenizer.bin", "abcdefghijklmnop", "other", "")]
    [InlineData("x.tiktoken", "YQ== 1\nYQ== 2", "other", "")]
    [InlineData("tokenizer.model", "\u0001\u0002", "other", "")]
    public void Broken_files_are_refused_with_the_file_named(string name, string content, string second, string other)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder[name], content);
        File.WriteAllText(folder[second], other);
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(folder.Path));
        Assert.Contains(folder.Path, error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(folder.Path));
        Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(folder["tokenizer.json"]));
    }
}
