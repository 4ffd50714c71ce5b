namespace Banyan.Checkpoints.Gguf;

/// <summary>The architectures that are translated between GGUF and Hugging Face: one row each. Where several share a name in GGUF, the first that accepts a file is taken.</summary>
internal static class GgufFamilies
{
    public static IReadOnlyList<GgufFamily> All { get; } =
    [
        LlamaFamilies.Llama, LlamaFamilies.Mixtral, LlamaFamilies.Mistral, LlamaFamilies.Arcee, LlamaFamilies.SmolLm3, LlamaFamilies.Granite, LlamaFamilies.GraniteMoe, LlamaFamilies.Olmo, LlamaFamilies.Nemotron,
        QwenFamilies.Qwen2, QwenFamilies.Qwen3, QwenFamilies.Qwen2Moe, QwenFamilies.Qwen3Moe, QwenFamilies.Olmo2, QwenFamilies.Olmoe, QwenFamilies.Exaone4, QwenFamilies.Phi3, QwenFamilies.PhiMoe, QwenFamilies.Glm4,
        GemmaFamilies.Gemma, GemmaFamilies.Gemma2, GemmaFamilies.Gemma3, GemmaFamilies.Cohere, GemmaFamilies.Cohere2, GemmaFamilies.StableLm, GemmaFamilies.Starcoder2,
        GptFamilies.Gpt2, GptFamilies.Starcoder, GptFamilies.GptNeoX, GptFamilies.Bloom, GptFamilies.Falcon, GptFamilies.Mpt, GptFamilies.Phi2,
        MixtureFamilies.DeepseekV2, MixtureFamilies.DeepseekV3, MixtureFamilies.GptOss, RecurrentFamilies.Mamba, RecurrentFamilies.Mamba2, RecurrentFamilies.Jamba, RecurrentFamilies.Lfm2,
        EncoderFamilies.Bert, EncoderFamilies.Roberta, EncoderFamilies.XlmRoberta, EncoderFamilies.T5,
    ];

    /// <summary>The family of a GGUF file.</summary>
    /// <exception cref="CheckpointException">None knows its architecture.</exception>
    public static GgufFamily Of(GgufFile file)
    {
        string name = file.Metadata.Architecture;
        return All.FirstOrDefault(f => f.Architecture == name && f.Accepts(file)) ?? throw new CheckpointException(file.Path,
            $"has the architecture {CheckpointException.Quote(name)}; known are {string.Join(", ", All.Select(f => f.Architecture).Distinct())}{NearestName.Hint(name, [.. All.Select(f => f.Architecture).Distinct()])}");
    }

    /// <summary>The family of a configuration.</summary>
    /// <exception cref="CheckpointException">None knows its architecture.</exception>
    public static GgufFamily Of(ConfigReader config)
    {
        string[] names = config.GetStrings("architectures");
        string type = config.GetString("model_type", "");
        return All.FirstOrDefault(f => names.Contains(f.HfArchitecture)) ?? (names.Length == 0 ? All.FirstOrDefault(f => f.ModelType == type) : null) ?? throw new CheckpointException(config.Source,
            $"{(names.Length > 0 ? string.Join(", ", names) : type)} has no form in GGUF here; known are {string.Join(", ", All.Select(f => f.HfArchitecture))}");
    }
}
