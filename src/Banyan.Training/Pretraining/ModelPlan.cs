using System.Text;
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
    /// The configuration: the recipe's own keys over those that <c>depth</c> sets, the vocabulary and the end token of the tokenizer, and the
    /// sequence length as context.
    /// </summary>
    /// <param name="recipe">The section <c>model</c>.</param>
    /// <param name="tokenizer">The tokenizer of the data.</param>
    /// <param name="sequence">Tokens of a training sequence.</param>
    /// <exception cref="CheckpointException">A value is impossible; the message names the key.</exception>
    public static ConfigReader Configure(ConfigReader recipe, Tokenizer tokenizer, int sequence)
    {
        string type = recipe.GetString("type", recipe.Has("model_type") ? recipe.GetString("model_type") : "llama");
        JsonObject config = Depth(type, recipe.GetInt("depth", 4, min: 1, max: 512));
        config["model_type"] = type;
        config["vocab_size"] = tokenizer.VocabularySize;
        config[type == "gpt2" ? "n_positions" : "max_position_embeddings"] = sequence;
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
        return ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config.ToJsonString(new JsonSerializerOptions { WriteIndented = true })), $"{recipe.Source}: model");
    }

    /// <summary>The model of a recipe, without numbers; keys that it does not read are refused.</summary>
    /// <param name="recipe">The section <c>model</c>.</param>
    /// <param name="tokenizer">The tokenizer of the data.</param>
    /// <param name="sequence">Tokens of a training sequence.</param>
    /// <exception cref="CheckpointException">A value is impossible, or does not fit the tokenizer or the sequences; the message names the key.</exception>
    public static CausalLanguageModel Create(ConfigReader recipe, Tokenizer tokenizer, int sequence)
    {
        ConfigReader config = Configure(recipe, tokenizer, sequence);
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

    /// <summary>The token that ends documents, or null where the tokenizer has none.</summary>
    public static int? EndId(Tokenizer tokenizer) => new[] { "<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>" }.Select(tokenizer.TokenToId).FirstOrDefault(id => id is not null);

    // One dial: 64 of width for each layer, heads of 64 (32 below 4 layers), SwiGLU of 8/3 the width in steps of 32.
    private static JsonObject Depth(string type, int depth)
    {
        int width = Math.Max(128, 64 * depth), heads = depth < 4 ? width / 32 : width / 64;
        return type == "gpt2"
            ? new JsonObject { ["n_layer"] = depth, ["n_embd"] = width, ["n_head"] = heads }
            : new JsonObject
            {
                ["num_hidden_layers"] = depth,
                ["hidden_size"] = width,
                ["num_attention_heads"] = heads,
                ["intermediate_size"] = ((8 * width / 3) + 31) / 32 * 32,
                ["tie_word_embeddings"] = true,
            };
    }
}
