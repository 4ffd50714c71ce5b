using Banyan.Tokenizers.ChatTemplates;
using Banyan.Tokenizers.Formats;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.Training;

namespace Banyan.Tokenizers;

/// <summary>
/// Turns text into token ids and back, as the Hugging Face tokenizer of the same <c>tokenizer.json</c> does. Encoding and
/// decoding are safe from several threads; adding tokens and changing properties are not.
/// </summary>
public sealed class Tokenizer
{
    private readonly TextEncoder _encoder;
    private readonly IdEncoder? _fast;
    private Frame? _frame;

    internal Tokenizer(TokenizerParts parts)
    {
        Parts = parts;
        _encoder = new(parts);
        _fast = IdEncoder.TryCreate(parts);
    }

    /// <summary>Cuts encodings that are too long; null cuts nothing. Saved with the tokenizer.</summary>
    public Truncation? Truncation { get; set; }

    /// <summary>Pads encodings; null pads nothing. Saved with the tokenizer.</summary>
    public Padding? Padding { get; set; }

    /// <summary>True treats special tokens that stand in a text as ordinary text. Not saved.</summary>
    public bool EncodeSpecialTokens
    {
        get => Parts.Added.EncodeSpecialTokens;
        set => Parts.Added.EncodeSpecialTokens = value;
    }

    /// <summary>One more than the largest id: the number of rows that an embedding needs.</summary>
    public int VocabularySize => Math.Max(Parts.Model.MaxId, Parts.Added.MaxId) + 1;

    /// <summary>The kind of model: BPE, Unigram, WordPiece or WordLevel.</summary>
    public string ModelType => Parts.Model.Type;

    /// <summary>The tokens that are cut out of a text before the model sees it, by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> AddedTokens => Parts.Added.Tokens;

    internal TokenizerParts Parts { get; }

    internal TokenizerConfig Config { get; set; } = new();

    /// <summary>The token that begins a text, or null: from <c>tokenizer_config.json</c>, else the special token of a customary name.</summary>
    public string? BosToken { get => Config.Token("bos_token"); set => Config.Set("bos_token", value); }

    /// <summary>The token that ends a text, or null; found as <see cref="BosToken"/>.</summary>
    public string? EosToken { get => Config.Token("eos_token"); set => Config.Set("eos_token", value); }

    /// <summary>The token of unknown text, or null; found as <see cref="BosToken"/>.</summary>
    public string? UnkToken { get => Config.Token("unk_token"); set => Config.Set("unk_token", value); }

    /// <summary>The token that fills up a batch, or null; found as <see cref="BosToken"/>.</summary>
    public string? PadToken { get => Config.Token("pad_token"); set => Config.Set("pad_token", value); }

    /// <summary>The id of <see cref="BosToken"/>, or null.</summary>
    public int? BosTokenId => IdOrNull(BosToken);

    /// <summary>The id of <see cref="EosToken"/>, or null.</summary>
    public int? EosTokenId => IdOrNull(EosToken);

    /// <summary>The id of <see cref="PadToken"/>, or null.</summary>
    public int? PadTokenId => IdOrNull(PadToken);

    /// <summary>The Jinja template that turns a conversation into text (<c>tokenizer_config.json</c> or <c>chat_template.jinja</c>), or null.</summary>
    public string? ChatTemplate { get => Config.ChatTemplate; set => Config.ChatTemplate = value; }

    /// <summary>
    /// Reads a tokenizer: <c>tokenizer.json</c>; GPT-2's <c>vocab.json</c> with <c>merges.txt</c> beside it; a <c>.tiktoken</c>
    /// file (pattern and special tokens by its name: cl100k_base, o200k_base, p50k_base, r50k_base, gpt2; else Llama 3's pattern); a
    /// SentencePiece <c>.model</c> (or Llama 3's, which is tiktoken's); BERT's <c>vocab.txt</c>; RWKV's vocabulary <c>*.txt</c>; llama2.c's <c>tokenizer.bin</c>; or a folder that holds one
    /// of these. A <c>tokenizer_config.json</c> beside the file is read too.
    /// </summary>
    /// <param name="path">The file or the folder.</param>
    /// <exception cref="TokenizerFormatException">The file is not what it must be; the message names key and value.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static Tokenizer Load(string path) => TokenizerFiles.Load(path);

