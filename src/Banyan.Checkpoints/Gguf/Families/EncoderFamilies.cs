using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>BERT, RoBERTa and XLM-RoBERTa (all <c>bert</c> in GGUF, which keeps neither pooler nor heads), and T5.</summary>
internal static class EncoderFamilies
{
    public static GgufFamily Bert { get; } = Encoder("BertModel", "bert", f => Tokenizer(f) == "bert", 0);

    public static GgufFamily Roberta { get; } = Encoder("RobertaModel", "roberta", f => Tokenizer(f) == "gpt2", 2);

    public static GgufFamily XlmRoberta { get; } = Encoder("XLMRobertaModel", "xlm-roberta", f => Tokenizer(f) == "t5", 2);

    public static GgufFamily T5 { get; } = new()
    {
        Architecture = "t5", HfArchitecture = "T5ForConditionalGeneration", ModelType = "t5",
        Keys =
        [
            GgufKey.Int("context_length", "n_positions", 512), GgufKey.Int("embedding_length", "d_model"), GgufKey.Int("feed_forward_length", "d_ff"), GgufKey.Int("block_count", "num_layers"),
            new("decoder_block_count", c => GgufValue.Of((uint)c.GetInt("num_decoder_layers", c.GetInt("num_layers"))), (json, m, key) => json["num_decoder_layers"] = m.GetLong(key)), GgufKey.Int("attention.head_count", "num_heads"),
            GgufKey.Int("attention.key_length", "d_kv"), GgufKey.Derived("attention.value_length", c => GgufValue.Of((uint)c.GetInt("d_kv"))), GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-6),
            GgufKey.Int("attention.relative_buckets_count", "relative_attention_num_buckets", 32), GgufKey.Derived("attention.layer_norm_rms_epsilon", c => GgufValue.Of((float)c.GetDouble("layer_norm_epsilon", 1e-6))),
            GgufKey.Int("decoder_start_token_id", "decoder_start_token_id", 0),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("shared.weight", "token_embd.weight"), TensorRule.Copy("lm_head.weight", "output.weight"),
            TensorRule.Copy("encoder.final_layer_norm.weight", "enc.output_norm.weight"), TensorRule.Copy("decoder.final_layer_norm.weight", "dec.output_norm.weight"),
            .. Enumerable.Range(0, c.GetInt("num_layers")).SelectMany(i => T5Block(c, $"encoder.block.{i}.layer", $"enc.blk.{i}", decoder: false)),
            .. Enumerable.Range(0, c.GetInt("num_decoder_layers", c.GetInt("num_layers"))).SelectMany(i => T5Block(c, $"decoder.block.{i}.layer", $"dec.blk.{i}", decoder: true)),
        ],
        Complete = (json, f) =>
        {
            bool gated = f.TryGet("enc.blk.0.ffn_gate.weight", out _);
            json["feed_forward_proj"] = gated ? "gated-gelu" : "relu";
            json["is_encoder_decoder"] = true;
            json["relative_attention_max_distance"] = 128;
            if (json["tie_word_embeddings"]!.GetValue<bool>())
            {
                json["scale_decoder_outputs"] = !gated; // T5 1.1, which has gates, never scales
            }
        },
        IsRedundant = name => name.EndsWith("embed_tokens.weight", StringComparison.Ordinal), Same = name => name == "shared.weight" ? ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] : [],
    };

    private static GgufFamily Encoder(string architecture, string type, Func<GgufFile, bool> accepts, int unusedPositions) => new()
    {
        Architecture = "bert", HfArchitecture = architecture, ModelType = type, Accepts = accepts,
        Keys =
        [
            GgufKey.Int("block_count", "num_hidden_layers"),
            new("context_length", c => GgufValue.Of((uint)(c.GetInt("max_position_embeddings") - Unused(c))), (json, m, key) => json["max_position_embeddings"] = m.GetLong(key) + unusedPositions),
            GgufKey.Int("embedding_length", "hidden_size"), GgufKey.Int("feed_forward_length", "intermediate_size"), GgufKey.Int("attention.head_count", "num_attention_heads"),
            GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-12), GgufKey.Derived("attention.causal", _ => GgufValue.Of(false)),
        ],
        Tensors = c =>
        [
            .. TensorRule.Layer("embeddings.LayerNorm", "token_embd_norm"), TensorRule.Copy("embeddings.word_embeddings.weight", "token_embd.weight"), TensorRule.Copy("embeddings.token_type_embeddings.weight", "token_types.weight"),
            Unused(c) is var unused and > 0
                ? TensorRule.WithoutFirst("embeddings.position_embeddings.weight", "position_embd.weight", unused)
                : TensorRule.Copy("embeddings.position_embeddings.weight", "position_embd.weight"),
            .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. new[] { ("attention.self.query", "attn_q"), ("attention.self.key", "attn_k"), ("attention.self.value", "attn_v"), ("attention.output.dense", "attn_output"), ("attention.output.LayerNorm", "attn_output_norm"),
                    ("intermediate.dense", "ffn_up"), ("output.dense", "ffn_down"), ("output.LayerNorm", "layer_output_norm"), }.SelectMany(n => TensorRule.Layer($"{hf}.{n.Item1}", $"{gguf}.{n.Item2}")),
            ], "encoder.layer"),
        ],
        Complete = (json, f) =>
        {
            json["add_pooling_layer"] = false;
            json["type_vocab_size"] = f.TryGet("token_types.weight", out TensorEntry? types) ? types.Shape[0] : 0;
            json["pad_token_id"] = f.Metadata.GetLong("tokenizer.ggml.padding_token_id", unusedPositions == 0 ? 0 : 1);
        },
        IsRedundant = name => name.StartsWith("pooler.", StringComparison.Ordinal) || name == "embeddings.position_ids",
    };

    // RoBERTa counts positions from the padding id on: the rows before are never used.
    private static int Unused(ConfigReader c) => c.GetString("model_type") == "bert" ? 0 : c.GetInt("pad_token_id", 1, min: 0) + 1;

    private static string Tokenizer(GgufFile f) => f.Metadata.GetString("tokenizer.ggml.model", "bert");

    private static IEnumerable<TensorRule> T5Block(ConfigReader c, string hf, string gguf, bool decoder) =>
    [
        .. new[] { "q", "k", "v", "o" }.Select(n => TensorRule.Copy($"{hf}.0.SelfAttention.{n}.weight", $"{gguf}.attn_{n}.weight")), TensorRule.Copy($"{hf}.0.layer_norm.weight", $"{gguf}.attn_norm.weight"),
        TensorRule.Copy($"{hf}.0.SelfAttention.relative_attention_bias.weight", $"{gguf}.attn_rel_b.weight"),
        .. decoder
            ? (TensorRule[])[.. new[] { "q", "k", "v", "o" }.Select(n => TensorRule.Copy($"{hf}.1.EncDecAttention.{n}.weight", $"{gguf}.cross_attn_{n}.weight")), TensorRule.Copy($"{hf}.1.layer_norm.weight", $"{gguf}.cross_attn_norm.weight")]
            : [],
        .. Mlp($"{hf}.{(decoder ? 2 : 1)}", gguf, c.GetString("feed_forward_proj", "relu").StartsWith("gated", StringComparison.Ordinal)),
    ];

    private static TensorRule[] Mlp(string hf, string gguf, bool gated) =>
    [
        TensorRule.Copy($"{hf}.DenseReluDense.wi_0.weight", $"{gguf}.ffn_gate.weight"), TensorRule.Copy($"{hf}.DenseReluDense.{(gated ? "wi_1" : "wi")}.weight", $"{gguf}.ffn_up.weight"),
        TensorRule.Copy($"{hf}.DenseReluDense.wo.weight", $"{gguf}.ffn_down.weight"), TensorRule.Copy($"{hf}.layer_norm.weight", $"{gguf}.ffn_norm.weight"),
    ];
}
