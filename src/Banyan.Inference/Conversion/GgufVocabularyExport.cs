using Banyan.Checkpoints;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>Puts the tokenizer of a Hugging Face folder into the metadata of a GGUF file.</summary>
internal static class GgufVocabularyExport
{
    private static readonly string[] s_encoders = ["bert", "roberta", "xlm-roberta"];

    /// <summary>Adds the keys <c>tokenizer.*</c>. A folder without tokenizer adds none.</summary>
    public static void Add(GgufMetadata metadata, IModelReader folder, long embeddingRows)
    {
        if (!Directory.Exists(folder.Path) || !ModelTokenizer.HasOne(folder.Path))
        {
            return;
        }
        ConfigReader config = folder.ReadConfig();
        string type = config.GetString("model_type", "");
        Dictionary<string, int> ids = [];
        foreach (string role in new[] { "bos", "eos", "unk", "sep", "pad", "cls", "mask" })
        {
            if (config.GetLongs($"{role}_token_id") is [var id, ..])
            {
                ids[role] = (int)id;
            }
        }
        GgufTokenizer.Write(metadata, GgmlVocabulary.FromFolder(folder.Path, type, checked((int)Math.Max(config.GetInt("vocab_size", 0, min: 0), embeddingRows)), ids));
        if (s_encoders.Contains(type))
        {
            metadata["tokenizer.ggml.token_type_count"] = GgufValue.Of((uint)config.GetInt("type_vocab_size", 1));
        }
    }

}