    /// <summary>Reads a file of tiktoken's format whose pattern and special tokens are known otherwise.</summary>
    /// <param name="path">The file: lines of base64 and rank.</param>
    /// <param name="pattern">The regular expression that cuts texts into pieces; null is GPT-2's.</param>
    /// <param name="specialTokens">Special tokens and their ids.</param>
    /// <exception cref="TokenizerFormatException">The file is not what it must be, or an id is taken.</exception>
    /// <exception cref="ArgumentException">The pattern is not one that this library matches.</exception>
    public static Tokenizer LoadTiktoken(string path, string? pattern, IReadOnlyDictionary<string, int> specialTokens) =>
        new Tokenizer(Tiktoken.Read(TokenizerFiles.ReadAll(path), path, new(pattern, [.. specialTokens.Select(t => (t.Key, t.Value))]))).WithRoles();

    /// <summary>Reads a tokenizer from the text of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="TokenizerFormatException">The text is not what it must be.</exception>
    public static Tokenizer FromJson(string json) =>
        TokenizerJsonReader.Read(System.Text.Encoding.UTF8.GetBytes(json), "tokenizer.json").WithRoles();

    /// <summary>Makes a tokenizer of a GGUF file's vocabulary. It gives the ids of llama.cpp, which normalizes less than some tokenizer.json do.</summary>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="file">The file that errors name.</param>
    /// <exception cref="TokenizerFormatException">The vocabulary contradicts itself, or its model or pattern is unknown.</exception>
    public static Tokenizer FromGgml(GgmlVocabulary vocabulary, string file = "GGUF") => GgmlTokenizer.Create(vocabulary, file);

    /// <summary>Trains byte-level BPE (as GPT-2 and its successors have it): every text can be encoded, none is unknown.</summary>
    /// <param name="texts">The texts, one by one (lines or documents); read once.</param>
    /// <param name="vocabularySize">Tokens in total: special tokens, 256 bytes, merges.</param>
    /// <param name="specialTokens">Special tokens; they get the first ids.</param>
    /// <param name="pattern">The regular expression that cuts texts into pieces; null is GPT-2's.</param>
    /// <param name="minFrequency">Pairs that occur less often are not merged.</param>
    /// <param name="progress">Told how many merges are done.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public static Tokenizer TrainByteLevel(
        IEnumerable<string> texts,
        int vocabularySize,
        IReadOnlyList<string>? specialTokens = null,
        string? pattern = null,
        int minFrequency = 0,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        new ByteLevelTraining(vocabularySize, specialTokens ?? [], pattern, minFrequency).Train(texts, progress, cancellationToken);

    /// <summary>
    /// Makes a character tokenizer: every character of the texts is one token, numbered by code point behind the special tokens.
    /// It is saved as BPE without merges, which Hugging Face reads.
    /// </summary>
    /// <param name="texts">The texts; read once.</param>
    /// <param name="specialTokens">Special tokens; they get the first ids.</param>
    /// <param name="unkToken">The token of characters that the texts lack (made the first special token if it is not among them); null leaves such characters out.</param>
    public static Tokenizer TrainCharacters(IEnumerable<string> texts, IReadOnlyList<string>? specialTokens = null, string? unkToken = null) =>
        new CharacterTraining(specialTokens ?? [], unkToken).Train(texts).WithRoles();

    /// <summary>Trains WordPiece, as BERT has it: with <c>[PAD] [UNK] [CLS] [SEP] [MASK]</c> as the first ids.</summary>
    /// <param name="texts">The texts, one by one; read once.</param>
    /// <param name="vocabularySize">Tokens in total.</param>
    /// <param name="lowercase">Whether case is lowered and accents go. Default: true.</param>
    /// <param name="minFrequency">Pairs that occur less often are not merged.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public static Tokenizer TrainWordPiece(
        IEnumerable<string> texts, int vocabularySize, bool lowercase = true, int minFrequency = 2, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        TrainingPresets.WordPiece(lowercase).TrainNew(texts, new WordPieceTrainer { VocabularySize = vocabularySize, MinFrequency = minFrequency, SpecialTokens = TrainingPresets.Bert }, progress, cancellationToken);

    /// <summary>Trains a unigram model, as SentencePiece has it: with <c>&lt;unk&gt; &lt;s&gt; &lt;/s&gt;</c> as the first ids.</summary>
    /// <param name="texts">The texts, one by one; read once.</param>
    /// <param name="vocabularySize">Tokens in total.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public static Tokenizer TrainUnigram(IEnumerable<string> texts, int vocabularySize, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        TrainingPresets.Unigram().TrainNew(texts, new UnigramTrainer { VocabularySize = vocabularySize, SpecialTokens = TrainingPresets.SentencePiece }, progress, cancellationToken);

