using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Data.Readers;
using Banyan.Tokenizers;
using Banyan.Tokenizers.Training;

namespace Banyan.Cli.Verbs;

/// <summary>Trains a tokenizer.</summary>
internal sealed class TokenizerTrainVerb : Verb
{
    public override string Name => "tokenizer train";

    public override string Summary => "Trains a tokenizer on text: byte-level BPE, WordPiece, unigrams, words or characters.";

    public override string Example => "tokenizer train texts/ --vocab-size 8192 --out tokenizer.json";

    public override IReadOnlyList<string> Arguments => ["file"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("type", "bpe, wordpiece, unigram, word or char (bpe)."), new("cased", "wordpiece: keep case and accents.", SettingKind.Flag), new("vocab_size", "Tokens in total (4096)."), new("min_frequency", "Pairs that occur less often are not merged (2)."),
        new("special", "A special token; may be given several times (<|endoftext|>).", SettingKind.Text), new("out", "Where to write (tokenizer.json).", SettingKind.Text),
        new("text_key", "Key of the text in .jsonl and .csv (text).", SettingKind.Text), new("strict", "Refuse text that is not UTF-8.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string type = s.Text("type", "bpe");
        if (type is not ("bpe" or "wordpiece" or "unigram" or "word" or "char"))
        {
            throw new UsageException($"type is '{type}'; expected bpe, wordpiece, unigram, word or char");
        }
        if (type is not ("bpe" or "char") && s.Has("special"))
        {
            throw new UsageException($"special: the special tokens of {type} are fixed; expected type=bpe or type=char");
        }
        int size = s.Int("vocab_size", 4096, type == "bpe" ? 257 : 10, 1 << 20), frequency = s.Int("min_frequency", 2, 0);
        string[] special = s.Texts("special") is { Length: > 0 } given ? given : type == "char" ? [] : ["<|endoftext|>"];
        var reader = new DocumentReader(new DocumentReaderOptions { TextKey = s.Text("text_key", "text"), Strict = s.Flag("strict") });
        var clock = Stopwatch.StartNew();
        long characters = 0;
        IEnumerable<string> texts = reader.Read(s.Texts("file")).Select(d => { characters += d.Text.Length; return d.Text; });
        using ProgressLine bar = output.Progress("merges", size);
        var progress = new Merges(bar);
        Tokenizer tokenizer = type switch
        {
            "char" => Tokenizer.TrainCharacters(texts, special),
            "wordpiece" => Tokenizer.TrainWordPiece(texts, size, !s.Flag("cased"), frequency, progress, stop),
            "unigram" => Tokenizer.TrainUnigram(texts, size, progress, stop),
            "word" => Tokenizer.TrainWords(texts, size, frequency, progress, stop),
            _ => Tokenizer.TrainByteLevel(texts, size, special, minFrequency: frequency, progress: progress, cancellationToken: stop),
        };
        bar.Break();
        if (characters == 0)
        {
            throw new InvalidDataException($"{string.Join(", ", s.Texts("file"))}: no text in it; expected at least one document with some text");
        }
        string path = s.Text("out", "tokenizer.json");
        tokenizer.Save(path);
        output.Line(FormattableString.Invariant($"{tokenizer.VocabularySize} tokens in {clock.Elapsed.TotalSeconds:F2} s: {path}"));
        output.Document(new JsonObject { ["tokenizer"] = path, ["vocab_size"] = tokenizer.VocabularySize, ["seconds"] = clock.Elapsed.TotalSeconds });
        return 0;
    }

    private sealed class Merges(ProgressLine bar) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Total > 0)
            {
                bar.Report(value.Done, value.Stage);
            }
        }
    }
}

/// <summary>Turns text into ids.</summary>
internal sealed class TokenizerEncodeVerb : Verb
{
    public override string Name => "tokenizer encode";

    public override string Summary => "Ids, tokens and offsets (in code points) of a text.";

    public override string Example => "tokenizer encode tokenizer.json --text \"Hello, world\"";

    public override IReadOnlyList<string> Arguments => ["path"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("text", "The text.", SettingKind.Text), new("file", "A file with the text.", SettingKind.Text),
        new("no_special", "Without the tokens that the tokenizer puts around a text.", SettingKind.Flag), new("strict", "Refuse a file that is not UTF-8.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        Tokenizer tokenizer = Tokenizer.Load(s.Text("path"));
        Encoding encoding = tokenizer.Encode(InputText.Read(s), !s.Flag("no_special"));
        output.Line(string.Join(' ', encoding.Ids));
        if (output.IsJson)
        {
            output.Document(new JsonObject
            {
                ["ids"] = Reporter.Ids(encoding.Ids),
                ["tokens"] = new JsonArray([.. encoding.Tokens.Select(t => (JsonNode?)JsonValue.Create(t))]),
                ["offsets"] = new JsonArray([.. encoding.Offsets.Select(o => new JsonArray(o.Start, o.End))]),
            });
        }
        return 0;
    }
}

/// <summary>Turns ids into text.</summary>
internal sealed class TokenizerDecodeVerb : Verb
{
    public override string Name => "tokenizer decode";

    public override string Summary => "The text of token ids.";

    public override string Example => "tokenizer decode tokenizer.json --ids 15496,11,995";

    public override IReadOnlyList<string> Arguments => ["path"];

    public override IReadOnlyList<Setting> Settings => [new("ids", "The ids: 1,2,3.", SettingKind.Text), new("keep_special", "Show special tokens.", SettingKind.Flag)];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        Tokenizer tokenizer = Tokenizer.Load(s.Text("path"));
        int[] ids = IdList.Parse(s.Text("ids"));
        if (Array.FindIndex(ids, id => tokenizer.IdToToken(id) is null) is var at && at >= 0)
        {
            throw new InvalidDataException($"{s.Text("path")}: has no token with the id {ids[at]}; it has {tokenizer.VocabularySize} tokens");
        }
        string text = tokenizer.Decode(ids, skipSpecialTokens: !s.Flag("keep_special"));
        output.Line(text);
        output.Document(new JsonObject { ["text"] = text });
        return 0;
    }
}
