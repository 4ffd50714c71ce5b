namespace Banyan.Checkpoints.Gguf;

/// <summary>GPT-2, StarCoder, GPT-NeoX, BLOOM, Falcon, MPT, Phi-2: layers with fused projections, learned positions or ALiBi.</summary>
internal static class GptFamilies
{
    public static GgufFamily Gpt2 { get; } = new()
    {
        Architecture = "gpt2", HfArchitecture = "GPT2LMHeadModel", ModelType = "gpt2",
        Keys = [.. DecoderKeys.Sizes("n_layer", "n_positions", "n_embd", "n_head", null), DecoderKeys.FourTimes("n_embd", "n_inner"), GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5)],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. Norms(hf, gguf), .. TensorRule.Conv1D($"{hf}.attn.c_attn", $"{gguf}.attn_qkv"), .. TensorRule.Conv1D($"{hf}.attn.c_proj", $"{gguf}.attn_output"),
            .. TensorRule.Conv1D($"{hf}.mlp.c_fc", $"{gguf}.ffn_up"), .. TensorRule.Conv1D($"{hf}.mlp.c_proj", $"{gguf}.ffn_down"),
        ], "transformer.h", "n_layer")],
        IsRedundant = name => IsHead(name) || name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal),
    };

    public static GgufFamily Starcoder { get; } = new()
    {
        Architecture = "starcoder", HfArchitecture = "GPTBigCodeForCausalLM", ModelType = "gpt_bigcode",
        Keys =
        [
            .. DecoderKeys.Sizes("n_layer", "n_positions", "n_embd", "n_head", null), DecoderKeys.FourTimes("n_embd", "n_inner"), GgufKey.Derived("attention.head_count_kv", _ => GgufValue.Of(1u)),
            GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5),
        ],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. Norms(hf, gguf), .. TensorRule.Layer($"{hf}.attn.c_attn", $"{gguf}.attn_qkv"), .. TensorRule.Layer($"{hf}.attn.c_proj", $"{gguf}.attn_output"),
            .. TensorRule.Layer($"{hf}.mlp.c_fc", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.c_proj", $"{gguf}.ffn_down"),
        ], "transformer.h", "n_layer")],
        IsRedundant = IsHead, Complete = (json, f) => json["n_inner"] = json["n_embd"]!.GetValue<long>() * 4,
    };

    public static GgufFamily GptNeoX { get; } = new()
    {
        HasFileType = false, Architecture = "gptneox", HfArchitecture = "GPTNeoXForCausalLM", ModelType = "gpt_neox",
        Keys = [.. DecoderKeys.Sizes(), DecoderKeys.RotaryShare("rotary_pct", 0.25), GgufKey.Bool("use_parallel_residual", "use_parallel_residual", true), GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-5)],
        Tensors = c =>
        [
            TensorRule.Copy("gpt_neox.embed_in.weight", "token_embd.weight"), TensorRule.Copy("embed_out.weight", "output.weight"), .. TensorRule.Layer("gpt_neox.final_layer_norm", "output_norm"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. DecoderTensors.PreNorms(hf, gguf), .. TensorRule.Ungrouped($"{hf}.attention.query_key_value", $"{gguf}.attn_qkv", c.GetInt("num_attention_heads", min: 1), 1, 1, 1),
                .. TensorRule.Layer($"{hf}.attention.dense", $"{gguf}.attn_output"), .. FourToOne(hf, gguf),
            ], "gpt_neox.layers"),
        ],
        IsRedundant = name => name.EndsWith(".attention.bias", StringComparison.Ordinal) || name.EndsWith(".attention.masked_bias", StringComparison.Ordinal) || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal),
    };

    public static GgufFamily Bloom { get; } = new()
    {
        Architecture = "bloom", HfArchitecture = "BloomForCausalLM", ModelType = "bloom",
        Keys =
        [
            .. DecoderKeys.Sizes("n_layer", "seq_length", "hidden_size", "n_head", null), DecoderKeys.FourTimes("hidden_size"), GgufKey.Derived("attention.head_count_kv", c => GgufValue.Of((uint)c.GetInt("n_head"))),
            GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("transformer.word_embeddings.weight", "token_embd.weight"), .. TensorRule.Layer("transformer.word_embeddings_layernorm", "token_embd_norm"), .. TensorRule.Layer("transformer.ln_f", "output_norm"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. DecoderTensors.PreNorms(hf, gguf), .. TensorRule.Ungrouped($"{hf}.self_attention.query_key_value", $"{gguf}.attn_qkv", c.GetInt("n_head", min: 1), 1, 1, 1),
                .. TensorRule.Layer($"{hf}.self_attention.dense", $"{gguf}.attn_output"), .. FourToOne(hf, gguf),
            ], "transformer.h", "n_layer"),
        ],
        IsRedundant = IsHead,
    };

    public static GgufFamily Falcon { get; } = new()
    {
        Architecture = "falcon", HfArchitecture = "FalconForCausalLM", ModelType = "falcon",
        Keys =
        [
            GgufKey.Derived("tensor_data_layout", _ => GgufValue.Of("jploski")), GgufKey.Int("block_count", "num_hidden_layers"), GgufKey.Derived("context_length", _ => GgufValue.Of(2048u)),
            GgufKey.Int("embedding_length", "hidden_size"), DecoderKeys.FourTimes("hidden_size"), GgufKey.Int("attention.head_count", "num_attention_heads"),
            new("attention.head_count_kv", c => GgufValue.Of((uint)FalconGroups(c)), (json, m, key) => json["num_kv_heads"] = m.GetLong(key)),
            GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("transformer.word_embeddings.weight", "token_embd.weight"), TensorRule.Copy("lm_head.weight", "output.weight"), .. TensorRule.Layer("transformer.ln_f", "output_norm"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                // 40B's two norms: that of the MLP keeps the name of the only one of 7B.
                .. c.GetBool("new_decoder_architecture", false)
                    ? (TensorRule[])[.. TensorRule.Layer($"{hf}.ln_mlp", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.ln_attn", $"{gguf}.attn_norm_2")]
                    : TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"),
                .. TensorRule.Layer($"{hf}.post_attention_layernorm", $"{gguf}.ffn_norm"),
                .. TensorRule.Ungrouped($"{hf}.self_attention.query_key_value", $"{gguf}.attn_qkv", FalconGroups(c), c.GetInt("num_attention_heads", min: 1) / FalconGroups(c), 1, 1),
                .. TensorRule.Layer($"{hf}.self_attention.dense", $"{gguf}.attn_output"), .. FourToOne(hf, gguf),
            ], "transformer.h"),
        ],
        Complete = (json, f) =>
        {
            bool two = f.TryGet("blk.0.attn_norm_2.weight", out _);
            json["new_decoder_architecture"] = two;
            json["multi_query"] = two || json["num_kv_heads"]!.GetValue<long>() == 1;
            json["parallel_attn"] = !f.TryGet("blk.0.ffn_norm.weight", out _);
            json["bias"] = f.TryGet("blk.0.attn_qkv.bias", out _);
            json["alibi"] = false;
        },
        IsRedundant = IsHead,
    };

    public static GgufFamily Mpt { get; } = new()
    {
        HasFileType = false, Architecture = "mpt", HfArchitecture = "MPTForCausalLM", ModelType = "mpt",
        Keys =
        [
            .. DecoderKeys.Sizes("n_layers", "max_seq_len", "d_model", "n_heads", null), DecoderKeys.FourTimes("d_model"), GgufKey.Derived("attention.layer_norm_epsilon", _ => GgufValue.Of(1e-5f)),
            GgufKey.Derived("attention.clamp_kqv", c => c.GetOptionalObject("attn_config") is { } a && a.Has("clip_qkv") ? GgufValue.Of((float)a.GetDouble("clip_qkv")) : null),
            GgufKey.Derived("attention.max_alibi_bias", c => c.GetOptionalObject("attn_config") is { } a && a.GetBool("alibi", false) ? GgufValue.Of((float)a.GetDouble("alibi_bias_max", 8)) : GgufValue.Of(0f)),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("transformer.wte.weight", "token_embd.weight"), .. TensorRule.Layer("transformer.norm_f", "output_norm"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. TensorRule.Layer($"{hf}.norm_1", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.norm_2", $"{gguf}.ffn_norm"), .. TensorRule.Layer($"{hf}.attn.Wqkv", $"{gguf}.attn_qkv"),
                .. TensorRule.Layer($"{hf}.attn.out_proj", $"{gguf}.attn_output"), .. TensorRule.Layer($"{hf}.ffn.up_proj", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.ffn.down_proj", $"{gguf}.ffn_down"),
            ], "transformer.blocks", "n_layers"),
        ],
        Complete = (json, f) =>
        {
            string key = "mpt.attention.max_alibi_bias", clip = "mpt.attention.clamp_kqv";
            double alibi = f.Metadata.GetDouble(key, 0);
            json["attn_config"] = new System.Text.Json.Nodes.JsonObject
            {
                ["alibi"] = alibi > 0, ["alibi_bias_max"] = alibi > 0 ? (long)alibi : 8, ["attn_type"] = "multihead_attention", ["qk_ln"] = false, ["prefix_lm"] = false,
                ["clip_qkv"] = f.Metadata.Has(clip) ? GgufKey.Shortest(f.Metadata.GetDouble(clip)) : null,
            };
            json["no_bias"] = !f.TryGet("blk.0.attn_qkv.bias", out _);
        },
        IsRedundant = IsHead,
    };

    public static GgufFamily Phi2 { get; } = new()
    {
        Architecture = "phi2", HfArchitecture = "PhiForCausalLM", ModelType = "phi",
        Keys = [.. DecoderKeys.Sizes(), DecoderKeys.KeyValueHeads, GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-5), DecoderKeys.RotaryShare(defaultValue: 0.5)],
        Tensors = c =>
        [
            TensorRule.Copy("model.embed_tokens.weight", "token_embd.weight"), .. TensorRule.Layer("model.final_layernorm", "output_norm"), .. TensorRule.Layer("lm_head", "output"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"), .. DecoderTensors.Attention(c, hf, gguf, output: "dense"),
                .. TensorRule.Layer($"{hf}.mlp.fc1", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.fc2", $"{gguf}.ffn_down"),
            ]),
        ],
        Complete = (json, f) => json["hidden_act"] = "gelu_new",
    };

    private static IEnumerable<TensorRule> Ends =>
    [
        TensorRule.Copy("transformer.wte.weight", "token_embd.weight"), TensorRule.Copy("transformer.wpe.weight", "position_embd.weight"), .. TensorRule.Layer("transformer.ln_f", "output_norm"),
    ];

    private static TensorRule[] Norms(string hf, string gguf) => [.. TensorRule.Layer($"{hf}.ln_1", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.ln_2", $"{gguf}.ffn_norm")];

    private static TensorRule[] FourToOne(string hf, string gguf) => [.. TensorRule.Layer($"{hf}.mlp.dense_h_to_4h", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.dense_4h_to_h", $"{gguf}.ffn_down")];

    private static int FalconGroups(ConfigReader c) => c.GetBool("new_decoder_architecture", false) || !c.GetBool("multi_query", true) ? c.GetInt("num_kv_heads", c.GetInt("num_attention_heads"), min: 1) : 1;

    private static bool IsHead(string name) => name == "lm_head.weight";
}