    /// <summary>Makes a word tokenizer: the most frequent words are tokens, others are <c>[UNK]</c>.</summary>
    /// <param name="texts">The texts, one by one; read once.</param>
    /// <param name="vocabularySize">Tokens in total.</param>
    /// <param name="minFrequency">Words that occur less often are unknown.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public static Tokenizer TrainWords(IEnumerable<string> texts, int vocabularySize, int minFrequency = 0, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        TrainingPresets.Words().TrainNew(texts, new WordLevelTrainer { VocabularySize = vocabularySize, MinFrequency = minFrequency, SpecialTokens = ["[UNK]"] }, progress, cancellationToken);

    /// <summary>Trains a new tokenizer with the normalizer, pre-tokenizer, post-processor and decoder of this one.</summary>
    /// <param name="texts">The texts, one by one; read once.</param>
    /// <param name="trainer">The model to learn and its settings.</param>
    /// <param name="progress">Told how far the training is.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public Tokenizer TrainNew(
        IEnumerable<string> texts,
        Trainer trainer,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        WordCounts words = new TextFeed(Parts).Count(texts, progress, cancellationToken);
        Tokenizer result = new(Parts.WithModel(trainer.Train(words, progress, cancellationToken))) { Truncation = Truncation, Padding = Padding };
        result.AddTokens([.. trainer.SpecialTokens.Select(t => new AddedToken(t, Special: true))]);
        return result.WithRoles();
    }

    /// <summary>
    /// Writes <c>tokenizer.json</c>, which Hugging Face reads, and in a folder <c>tokenizer_config.json</c> too. Each file appears whole
    /// or not at all.
    /// </summary>
    /// <param name="path">The file, or a folder (an existing one, or a path without an extension), which is made where need be.</param>
    public void Save(string path) => TokenizerFiles.Save(this, path);

    /// <summary>The text of <c>tokenizer.json</c>.</summary>
    public string ToJson() => System.Text.Encoding.UTF8.GetString(TokenizerJsonWriter.Write(this));

    /// <summary>The id of a token, or null.</summary>
    /// <param name="token">The token as the vocabulary writes it.</param>
    public int? TokenToId(string token) => Parts.Added.IdOf(token) is >= 0 and int id ? id : null;

    /// <summary>The token of an id as the vocabulary writes it, or null.</summary>
    /// <param name="id">The id.</param>
    public string? IdToToken(int id) => Parts.Added.TokenOf(id);

    /// <summary>Adds tokens that are found in texts as a whole. One that the vocabulary has keeps its id; others follow the largest id.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <returns>How many were new.</returns>
    public int AddTokens(params IReadOnlyList<AddedToken> tokens)
    {
        _frame = null;
        return Parts.Added.Add(tokens);
    }

    /// <summary>Encodes a text.</summary>
    /// <param name="text">The text; a lone surrogate reads as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor puts its special tokens around the text.</param>
    public Encoding Encode(string text, bool addSpecialTokens = true) => Finish(_encoder.Encode(text, 0), null, addSpecialTokens);

    /// <summary>Encodes a pair of texts.</summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second.</param>
    /// <param name="addSpecialTokens">Whether special tokens are put around and between.</param>
    public Encoding Encode(string text, string pair, bool addSpecialTokens = true) =>
        Finish(_encoder.Encode(text, 0), _encoder.Encode(pair, 1), addSpecialTokens);

    /// <summary>Encodes text that is cut into words already; offsets count within each word.</summary>
    /// <param name="words">The words.</param>
    /// <param name="pair">The words of a second sequence, if any.</param>
    /// <param name="addSpecialTokens">Whether special tokens are put around and between.</param>
    public Encoding EncodeWords(IReadOnlyList<string> words, IReadOnlyList<string>? pair = null, bool addSpecialTokens = true) =>
        Finish(_encoder.EncodeWords(words, 0), pair is null ? null : _encoder.EncodeWords(pair, 1), addSpecialTokens);

    /// <summary>Encodes several texts and pads them to one length where <see cref="Padding"/> says so.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="addSpecialTokens">Whether special tokens are put around each.</param>
    public Encoding[] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens = true)
    {
        Encoding[] batch = [.. texts.Select(t => Encode(t, addSpecialTokens))];
        Padding?.Apply(batch);
        return batch;
    }

    /// <summary>A conversation as tokens, rendered by <see cref="ChatTemplate"/>.</summary>
    /// <param name="request">The conversation; <c>bos_token</c> and its like are added to its variables.</param>
    /// <param name="options">Limits of the template. Default: <see cref="ChatTemplateOptions"/>.</param>
    /// <exception cref="InvalidOperationException">There is no chat template.</exception>
    /// <exception cref="ChatTemplateException">The template is wrong, or refuses the conversation.</exception>
    public ChatEncoding EncodeChat(ChatRequest request, ChatTemplateOptions? options = null) => ChatEncoding.Create(this, request, options);

    /// <summary>The ids of a text: what <see cref="Encode(string, bool)"/> gives, without the cost of offsets.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether special tokens are put around the text.</param>
    public int[] EncodeToIds(string text, bool addSpecialTokens = true)
    {
        List<int> ids = new((text.Length / 3) + 8);
        EncodeToIds(text, ids, addSpecialTokens);
        return [.. ids];
    }

    /// <summary>Appends the ids of a text to a list.</summary>
    /// <param name="text">The text.</param>
    /// <param name="output">Gets the ids.</param>
    /// <param name="addSpecialTokens">Whether special tokens are put around the text.</param>
    public void EncodeToIds(ReadOnlySpan<char> text, List<int> output, bool addSpecialTokens = true)
    {
        Frame? frame = addSpecialTokens ? _frame ??= FindFrame() : null;
        if (_fast is null || Truncation is not null || Padding is not null || frame is { IsSimple: false })
        {
            output.AddRange(Encode(text.ToString(), addSpecialTokens).Ids);
            return;
        }
        output.AddRange(frame?.Before ?? []);
        _fast.Encode(text, output);
        output.AddRange(frame?.After ?? []);
    }

    /// <summary>The text of ids; ids that are unknown are skipped.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out.</param>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens = true)
    {
        List<string> tokens = new(ids.Count);
        for (int i = 0; i < ids.Count; i++)
        {
            if (TextOf(ids[i], skipSpecialTokens) is { } text)
            {
                tokens.Add(text);
            }
        }
        return Parts.Decoder?.Decode(tokens) ?? string.Join(' ', tokens);
    }

    /// <summary>Begins decoding token by token.</summary>
    /// <param name="skipSpecialTokens">Leaves special tokens out.</param>
    /// <param name="prefix">Tokens that came before and whose text is known already.</param>
    public DecodeStream DecodeStream(bool skipSpecialTokens = true, IEnumerable<int>? prefix = null) =>
        new(this, prefix ?? [], skipSpecialTokens);

    /// <summary>What the decoder is given for an id; null where it is unknown or skipped.</summary>
    internal string? TextOf(int id, bool skipSpecialTokens) =>
        Parts.Added.TokenOf(id) is { } token && !(skipSpecialTokens && Parts.Added.IsSpecial(token)) ? Parts.Added.TextOf(id) : null;

    private int? IdOrNull(string? token) => token is null ? null : TokenToId(token);

    private Tokenizer WithRoles()
    {
        Config.Completed(Parts);
        return this;
    }

    private Encoding Finish(Encoding first, Encoding? second, bool addSpecialTokens)
    {
        if (Truncation is { } truncation)
        {
            int AddedTo(bool pair) => addSpecialTokens ? Parts.PostProcessor?.AddedTokens(pair) ?? 0 : 0;
            int room = truncation.MaxLength - AddedTo(pair: false);
            if (room >= 0 && truncation.Stride > room)
            {
                throw new InvalidOperationException($"truncation's stride is {truncation.Stride}; expected at most {room}: max_length {truncation.MaxLength} less the special tokens");
            }
            // As in the reference: a length that does not even hold the special tokens truncates nothing.
            room = truncation.MaxLength - AddedTo(second is not null);
            (first, second) = room < 0 ? (first, second) : truncation.Apply(first, second, room);
        }
        Encoding result = PostProcessor.Run(Parts.PostProcessor, first, second, addSpecialTokens);
        Padding?.Apply([result]);
        return result;
    }

    private Frame FindFrame()
    {
        const int Marker = -1;
        Encoding probe = new([new(Marker, "", 0, 0, 0, 0, 0)]);
        int[] ids = PostProcessor.Run(Parts.PostProcessor, probe, null, addSpecialTokens: true).Ids;
        int at = Array.IndexOf(ids, Marker);
        return at < 0 || Array.LastIndexOf(ids, Marker) != at ? new([], [], false) : new(ids[..at], ids[(at + 1)..], true);
    }

    /// <summary>What the post-processor writes before and after a single sequence; not simple where it does more than that.</summary>
    private sealed record Frame(int[] Before, int[] After, bool IsSimple);
}
