namespace Banyan.Models.Tests.Goldens;

/// <summary>Keys of config.json that outputs outside of training do not depend on in the reference either.</summary>
internal static class IgnoredKeys
{
    private const string Label = "a note", Training = "training only", Ids = "generation, or training's padding", Memory = "memory, not numbers", Derived = "derived from another key, which counts",
        Bound = "only how many positions there may be", Start = "only how weights are initialised", Elsewhere = "read by another head of the family, or by a part that this case has not",
        Small = "the case is too small to show it", Same = "the reference ignores it too";

    private static readonly Dictionary<string, string> Everywhere = new()
    {
        ["model_type"] = Label, ["transformers_version"] = Label, ["dtype"] = Label, ["id2label"] = Label, ["label2id"] = Label, ["_name_or_path"] = Label, ["stage_names"] = Label,
        ["use_cache"] = Memory, ["chunk_size_feed_forward"] = Memory, ["chunk_size_lm_head"] = Memory, ["pretraining_tp"] = Memory, ["slow_but_exact"] = Memory, ["chunk_size"] = Memory,
        ["use_associative_scan"] = Memory, ["use_mamba_kernels"] = Memory, ["use_mambapy"] = Memory, ["residual_in_fp32"] = Memory, ["deterministic_flash_attn"] = Memory, ["attn_impl"] = Memory,
        ["reorder_and_upcast_attn"] = Memory, ["attention_softmax_in_fp32"] = Memory, ["scale_attention_softmax_in_fp32"] = Memory, ["init_device"] = Memory, ["onnx_export"] = Memory,
        ["use_tpu_fourier_optimizations"] = Memory, ["tpu_short_seq_length"] = Memory, ["output_router_logits"] = Memory, ["add_router_probs"] = Memory, ["output_attentions"] = Memory,
        ["output_hidden_states"] = Memory, ["return_dict"] = Memory, ["mem_len"] = Memory, ["use_mems_eval"] = Memory, ["use_mems_train"] = Training,
        ["bos_token_id"] = Ids, ["eos_token_id"] = Ids, ["pad_token_id"] = Ids, ["sep_token_id"] = Ids, ["cls_token_id"] = Ids, ["forced_eos_token_id"] = Ids, ["forced_bos_token_id"] = Ids,
        ["decoder_start_token_id"] = Ids,
        ["initializer_range"] = Start, ["initializer_factor"] = Start, ["init_std"] = Start, ["initializer_cutoff_factor"] = Start, ["rescale_prenorm_residual"] = Start, ["layerscale_value"] = Start,
        ["time_step_floor"] = Start, ["time_step_init_scheme"] = Start, ["time_step_max"] = Start, ["time_step_min"] = Start, ["time_step_scale"] = Start, ["sinusoidal_pos_embds"] = Start,
        ["logit_scale_init_value"] = Start, ["axial_norm_std"] = Start,
        ["router_aux_loss_coef"] = Training, ["router_z_loss_coef"] = Training, ["router_jitter_noise"] = Training, ["router_ignore_padding_tokens"] = Training, ["drop_path_rate"] = Training,
        ["num_nextn_predict_layers"] = Training, ["sparse_prediction"] = Training, ["sparse_pred_ignore_index"] = Training, ["use_mask_token"] = Training, ["apply_spec_augment"] = Training,
        ["max_position_embeddings"] = Bound, ["n_positions"] = Bound, ["n_ctx"] = Bound, ["max_seq_len"] = Bound, ["original_max_position_embeddings"] = Small, ["expert_capacity"] = Small,
        ["is_decoder"] = Derived, ["is_encoder_decoder"] = Derived, ["is_gated_act"] = Derived, ["dense_act_fn"] = Derived, ["qk_head_dim"] = Derived, ["max_window_layers"] = Derived,
        ["use_sliding_window"] = Derived, ["sliding_window_pattern"] = Derived, ["_sliding_window_pattern"] = Derived, ["global_attn_every_n_layers"] = Derived, ["no_rope_layer_interval"] = Derived,
        ["add_cross_attention"] = Elsewhere, ["summary_type"] = Elsewhere, ["summary_use_proj"] = Elsewhere, ["summary_activation"] = Elsewhere, ["summary_proj_to_labels"] = Elsewhere,
        ["pooler_act"] = Elsewhere, ["pooler_output_size"] = Elsewhere, ["pooler_hidden_act"] = Elsewhere, ["pooler_hidden_size"] = Elsewhere, ["encoder_stride"] = Elsewhere,
        ["classifier_activation"] = Elsewhere, ["classifier_bias"] = Elsewhere, ["classifier_pooling"] = Elsewhere, ["classifier_proj_size"] = Elsewhere, ["use_weighted_layer_sum"] = Elsewhere,
        ["out_features"] = Elsewhere, ["out_indices"] = Elsewhere, ["apply_layernorm"] = Elsewhere, ["reshape_hidden_states"] = Elsewhere, ["median_filter_width"] = Elsewhere,
        ["start_n_top"] = Elsewhere, ["end_n_top"] = Elsewhere,
    };

