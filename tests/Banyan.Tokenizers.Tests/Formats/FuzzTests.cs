using System.Buffers.Binary;
using Banyan.Testing;
using Banyan.Tokenizers.Formats;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>Damaged tokenizer files: every reader reads them or throws <see cref="TokenizerFormatException"/>; what was read encodes.</summary>
public sealed class FuzzTests
{
    private const string Text = "hello world <sep> 中文 ab12";

    private const long MaxBytes = 64L << 20;

    [Theory]
    [InlineData("json"), InlineData("tiktoken"), InlineData("model"), InlineData("bin"), InlineData("config"), InlineData("merges")]
    public void Few_damaged_files_are_read_or_refused(string kind) => Run(kind, Fuzz.Few);

    [Theory, Trait("Category", "Slow")]
    [InlineData("json"), InlineData("tiktoken"), InlineData("model"), InlineData("bin"), InlineData("config"), InlineData("merges")]
    public void Many_damaged_files_are_read_or_refused(string kind) => Run(kind, Fuzz.Many);

    private static void Run(string kind, int count)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["vocab.json"], "{\"a\":0,\"b\":1,\"ab\":2,\"c\":3,\"abc\":4}");
        (byte[][] samples, Action<byte[]> read) = kind switch
        {
            "json" => (JsonSamples(), b => Use(Tokenizer.FromJson(System.Text.Encoding.UTF8.GetString(b)))),
            "tiktoken" => (Tiktokens(), b => Use(new(Tiktoken.Read(b, "x.tiktoken", TiktokenEncoding.Of("x"))))),
            "model" => (Models(), b => Use(new(SentencePieceReader.Read(b, "x.model", new())))),
            "bin" => (Bins(), b => Use(new(Llama2cTokenizer.Read(b, "x.bin")))),
            "config" => (Configs(), b => TokenizerConfig.Parse(b, "tokenizer_config.json").ToUtf8()),
            _ => ((byte[][])["#version: 0.2\na b\nab c\n"u8.ToArray()], (Action<byte[]>)(b => ReadMerges(b, folder))),
        };
        Fuzz.Run(samples, count, MaxBytes, read, e => e is TokenizerFormatException);
    }

    /// <summary>A text may need a token that the file lacks: that is an error of encoding, not of reading.</summary>
    private static void Use(Tokenizer tokenizer)
    {
        try
        {
            tokenizer.Decode(tokenizer.EncodeToIds(Text));
            tokenizer.ToJson();
        }
        catch (InvalidOperationException)
        {
        }
    }

    private static void ReadMerges(byte[] merges, TemporaryFolder folder)
    {
        File.WriteAllBytes(folder["merges.txt"], merges);
        Use(Tokenizer.Load(folder["vocab.json"]));
    }

    private static byte[][] JsonSamples()
    {
        string[] files =
        [
            Tokenizer.TrainByteLevel(["hello world hello world"], 262, ["<sep>"]).ToJson(),
            Tokenizer.TrainCharacters([Text], ["<sep>"], "<unk>").ToJson(),
            new Tokenizer(SentencePieceReader.Read(ProtoSample.Model(ProtoSample.Unigram, byteFallback: false), "m", new())).ToJson(),
            new Tokenizer(SentencePieceReader.Read(ProtoSample.Model(ProtoSample.Bpe, byteFallback: true), "m", new())).ToJson(),
            """
            {"version":"1.0","truncation":{"direction":"Right","max_length":9,"strategy":"LongestFirst","stride":2},
             "padding":{"strategy":{"Fixed":12},"direction":"Left","pad_to_multiple_of":8,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},
             "added_tokens":[{"id":0,"content":"[PAD]","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,"special":true}],
             "normalizer":{"type":"Sequence","normalizers":[{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
              {"type":"NFKC"},{"type":"Replace","pattern":{"String":"l"},"content":"LL"},{"type":"Strip","strip_left":true,"strip_right":true}]},
             "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"BertPreTokenizer"},{"type":"Digits","individual_digits":true},{"type":"FixedLength","length":5},
              {"type":"Split","pattern":{"String":"o"},"behavior":"MergedWithNext","invert":false},{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":true}]},
             "post_processor":{"type":"BertProcessing","sep":["c",3],"cls":["a",0]},
             "decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
             "model":{"type":"WordPiece","unk_token":"b","continuing_subword_prefix":"##","max_input_chars_per_word":20,"vocab":{"a":0,"b":1,"##c":2,"c":3,"h":4}}}
            """,
        ];
        return [.. files.Select(System.Text.Encoding.UTF8.GetBytes)];
    }

    private static byte[][] Tiktokens()
    {
        IEnumerable<byte[]> tokens = [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b }), "he"u8.ToArray(), "ll"u8.ToArray(), "hell"u8.ToArray(), "hello"u8.ToArray()];
        string text = string.Join('\n', tokens.Select((t, i) => $"{Convert.ToBase64String(t)} {i}"));
        return [System.Text.Encoding.UTF8.GetBytes(text)];
    }

    private static byte[][] Models() =>
    [
        ProtoSample.Model(ProtoSample.Unigram, byteFallback: false),
        ProtoSample.Model(ProtoSample.Unigram, byteFallback: true),
        ProtoSample.Model(ProtoSample.Bpe, byteFallback: false),
        ProtoSample.Model(ProtoSample.Bpe, byteFallback: true),
    ];

    private static byte[][] Bins()
    {
        List<byte> file = [5, 0, 0, 0];
        byte[] number = new byte[8];
        string[] tokens = [.. Enumerable.Range(0, 259).Select(i => $"{i}"), " ", "h", "e", "l", "o", "he", "ll", "hell", "hello", " w"];
        for (int i = 0; i < tokens.Length; i++)
        {
            byte[] text = System.Text.Encoding.UTF8.GetBytes(tokens[i]);
            BinaryPrimitives.WriteSingleLittleEndian(number, -i);
            BinaryPrimitives.WriteInt32LittleEndian(number.AsSpan(4), text.Length);
            file.AddRange([.. number, .. text]);
        }
        return [[.. file]];
    }

    private static byte[][] Configs() =>
    [
        """
        {"bos_token":{"content":"<s>","lstrip":false},"eos_token":"</s>","pad_token":null,"chat_template":[{"name":"default","template":"{{ x }}"}],"add_bos_token":true,
         "added_tokens_decoder":{"0":{"content":"<s>","special":true},"7":{"content":"</s>","lstrip":true}},"model_max_length":1e30,"extra":[1,{"a":"b"}]}
        """u8.ToArray(),
    ];
}
