using System.Text.Json.Nodes;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// The name in <c>tokenizer.ggml.pre</c> for a pre-tokenizer: the one that cuts a text full of traps into the same pieces. llama.cpp's converter asks a table of hashes of real
/// vocabularies instead, which knows no vocabulary that somebody trained.
/// </summary>
internal static class GgmlPre
{
    private const string Traps = "\n \n\n  \t\t \t\n   \n 🚀 (normal) 😶‍🌫️ ✅ 🦙🦙 3 33 333 3333 33333 3.3 3..3 កាន់តែពិសេសអាច😁 ?我想在apple工作1314151天～ ------======= нещо на Български ''''```\"\"\"\"....!!!!?? "
        + "I've been 'told he's there, 'RE you sure? 'M not sure I'll make it, 'D you like some tea? We'Ve a'lL café cafe\u0301 $1+2=<3>^~|` CamelCase HTTPServer foo_bar naïve\r\n/path/to ！“引用” ひらがなカタカナ한국어 ١٢٣ ½ №5  end  ";

    // Names whose patterns are the same are told apart by the architecture that they were made for.
    private static readonly Dictionary<string, string> s_customary = new()
    {
        ["gpt2"] = "gpt-2", ["phi"] = "phi-2", ["codegen"] = "phi-2", ["mpt"] = "mpt", ["olmo"] = "olmo", ["gpt_neox"] = "olmo", ["mamba"] = "olmo", ["mamba2"] = "olmo", ["olmoe"] = "olmo", ["roberta"] = "roberta-bpe",
        ["olmo2"] = "dbrx", ["glm4"] = "glm4", ["exaone4"] = "exaone4", ["stablelm"] = "stablelm2", ["deepseek_v2"] = "deepseek-llm", ["gpt_bigcode"] = "starcoder", ["starcoder2"] = "starcoder",
        ["granite"] = "refact", ["granitemoe"] = "refact", ["cohere"] = "command-r", ["cohere2"] = "command-r", ["falcon"] = "falcon", ["falcon_h1"] = "falcon",
    };

    public static string Find(JsonObject json, string modelType, string folder)
    {
        if (json["pre_tokenizer"] is not JsonObject node)
        {
            throw new TokenizerFormatException(folder, "pre_tokenizer", "is missing, and GGUF has no BPE without one");
        }
        PreTokenizer given = Read(node, folder);
        bool IsSame(string name, string text) => Pieces(given, text).SequenceEqual(Pieces(GgmlPatterns.Find(name)!.Patterns, text));
        // llama.cpp's patterns of a family may cut numbers otherwise than its tokenizer.json (DeepSeek), or bytes that look like numbers (Falcon): the name is the family's all the same.
        if (s_customary.TryGetValue(modelType, out string? customary) && IsSame(customary, string.Concat(Traps.Where(c => char.IsAscii(c) && !char.IsDigit(c)))))
        {
            return customary;
        }
        return GgmlPatterns.Names.FirstOrDefault(n => IsSame(n, Traps))
            ?? throw new TokenizerFormatException(folder, "pre_tokenizer", $"cuts texts as no pattern of GGUF does; known are {string.Join(", ", GgmlPatterns.Names)}");
    }

    private static PreTokenizer Read(JsonObject node, string folder)
    {
        using var document = System.Text.Json.JsonDocument.Parse(node.ToJsonString());
        return PreTokenizerReader.Read(new(document.RootElement, "pre_tokenizer", folder));
    }

    private static IEnumerable<(int, int)> Pieces(string[] patterns, string text) => Pieces(VocabularyAndMerges.ByteLevel(new(new([]), new(0), [], new()), patterns).PreTokenizer!, text);

    private static IEnumerable<(int, int)> Pieces(PreTokenizer preTokenizer, string text)
    {
        AlignedText whole = AlignedText.FromOriginal(text, 0);
        return preTokenizer.Apply([new Piece(whole, 0, whole.Length)]).Select(p => (p.Text.StartOf(p.Start), p.Text.EndOf(p.End - 1)));
    }
}