    private static readonly Dictionary<string, string> ByType = new()
    {
        ["big_bird: block_size"] = "only block-sparse attention has blocks", ["big_bird: num_random_blocks"] = "only block-sparse attention has blocks",
        ["biogpt: layer_norm_eps"] = Same, ["mpt: attn_config.attn_uses_sequence_id"] = Same, ["mpt: embedding_fraction"] = Training, ["mpt: expansion_ratio"] = Same, ["mpt: learned_pos_emb"] = Same,
        ["clip: text_config.projection_dim"] = Derived, ["clip: vision_config.projection_dim"] = Derived, ["llava: vision_config.projection_dim"] = Elsewhere, ["llava: image_seq_length"] = "the processor's",
        ["bamba: mamba_chunk_size"] = Same, ["bamba: num_logits_to_keep"] = Same, ["falcon_h1: mamba_chunk_size"] = Same, ["falcon_h1: num_logits_to_keep"] = Same, ["falcon_h1: mamba_expand"] = Derived,
        ["falcon_h1: mamba_norm_before_gate"] = Elsewhere, ["llama4_text: interleave_moe_layer_step"] = Derived, ["llama4_text: no_rope_layers"] = "any number but 0 is yes",
        ["minimax: block_size"] = Memory, ["beit: add_fpn"] = Elsewhere, ["beit: auxiliary_channels"] = Elsewhere, ["beit: auxiliary_concat_input"] = Elsewhere, ["beit: auxiliary_loss_weight"] = Elsewhere, ["beit: auxiliary_num_convs"] = Elsewhere,
        ["beit: pool_scales"] = Elsewhere, ["beit: semantic_loss_ignore_index"] = Elsewhere, ["beit: use_auxiliary_head"] = Elsewhere, ["beit: vocab_size"] = Elsewhere, ["beit: layer_scale_init_value"] = Start,
        ["yolos: bbox_cost"] = Small, ["yolos: class_cost"] = Small, ["yolos: giou_cost"] = Small, ["vilt: max_image_length"] = "0 and -1 both are no bound", ["vilt: num_images"] = Elsewhere,
        ["detr: backbone_config.downsample_in_bottleneck"] = Elsewhere, ["detr: bbox_cost"] = Small, ["detr: class_cost"] = Small, ["detr: giou_cost"] = Small, ["detr: dice_loss_coefficient"] = Elsewhere,
        ["detr: mask_loss_coefficient"] = Elsewhere, ["detr: init_xavier_std"] = Start, ["detr: use_pretrained_backbone"] = Start, ["paligemma: hidden_size"] = Derived, ["paligemma: vocab_size"] = Derived,
        ["paligemma: text_config.num_image_tokens"] = Derived, ["paligemma: vision_config.projection_dim"] = Derived,
        ["segformer: layer_norm_eps"] = Same, ["blip: image_text_hidden_size"] = Elsewhere, ["blip: label_smoothing"] = Derived, ["blip: projection_dim"] = Elsewhere, ["blip: text_config.projection_dim"] = Elsewhere, ["blip: vision_config.projection_dim"] = Elsewhere,
        ["mobilenet_v2: output_stride"] = Small, ["mobilenet_v2: image_size"] = Same, ["mobilenet_v2: semantic_loss_ignore_index"] = Elsewhere, ["segformer: semantic_loss_ignore_index"] = Small,
        ["xlstm: autocast_kernel_dtype"] = Memory, ["xlstm: chunkwise_kernel"] = Memory, ["xlstm: inference_state_dtype"] = Memory, ["xlstm: max_inference_chunksize"] = Memory, ["xlstm: mode"] = Memory,
        ["xlstm: norm_reduction_force_float32"] = Memory, ["xlstm: return_last_states"] = Memory, ["xlstm: sequence_kernel"] = Memory, ["xlstm: step_kernel"] = Memory, ["xlstm: embedding_dim"] = Derived, ["xlstm: num_blocks"] = Derived,
        ["convnext: image_size"] = Same, ["convnext: num_stages"] = Derived, ["convnext: layer_scale_init_value"] = Start, ["swin: hidden_size"] = Derived, ["swin: num_layers"] = Derived,
        ["qwen3_next: intermediate_size"] = Elsewhere, ["wav2vec2: ctc_zero_infinity"] = Small, ["hubert: ctc_zero_infinity"] = Small, ["wav2vec2: adapter_kernel_size"] = Elsewhere, ["wav2vec2: adapter_stride"] = Elsewhere, ["wav2vec2: num_adapter_layers"] = Elsewhere,
        ["wav2vec2: output_hidden_size"] = Elsewhere, ["wav2vec2: codevector_dim"] = Elsewhere, ["wav2vec2: contrastive_logits_temperature"] = Elsewhere, ["wav2vec2: diversity_loss_weight"] = Elsewhere,
        ["wav2vec2: num_codevector_groups"] = Elsewhere, ["wav2vec2: num_codevectors_per_group"] = Elsewhere, ["wav2vec2: num_negatives"] = Elsewhere, ["wav2vec2: proj_codevector_dim"] = Elsewhere,
        ["wav2vec2: tdnn_dilation"] = Elsewhere, ["wav2vec2: tdnn_dim"] = Elsewhere, ["wav2vec2: tdnn_kernel"] = Elsewhere, ["wav2vec2: xvector_output_dim"] = Elsewhere,
        ["patchtst: channel_consistent_masking"] = Elsewhere, ["patchtst: distribution_output"] = Elsewhere, ["patchtst: mask_type"] = Elsewhere, ["patchtst: mask_value"] = Elsewhere, ["patchtst: num_targets"] = Elsewhere,
        ["patchtst: num_forecast_mask_patches"] = Elsewhere, ["patchtst: num_parallel_samples"] = Elsewhere, ["patchtst: random_mask_ratio"] = Elsewhere,
        ["rwkv: context_length"] = Bound, ["rwkv: rescale_every"] = "against overflow in float16: the numbers are the same", ["recurrent_gemma: final_w_init_variance_scale"] = Start, ["recurrent_gemma: w_init_variance_scale"] = Start,
        ["recurrent_gemma: intermediate_size"] = "half of it is used, rounded down",
        ["t5: tie_word_embeddings"] = "without a head of its own, as here, the embedding is the head",
        ["llava: tie_word_embeddings"] = "the text model's counts", ["llama: tie_word_embeddings"] = Elsewhere,
        ["deberta-v2: legacy"] = Elsewhere, ["deberta-v2: max_relative_positions"] = "below 1 means max_position_embeddings",
        ["deepseek_v2: head_dim"] = Derived, ["deepseek_v2: norm_topk_prob"] = Same, ["deepseek_v3: head_dim"] = Derived,
        ["falcon: multi_query"] = "the new architecture's groups count", ["falcon: parallel_attn"] = "the new architecture is parallel", ["falcon: num_kv_heads"] = "only the new architecture has groups",
        ["falcon: rope_parameters.rope_theta"] = "ALiBi has no angles", ["gpt_bigcode: num_key_value_heads"] = Derived, ["gpt_neo: attention_types"] = Derived,
        ["gpt_neox: rope_parameters.partial_rotary_factor"] = Small, ["gpt_neox: rope_parameters.rope_theta"] = Small, ["gpt_oss: hidden_act"] = Same, ["gpt_oss: swiglu_limit"] = Small,
        ["jamba: attn_layer_period"] = Small, ["lfm2: intermediate_size"] = "rounded to a multiple", ["llama: rope_parameters.low_freq_factor"] = Small,
        ["mamba: expand"] = Derived, ["mamba2: time_step_rank"] = Same, ["marian: decoder_vocab_size"] = "only separate embeddings have two sizes", ["modernbert: local_attention"] = "halved and rounded down",
        ["mpnet: relative_attention_num_buckets"] = "halved and rounded down", ["nystromformer: segment_means_seq_len"] = Derived, ["opt: _remove_final_layer_norm"] = "post-norm layers end with their own",
        ["phi3: rope_parameters.short_factor"] = "the case is long", ["qwen2_moe: intermediate_size"] = "every layer is a mixture", ["qwen3_moe: intermediate_size"] = "every layer is a mixture",
        ["qwen2_moe: sliding_window"] = Derived, ["smollm3: no_rope_layers"] = "any number but 0 is yes", ["resnet: downsample_in_bottleneck"] = "basic layers are no bottlenecks",
        ["reformer: axial_pos_embds_dim"] = Elsewhere, ["reformer: axial_pos_shape"] = Elsewhere, ["reformer: lsh_attn_chunk_length"] = Elsewhere, ["reformer: lsh_num_chunks_after"] = Elsewhere,
        ["reformer: lsh_num_chunks_before"] = Elsewhere, ["reformer: num_hashes"] = Elsewhere,
        ["switch_transformers: decoder_sparse_step"] = Derived, ["switch_transformers: encoder_sparse_step"] = Derived, ["switch_transformers: num_sparse_decoder_layers"] = Small,
        ["switch_transformers: num_sparse_encoder_layers"] = Small, ["xlnet: clamp_len"] = "below 1 is off",
    };

    /// <summary>Why a key may be ignored, or null.</summary>
    /// <param name="type">The model's model_type.</param>
    /// <param name="path">The key, inside objects behind their name and a dot.</param>
    /// <param name="predictsTokens">Whether the case's head predicts tokens: only then it can be tied.</param>
    public static string? Reason(string type, string path, bool predictsTokens)
    {
        string key = path[(path.LastIndexOf('.') + 1)..];
        if (path.Contains("id2label.", StringComparison.Ordinal) || path.Contains("label2id.", StringComparison.Ordinal))
        {
            return Label;
        }
        if (key == "tie_word_embeddings" && !predictsTokens)
        {
            return Elsewhere;
        }
        return key.Contains("dropout", StringComparison.Ordinal) || key.EndsWith("_pdrop", StringComparison.Ordinal) || key.EndsWith("layerdrop", StringComparison.Ordinal)
            || key.StartsWith("mask_feature_", StringComparison.Ordinal) || key.StartsWith("mask_time_", StringComparison.Ordinal) ? Training
            : Everywhere.GetValueOrDefault(key) ?? ByType.GetValueOrDefault($"{type}: {path}");
    }
}
