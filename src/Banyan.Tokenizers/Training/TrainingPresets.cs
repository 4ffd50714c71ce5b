using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.Training;

/// <summary>The stages that are customary around each kind of model, as the tokenizer.json that describes them.</summary>
internal static class TrainingPresets
{
    /// <summary>BERT's special tokens, in BERT's order.</summary>
    public static readonly string[] Bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>SentencePiece's.</summary>
    public static readonly string[] SentencePiece = ["<unk>", "<s>", "</s>"];

    /// <summary>BERT: cleaned text, Chinese characters apart, words and punctuation; <c>[CLS]</c> and <c>[SEP]</c> around a text.</summary>
    public static Tokenizer WordPiece(bool lowercase) => Read($$"""
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": {{(lowercase ? "true" : "false")}} },
        "pre_tokenizer": { "type": "BertPreTokenizer" }, "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        """);

    /// <summary>SentencePiece: compatibility forms, runs of spaces as one, words that begin with a visible space.</summary>
    public static Tokenizer Unigram() => Read("""
        "normalizer": { "type": "Sequence", "normalizers": [ { "type": "NFKC" }, { "type": "Replace", "pattern": { "Regex": " {2,}" }, "content": " " } ] },
        "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
        "decoder": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
        """);

    /// <summary>Words and runs of punctuation.</summary>
    public static Tokenizer Words() => Read("""
        "pre_tokenizer": { "type": "Whitespace" },
        """);

    private static Tokenizer Read(string stages) =>
        TokenizerJsonReader.Read(System.Text.Encoding.UTF8.GetBytes($$"""{ {{stages}} "model": { "type": "BPE", "vocab": {}, "merges": [] } }"""), "preset");
}
