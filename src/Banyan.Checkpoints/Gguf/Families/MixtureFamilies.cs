using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>DeepSeek 2 and 3 (latent attention, shared experts) and gpt-oss (sinks, interleaved gate and up).</summary>
internal static class MixtureFamilies
{
    public static GgufFamily DeepseekV2 { get; } = Deepseek("DeepseekV2ForCausalLM", "deepseek_v2", v3: false);

    public static GgufFamily DeepseekV3 { get; } = Deepseek("DeepseekV3ForCausalLM", "deepseek_v3", v3: true);

    public static GgufFamily GptOss { get; } = new()
    {
        Architecture = "gpt-oss", HfArchitecture = "GptOssForCausalLM", ModelType = "gpt_oss",
        Keys =
        [
            .. DecoderKeys.Llama(headDim: true), .. DecoderKeys.Experts("num_local_experts"), DecoderKeys.Window(), GgufKey.Derived("expert_feed_forward_length", c => GgufValue.Of((uint)c.GetInt("intermediate_size"))),
        ],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.post_attention_layernorm", $"{gguf}.post_attention_norm"), .. DecoderTensors.Attention(c, hf, gguf),
            TensorRule.Copy($"{hf}.self_attn.sinks", $"{gguf}.attn_sinks.weight"), .. TensorRule.Layer($"{hf}.mlp.router", $"{gguf}.ffn_gate_inp"),
            TensorRule.Copy($"{hf}.mlp.experts.down_proj_bias", $"{gguf}.ffn_down_exps.bias"),
            TensorRule.Copy($"{hf}.mlp.experts.down_proj", $"{gguf}.ffn_down_exps.weight") with { GgufShape = (s, _) => [s[0][0], s[0][2], s[0][1]], HfShape = s => [s[0][0], s[0][2], s[0][1]], HfTransposed = true },
            ByTurns($"{hf}.mlp.experts.gate_up_proj_bias", $"{gguf}.ffn_gate_exps.bias", $"{gguf}.ffn_up_exps.bias"),
            InColumns($"{hf}.mlp.experts.gate_up_proj", $"{gguf}.ffn_gate_exps.weight", $"{gguf}.ffn_up_exps.weight"),
        ])],
        Complete = (json, f) =>
        {
            json["attention_bias"] = f.TryGet("blk.0.attn_q.bias", out _);
            if (json["rope_scaling"] is JsonObject scaling)
            {
                scaling["truncate"] = false;
            }
        },
    };

    private static GgufFamily Deepseek(string architecture, string type, bool v3) => new()
    {
        Architecture = "deepseek2", HfArchitecture = architecture, ModelType = type, Accepts = f => f.Metadata.GetLong("deepseek2.expert_gating_func", 1) == 2 == v3,
        Keys =
        [
            .. DecoderKeys.Sizes(), GgufKey.Derived("attention.head_count_kv", _ => GgufValue.Of(1u)), .. DecoderKeys.RopeScaling, DecoderKeys.RopeBase, DecoderKeys.RmsEps, .. DecoderKeys.Experts("n_routed_experts"),
            GgufKey.Int("expert_group_count", "n_group"), GgufKey.Int("expert_group_used_count", "topk_group"),
            new("expert_gating_func", c => GgufValue.Of(c.GetString("scoring_func", v3 ? "sigmoid" : "softmax") == "sigmoid" ? 2u : 1u), (json, m, key) => json["scoring_func"] = m.GetLong(key) == 2 ? "sigmoid" : "softmax"),
            GgufKey.Int("attention.kv_lora_rank", "kv_lora_rank"), GgufKey.Int("attention.q_lora_rank", "q_lora_rank"), new("rope.dimension_count", c => GgufValue.Of((uint)c.GetInt("qk_rope_head_dim")), (json, m, key) => json["qk_rope_head_dim"] = m.GetLong(key)),
            GgufKey.Derived("attention.key_length", c => GgufValue.Of((uint)(c.GetInt("kv_lora_rank") + c.GetInt("qk_rope_head_dim")))), GgufKey.Derived("attention.value_length", c => GgufValue.Of((uint)c.GetInt("kv_lora_rank"))),
            new("attention.key_length_mla", c => GgufValue.Of((uint)(c.GetInt("qk_nope_head_dim") + c.GetInt("qk_rope_head_dim"))), (json, m, key) => json["qk_nope_head_dim"] = m.GetLong(key) - json["qk_rope_head_dim"]!.GetValue<long>()),
            GgufKey.Int("attention.value_length_mla", "v_head_dim"), GgufKey.Int("leading_dense_block_count", "first_k_dense_replace", 0), DecoderKeys.VocabSize,
            GgufKey.Int("expert_feed_forward_length", "moe_intermediate_size"), GgufKey.Int("expert_shared_count", "n_shared_experts"), GgufKey.Float("expert_weights_scale", "routed_scaling_factor", 1),
            new("expert_weights_norm", c => c.GetBool("norm_topk_prob", false) ? GgufValue.Of(true) : null, (json, m, key) => json["norm_topk_prob"] = m.GetBool(key)),
        ],
        Tensors = c =>
        {
            int heads = c.GetInt("num_attention_heads", min: 1), nope = c.GetInt("qk_nope_head_dim", min: 1), v = c.GetInt("v_head_dim", min: 1);
            return [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf), .. DecoderTensors.GatedMlp($"{hf}.mlp", gguf),
                TensorRule.Copy($"{hf}.self_attn.q_a_proj.weight", $"{gguf}.attn_q_a.weight"), TensorRule.Copy($"{hf}.self_attn.q_a_layernorm.weight", $"{gguf}.attn_q_a_norm.weight"),
                TensorRule.Copy($"{hf}.self_attn.q_b_proj.weight", $"{gguf}.attn_q_b.weight"), TensorRule.Copy($"{hf}.self_attn.kv_a_proj_with_mqa.weight", $"{gguf}.attn_kv_a_mqa.weight"),
                TensorRule.Copy($"{hf}.self_attn.kv_a_layernorm.weight", $"{gguf}.attn_kv_a_norm.weight"), Latent(hf, gguf, heads, nope, v), .. TensorRule.Layer($"{hf}.mlp.gate", $"{gguf}.ffn_gate_inp"),
                TensorRule.Copy($"{hf}.mlp.gate.e_score_correction_bias", $"{gguf}.exp_probs_b.bias"), .. DecoderTensors.GatedMlp($"{hf}.mlp.shared_experts", gguf, "_shexp"),
                .. DecoderTensors.Experts($"{hf}.mlp.experts", gguf, c.GetInt("n_routed_experts", min: 1)),
            ])];
        },
        Complete = (json, f) =>
        {
            json["num_key_value_heads"] = json["num_attention_heads"]!.GetValue<long>();
            json["norm_topk_prob"] ??= false;
            json["topk_method"] = v3 ? "noaux_tc" : json["n_group"]?.GetValue<long>() > 1 ? "group_limited_greedy" : "greedy";
            if (!json.ContainsKey("q_lora_rank"))
            {
                json["q_lora_rank"] = null;
            }
        },
    };

    // kv_b_proj (heads (nope + v), rank) is cut by head: the key part transposed to (heads, rank, nope), the value part (heads, v, rank).
    private static TensorRule Latent(string hf, string gguf, int heads, int nope, int v) => new([$"{hf}.self_attn.kv_b_proj.weight"], [$"{gguf}.attn_k_b.weight", $"{gguf}.attn_v_b.weight"])
    {
        Rows = (part, _, _) => [.. Enumerable.Range(0, heads).SelectMany(h => RowOrders.Range((long)h * (nope + v) + part * nope, part == 0 ? nope : v))],
        GgufShape = (s, part) => part == 0 ? [heads, s[0][1], nope] : [heads, v, s[0][1]], HfShape = s => [heads * (nope + v), s[1][2]], Transposed = part => part == 0,
    };

    // (E, 2F) with gate and up by turns.
    private static TensorRule ByTurns(string hf, string gate, string up) => new([hf], [gate, up])
    {
        Rows = (part, all, _) => [.. RowOrders.Range(part, all / 2, 2)], GgufShape = (s, _) => [s[0][0], s[0][1] / 2], HfShape = s => [s[0][0], s[0][1] * 2], ByElement = true,
    };

    // (E, in, 2F) with gate and up by turns in the columns, stored as (E, F, in).
    private static TensorRule InColumns(string hf, string gate, string up) => new([hf], [gate, up])
    {
        Rows = (part, all, _) => [.. RowOrders.Range(part, all / 2, 2)], GgufShape = (s, _) => [s[0][0], s[0][2] / 2, s[0][1]], HfShape = s => [s[0][0], s[0][2], s[0][1] * 2], HfTransposed = true,
    };
}
