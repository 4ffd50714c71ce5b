using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Tokenizers;

namespace Banyan.Training;

/// <summary>Makes a whole <c>config.json</c> of what a recipe says about the model.</summary>
public static class ModelPlan
{
    /// <summary>
    /// The model of a recipe, without numbers. Its configuration: the recipe's own keys over those that <c>depth</c> sets, the vocabulary and the end token
    /// of the tokenizer, and the sequence length as context. Keys of the recipe that the model does not read are refused.
    /// </summary>
    /// <param name="recipe">The section <c>model</c>.</param>
    /// <param name="tokenizer">The tokenizer of the data.</param>
    /// <param name="sequence">Tokens of a training sequence.</param>
    /// <exception cref="CheckpointException">A value is impossible, or does not fit the tokenizer or the sequences; the message names the key.</exception>
    public static CausalLanguageModel Create(ConfigReader recipe, Tokenizer tokenizer, int sequence)
    {
        JsonObject own = Own(recipe, tokenizer), suggested = Suggested(recipe, sequence);
        ConfigReader tried = Join(suggested, own, recipe.Source);
        _ = ModelRegistry.Default.Create(tried);
        // Families name the same number differently: what this one did not read of the suggestions was another family's name.
        foreach (string key in tried.UnreadKeys())
        {
            suggested.Remove(key);
        }
        ConfigReader config = Join(suggested, own, recipe.Source);
        Model any = ModelRegistry.Default.Create(config);
        _ = config.GetStrings("architectures");
        _ = (config.Has("model_type"), config.Has("eos_token_id"), config.Has("bos_token_id"), config.Has("vocab_size"));
        config.RefuseUnreadKeys();
        CausalLanguageModel model = any as CausalLanguageModel
            ?? throw new CheckpointException(config.Source, $"a {any.GetType().Name} does not predict the next token; expected a decoder-only language model");
        return model.MaxPositions < sequence ? throw new CheckpointException(config.Source, $"train.sequence is {sequence}, but the model has {model.MaxPositions} positions; expected at most that")
            : model.VocabularySize < tokenizer.VocabularySize
                ? throw new CheckpointException(config.Source, $"vocab_size is {model.VocabularySize}, but the tokenizer has {tokenizer.VocabularySize} tokens; expected at least that")
            : model;
    }

    private static ConfigReader Join(JsonObject suggested, JsonObject own, string source)
    {
        JsonObject config = suggested.DeepClone().AsObject();
        foreach ((string key, JsonNode? value) in own)
        {
            config[key] = value?.DeepClone();
        }
        return ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config.ToJsonString(new JsonSerializerOptions { WriteIndented = true })), $"{source}: model");
    }

    private static JsonObject Own(ConfigReader recipe, Tokenizer tokenizer)
    {
        var config = new JsonObject
        {
            ["model_type"] = recipe.GetString("type", recipe.Has("model_type") ? recipe.GetString("model_type") : "llama"), ["vocab_size"] = tokenizer.VocabularySize,
        };
        if (EndId(tokenizer) is { } end)
        {
            config["eos_token_id"] = end;
        }
        foreach ((string key, JsonNode? value) in JsonNode.Parse(recipe.Json)!.AsObject())
        {
            if (key is not ("type" or "depth" or "path"))
            {
                config[key] = value?.DeepClone();
            }
        }
        return config;
    }

    // One dial: 64 of width for each layer, heads of 64 (32 below 4 layers), SwiGLU of 8/3 the width in steps of 32; under every name that a family has for it.
    private static JsonObject Suggested(ConfigReader recipe, int sequence)
    {
        var config = new JsonObject { ["tie_word_embeddings"] = true };
        int depth = recipe.GetInt("depth", 4, min: 1, max: 512);
        Set(depth, "num_hidden_layers", "n_layer", "n_layers", "num_layers");
        int width = Set(Math.Max(128, 64 * depth), "hidden_size", "n_embd", "d_model", "word_embed_proj_dim");
        int heads = Set(depth < 4 ? width / 32 : width / 64, "num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads");
        Set(((8 * width / 3) + 31) / 32 * 32, "intermediate_size", "ffn_dim", "dff");
        Set(width, "moe_intermediate_size", "shared_expert_intermediate_size");
        Set(8, "num_local_experts", "num_experts", "n_routed_experts");
        Set(2, "num_experts_per_tok");
        Set(1, "n_groups");
        Set(sequence, "max_position_embeddings", "n_positions", "max_seq_len");
        Set(heads, "num_key_value_heads");
        if (heads > 0 && width % heads == 0)
        {
            Set(width / heads, "head_dim");
        }
        return config;

        int Set(int value, params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                value = recipe.Has(name) ? recipe.GetInt(name) : value;
            }
            foreach (string name in names)
            {
                config[name] = value;
            }
            return value;
        }
    }

    /// <summary>The token that ends documents, or null where the tokenizer has none.</summary>
    public static int? EndId(Tokenizer tokenizer) => new[] { "<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>" }.Select(tokenizer.TokenToId).FirstOrDefault(id => id is not null);
}
