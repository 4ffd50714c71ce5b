using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Data.Readers;
using Banyan.Data.Shards;
using Banyan.Tokenizers;

namespace Banyan.Training;

/// <summary>Tokens to train on and to validate on, and the tokenizer that made them. Texts are tokenised once, into memory-mapped shards.</summary>
public sealed class TrainingCorpus : IDisposable
{
    private const string End = "<|endoftext|>";

    private readonly List<TokenCorpus> _opened = [];

    private TrainingCorpus(Tokenizer tokenizer, TokenCorpus training, TokenCorpus validation, string packing, string key) =>
        (Tokenizer, Training, Validation, Packing, Key) = (tokenizer, training, validation, packing, key);

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>What trains.</summary>
    public TokenCorpus Training { get; }

    /// <summary>What is held out.</summary>
    public TokenCorpus Validation { get; }

    /// <summary>Names files, options and tokenizer: a run resumes only on the same.</summary>
    public string Key { get; }

    /// <summary>How sequences are cut.</summary>
    public string Packing { get; }

    /// <summary>Reads, or finds what an earlier run has read.</summary>
    /// <param name="options">What to read and how.</param>
    /// <param name="folder">Where shards and a trained tokenizer go.</param>
    /// <param name="seed">Chooses held-out documents.</param>
    /// <param name="progress">Told in words what is done.</param>
    /// <param name="cancellationToken">Stops between documents.</param>
    public static TrainingCorpus Prepare(DataOptions options, string folder, long seed, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        string key = KeyOf(options);
        string place = Path.Combine(folder, key[..16]);
        Directory.CreateDirectory(place);
        Tokenizer tokenizer = FindTokenizer(options, place, progress, cancellationToken);
        TokenCorpus all = Open(options.Train, "train", options, place, tokenizer, progress, cancellationToken);
        if (options.Validation.Count > 0)
        {
            TokenCorpus validation = Open(options.Validation, "validation", options, place, tokenizer, progress, cancellationToken);
            return new TrainingCorpus(tokenizer, all, validation, options.Packing, key) { _opened = { all, validation } };
        }
        (TokenCorpus training, TokenCorpus heldOut) = options.SplitDocuments ? all.SplitByDocument(options.Split, (ulong)seed) : all.SplitByPosition(options.Split);
        return new TrainingCorpus(tokenizer, training, heldOut, options.Packing, key) { _opened = { all } };
    }

    /// <summary>The batches of training.</summary>
    public TokenBatches TrainingBatches(TrainOptions train, long seed) => new(Source(Training, train.Sequence, shuffle: true), (ulong)seed, train.Batch, train.Accumulation);

    /// <summary>The batches of an evaluation, from the first held-out token on.</summary>
    public TokenBatches ValidationBatches(TrainOptions train) => new(Source(Validation, train.Sequence, shuffle: false), 0, train.Batch);

    /// <inheritdoc/>
    public void Dispose() => _opened.ForEach(c => c.Dispose());

    private SequenceSource Source(TokenCorpus corpus, int length, bool shuffle) => Packing switch
    {
        "documents" => new PackedDocuments(corpus, length),
        "random" when shuffle => new RandomBlocks(corpus, length),
        _ => new StreamBlocks(corpus, length, shuffle),
    };

    // A file that changed, or another option, is another key: nothing stale is ever read.
    private static string KeyOf(DataOptions o)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{o.Tokenizer}|{o.VocabSize}|{o.Split}|{o.SplitDocuments}|{o.Packing}|{o.Reader}");
        foreach (string path in DocumentReader.FilesOf(o.Train).Append("/").Concat(o.Validation.Count > 0 ? DocumentReader.FilesOf(o.Validation) : []))
        {
            var file = new FileInfo(path);
            text.Append(CultureInfo.InvariantCulture, $"|{Path.GetFullPath(path)}|{(file.Exists ? file.Length : 0)}|{(file.Exists ? file.LastWriteTimeUtc.Ticks : 0)}");
        }
        return Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static Tokenizer FindTokenizer(DataOptions o, string place, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (o.Tokenizer is not ("char" or "bpe"))
        {
            return Path.Exists(o.Tokenizer) ? Tokenizer.Load(o.Tokenizer)
                : throw new CheckpointException("data.tokenizer", $"there is no file or folder {o.Tokenizer}; expected bpe, char, or the path of a tokenizer");
        }
        string file = Path.Combine(place, "tokenizer.json");
        if (File.Exists(file))
        {
            return Tokenizer.Load(file);
        }
        progress?.Report($"training a tokenizer ({o.Tokenizer})");
        IEnumerable<string> texts = new DocumentReader(o.Reader).Read(o.Train).Select(d => d.Text);
        Tokenizer trained = o.Tokenizer == "char" ? Tokenizer.TrainCharacters(texts)
            : Tokenizer.TrainByteLevel(texts, o.VocabSize, [End], cancellationToken: cancellationToken);
        if (o.Tokenizer == "bpe" && o.Packing != "random")
        {
            trained = BeginningWith(trained, End);
        }
        if (trained.VocabularySize == 0)
        {
            throw NoText(o.Train);
        }
        trained.Save(file);
        return trained;
    }

    // Documents that stand apart begin with the mark that ends them, as texts do when the model is asked: so their first word is predicted too.
    private static Tokenizer BeginningWith(Tokenizer tokenizer, string mark)
    {
        JsonNode json = JsonNode.Parse(tokenizer.ToJson())!;
        json["post_processor"] = new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Special(mark), Sequence("A")),
            ["pair"] = new JsonArray(Special(mark), Sequence("A"), Special(mark), Sequence("B")),
            ["special_tokens"] = new JsonObject
            {
                [mark] = new JsonObject { ["id"] = mark, ["ids"] = new JsonArray(tokenizer.TokenToId(mark)!.Value), ["tokens"] = new JsonArray(mark) },
            },
        };
        return Tokenizer.FromJson(json.ToJsonString());
    }

    private static JsonObject Special(string id) => new() { ["SpecialToken"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };

    private static JsonObject Sequence(string id) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = id == "A" ? 0 : 1 } };

    private static TokenCorpus Open(IReadOnlyList<string> sources, string name, DataOptions o, string place, Tokenizer tokenizer, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        string fingerprint = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(tokenizer.ToJson())));
        string path = Path.Combine(place, name + TokenShard.Extension);
        if (!File.Exists(path))
        {
            progress?.Report($"tokenising {string.Join(", ", sources)}");
            Write(sources, path, fingerprint, o, tokenizer, progress, cancellationToken);
        }
        return TokenShard.Open(path, fingerprint);
    }

    private static void Write(IReadOnlyList<string> sources, string path, string fingerprint, DataOptions o, Tokenizer tokenizer, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        using var shard = new ShardWriter(path, tokenizer.VocabularySize, fingerprint);
        var reader = new DocumentReader(o.Reader);
        var ids = new List<int>();
        int? end = ModelPlan.EndId(tokenizer);
        foreach (TextDocument document in reader.Read(sources))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ids.Clear();
            tokenizer.EncodeToIds(document.Text, ids);
            if (end is { } id)
            {
                ids.Add(id);
            }
            shard.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids));
        }
        if (shard.TokenCount == 0)
        {
            throw NoText(sources);
        }
        if (reader.ReplacedSequences > 0)
        {
            progress?.Report($"{reader.ReplacedSequences} invalid UTF-8 sequences were replaced (data.strict=true refuses them)");
        }
        shard.Complete();
    }

    private static InvalidDataException NoText(IEnumerable<string> sources) =>
        new($"{string.Join(", ", sources)}: no text in it; expected at least one document with some text");
}
