using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>Which class builds which architecture. <see cref="Default"/> holds Banyan's own; a copy may be extended with one's own architectures.</summary>
public sealed class ModelRegistry
{
    // One row per architecture: the class name in "architectures", the "model_type", the constructor.
    private static readonly (string Architecture, string ModelType, Func<ConfigReader, Model> Build)[] Rows =
    [
        ("AlbertForMaskedLM", "albert", c => new MaskedLanguageModel(c, new AlbertModel(c), AlbertHeads.Masked)),
        ("AlbertForQuestionAnswering", "albert", c => new QuestionAnswering(c, new AlbertModel(c))),
        ("AlbertForSequenceClassification", "albert", c => new SequenceClassification(c, new AlbertModel(c, pooler: true))),
        ("AlbertForTokenClassification", "albert", c => new TokenClassification(c, new AlbertModel(c))),
        ("AlbertModel", "albert", c => new BaseEncoder(c, new AlbertModel(c, pooler: true))),
        ("ArceeForCausalLM", "arcee", c => new Arcee(c)),
        ("ASTForAudioClassification", "audio-spectrogram-transformer", c => new AudioSpectrogramTransformer(c)),
        ("BambaForCausalLM", "bamba", c => new Bamba(c)),
        ("BartForConditionalGeneration", "bart", c => new Bart(c)),
        ("BeitForImageClassification", "beit", c => new Beit(c)),
        ("BertForMaskedLM", "bert", c => new MaskedLanguageModel(c, new BertModel(c, pooler: false), BertHeads.Masked)),
        ("BertForMultipleChoice", "bert", c => new MultipleChoice(c, new BertModel(c, pooler: true))),
        ("BertForNextSentencePrediction", "bert", c => new BertForNextSentencePrediction(c)),
        ("BertForPreTraining", "bert", c => new BertForPreTraining(c)),
        ("BertForQuestionAnswering", "bert", c => new QuestionAnswering(c, new BertModel(c, pooler: false))),
        ("BertForSequenceClassification", "bert", c => new SequenceClassification(c, new BertModel(c, pooler: true))),
        ("BertForTokenClassification", "bert", c => new TokenClassification(c, new BertModel(c, pooler: false))),
        ("BertLMHeadModel", "bert", c => new BertLMHeadModel(c)),
        ("BertModel", "bert", c => new BaseEncoder(c, new BertModel(c, pooler: c.GetBool("add_pooling_layer", true)))),
        ("BigBirdForMaskedLM", "big_bird", c => new MaskedLanguageModel(c, new BigBirdModel(c), BigBirdHeads.Masked)),
        ("BigBirdForTokenClassification", "big_bird", c => new TokenClassification(c, new BigBirdModel(c))),
        ("BigBirdModel", "big_bird", c => new BaseEncoder(c, new BigBirdModel(c))),
        ("BioGptForCausalLM", "biogpt", c => new BioGpt(c)),
        ("BitNetForCausalLM", "bitnet", c => new BitNet(c)),
        ("BlipForConditionalGeneration", "blip", c => new Blip(c)),
        ("BloomForCausalLM", "bloom", c => new Bloom(c)),
        ("CLIPModel", "clip", c => new Clip(c)),
        ("CodeGenForCausalLM", "codegen", c => new CodeGen(c)),
        ("Cohere2ForCausalLM", "cohere2", c => new Cohere2(c)),
        ("ConvNextForImageClassification", "convnext", c => new ConvNext(c)),
        ("CohereForCausalLM", "cohere", c => new Cohere(c)),
        ("CTRLLMHeadModel", "ctrl", c => new Ctrl(c)),
        ("DebertaForMaskedLM", "deberta", c => new MaskedLanguageModel(c, new DebertaModel(c), DebertaHeads.Masked)),
        ("DebertaForQuestionAnswering", "deberta", c => new QuestionAnswering(c, new DebertaModel(c))),
        ("DebertaForSequenceClassification", "deberta", c => new FirstTokenClassification(c, new DebertaModel(c), c.GetChoice("pooler_hidden_act", Activations.Names, "gelu"), "pooler.dense", "classifier")),
        ("DebertaForTokenClassification", "deberta", c => new TokenClassification(c, new DebertaModel(c))),
        ("DebertaModel", "deberta", c => new BaseEncoder(c, new DebertaModel(c))),
        ("DebertaV2ForMaskedLM", "deberta-v2", c => new MaskedLanguageModel(c, new DebertaV2Model(c), DebertaV2Heads.Masked)),
        ("DebertaV2ForQuestionAnswering", "deberta-v2", c => new QuestionAnswering(c, new DebertaV2Model(c))),
        ("DebertaV2ForSequenceClassification", "deberta-v2", c => new FirstTokenClassification(c, new DebertaV2Model(c), c.GetChoice("pooler_hidden_act", Activations.Names, "gelu"), "pooler.dense", "classifier")),
        ("DebertaV2ForTokenClassification", "deberta-v2", c => new TokenClassification(c, new DebertaV2Model(c))),
        ("DebertaV2Model", "deberta-v2", c => new BaseEncoder(c, new DebertaV2Model(c))),
        ("DecisionTransformerModel", "decision_transformer", c => new DecisionTransformer(c)),
        ("DeepseekV2ForCausalLM", "deepseek_v2", c => new DeepseekV2(c)),
        ("DeepseekV3ForCausalLM", "deepseek_v3", c => new DeepseekV3(c)),
        ("DeiTForImageClassificationWithTeacher", "deit", c => new DeitWithTeacher(c)),
        ("DetrForObjectDetection", "detr", c => new Detr(c)),
        ("Dinov2Model", "dinov2", c => new Dinov2(c)),
        ("DistilBertForMaskedLM", "distilbert", c => new MaskedLanguageModel(c, new DistilBertModel(c), DistilBertHeads.Masked)),
        ("DistilBertForQuestionAnswering", "distilbert", c => new QuestionAnswering(c, new DistilBertModel(c))),
        ("DistilBertForSequenceClassification", "distilbert", c => new FirstTokenClassification(c, new DistilBertModel(c), "relu", "pre_classifier", "classifier")),
        ("DistilBertForTokenClassification", "distilbert", c => new TokenClassification(c, new DistilBertModel(c))),
        ("DistilBertModel", "distilbert", c => new BaseEncoder(c, new DistilBertModel(c))),
        ("ElectraForMaskedLM", "electra", c => new MaskedLanguageModel(c, new ElectraModel(c), ElectraHeads.Masked)),
        ("ElectraForPreTraining", "electra", c => new ElectraForPreTraining(c)),
        ("ElectraForQuestionAnswering", "electra", c => new QuestionAnswering(c, new ElectraModel(c))),
        ("ElectraForSequenceClassification", "electra", c => new FirstTokenClassification(c, new ElectraModel(c), "gelu")),
        ("ElectraForTokenClassification", "electra", c => new TokenClassification(c, new ElectraModel(c))),
        ("ElectraModel", "electra", c => new BaseEncoder(c, new ElectraModel(c))),
        ("EncoderDecoderModel", "encoder-decoder", c => new BertEncoderDecoder(c)),
        ("Exaone4ForCausalLM", "exaone4", c => new Exaone4(c)),
        ("FalconForCausalLM", "falcon", c => new Falcon(c)),
        ("FalconH1ForCausalLM", "falcon_h1", c => new FalconH1(c)),
        ("FNetForMaskedLM", "fnet", c => new MaskedLanguageModel(c, new FNetModel(c), FNetHeads.Masked)),
        ("FNetForSequenceClassification", "fnet", c => new SequenceClassification(c, new FNetModel(c, pooler: true))),
        ("FNetModel", "fnet", c => new BaseEncoder(c, new FNetModel(c, pooler: true))),
        ("Gemma2ForCausalLM", "gemma2", c => new Gemma2(c)),
        ("Gemma3ForCausalLM", "gemma3_text", c => new Gemma3(c)),
        ("GemmaForCausalLM", "gemma", c => new Gemma(c)),
        ("Glm4ForCausalLM", "glm4", c => new Glm4(c)),
        ("Glm4MoeForCausalLM", "glm4_moe", c => new Glm4Moe(c)),
        ("GPT2LMHeadModel", "gpt2", c => new Gpt2(c)),
        ("GPTBigCodeForCausalLM", "gpt_bigcode", c => new GptBigCode(c)),
        ("GPTJForCausalLM", "gptj", c => new GptJ(c)),
        ("GPTNeoForCausalLM", "gpt_neo", c => new GptNeo(c)),
        ("GPTNeoXForCausalLM", "gpt_neox", c => new GptNeoX(c)),
        ("GptOssForCausalLM", "gpt_oss", c => new GptOss(c)),
        ("GraniteForCausalLM", "granite", c => new Granite(c)),
        ("GraniteMoeForCausalLM", "granitemoe", c => new GraniteMoe(c)),
        ("HubertForCTC", "hubert", c => new Wav2Vec2(c, "hubert")),
        ("JambaForCausalLM", "jamba", c => new Jamba(c)),
        ("LEDForConditionalGeneration", "led", c => new Led(c)),
        ("Lfm2ForCausalLM", "lfm2", c => new Lfm2(c)),
        ("Llama4ForCausalLM", "llama4_text", c => new Llama4(c)),
        ("LlamaForCausalLM", "llama", c => new Llama(c)),
        ("LlamaForSequenceClassification", "llama", c => new LlamaForSequenceClassification(c)),
        ("LlavaForConditionalGeneration", "llava", c => new Llava(c)),
        ("LongformerForMaskedLM", "longformer", c => new MaskedLanguageModel(c, new LongformerModel(c), LongformerHeads.Masked)),
        ("LongformerForSequenceClassification", "longformer", c => new FirstTokenClassification(c, new LongformerModel(c, firstIsGlobal: true), "tanh")),
        ("LongformerForTokenClassification", "longformer", c => new TokenClassification(c, new LongformerModel(c))),
        ("LongformerModel", "longformer", c => new BaseEncoder(c, new LongformerModel(c, pooler: true))),
        ("M2M100ForConditionalGeneration", "m2m_100", c => new M2M100(c)),
        ("Mamba2ForCausalLM", "mamba2", c => new Mamba2(c)),
        ("MambaForCausalLM", "mamba", c => new Mamba(c)),
        ("MarianMTModel", "marian", c => new Marian(c)),
        ("MBartForConditionalGeneration", "mbart", c => new MBart(c)),
        ("MiniMaxForCausalLM", "minimax", c => new MiniMax(c)),
        ("MistralForCausalLM", "mistral", c => new Mistral(c)),
        ("MixtralForCausalLM", "mixtral", c => new Mixtral(c)),
        ("MobileNetV2ForImageClassification", "mobilenet_v2", c => new MobileNetV2(c)),
        ("ModernBertForMaskedLM", "modernbert", c => new MaskedLanguageModel(c, new ModernBertModel(c), ModernBertHeads.Masked)),
        ("ModernBertModel", "modernbert", c => new BaseEncoder(c, new ModernBertModel(c))),
        ("MPNetForMaskedLM", "mpnet", c => new MaskedLanguageModel(c, new MpNetModel(c), MpNetHeads.Masked)),
        ("MPNetForQuestionAnswering", "mpnet", c => new QuestionAnswering(c, new MpNetModel(c))),
        ("MPNetForSequenceClassification", "mpnet", c => new FirstTokenClassification(c, new MpNetModel(c), "tanh")),
        ("MPNetForTokenClassification", "mpnet", c => new TokenClassification(c, new MpNetModel(c))),
        ("MPNetModel", "mpnet", c => new BaseEncoder(c, new MpNetModel(c, pooler: true))),
        ("MptForCausalLM", "mpt", c => new Mpt(c)),
        ("MPTForCausalLM", "mpt", c => new Mpt(c)),   // as the hub's folders write it
        ("NanoChatForCausalLM", "nanochat", c => new NanoChat(c)),
        ("NemotronForCausalLM", "nemotron", c => new Nemotron(c)),
        ("NystromformerForMaskedLM", "nystromformer", c => new MaskedLanguageModel(c, new NystromformerModel(c), NystromformerHeads.Masked)),
        ("NystromformerForQuestionAnswering", "nystromformer", c => new QuestionAnswering(c, new NystromformerModel(c))),
        ("NystromformerForSequenceClassification", "nystromformer", c => new FirstTokenClassification(c, new NystromformerModel(c), c.GetChoice("hidden_act", Activations.Names, "gelu_new"))),
        ("NystromformerForTokenClassification", "nystromformer", c => new TokenClassification(c, new NystromformerModel(c))),
        ("NystromformerModel", "nystromformer", c => new BaseEncoder(c, new NystromformerModel(c))),
        ("Olmo2ForCausalLM", "olmo2", c => new Olmo2(c)),
        ("OlmoeForCausalLM", "olmoe", c => new Olmoe(c)),
        ("OlmoForCausalLM", "olmo", c => new Olmo(c)),
        ("OpenAIGPTLMHeadModel", "openai-gpt", c => new OpenAiGpt(c)),
        ("OPTForCausalLM", "opt", c => new Opt(c)),
        ("PaliGemmaForConditionalGeneration", "paligemma", c => new PaliGemma(c)),
        ("PatchTSTForPrediction", "patchtst", c => new PatchTst(c)),
        ("PegasusForConditionalGeneration", "pegasus", c => new Pegasus(c)),
        ("PersimmonForCausalLM", "persimmon", c => new Persimmon(c)),
        ("Phi3ForCausalLM", "phi3", c => new Phi3(c)),
        ("PhiForCausalLM", "phi", c => new Phi(c)),
        ("PhimoeForCausalLM", "phimoe", c => new PhiMoe(c)),
        ("PhiMoEForCausalLM", "phimoe", c => new PhiMoe(c)),   // as the hub's folders write it
        ("Qwen2ForCausalLM", "qwen2", c => new Qwen2(c)),
        ("Qwen2MoeForCausalLM", "qwen2_moe", c => new Qwen2Moe(c)),
        ("Qwen3ForCausalLM", "qwen3", c => new Qwen3(c)),
        ("Qwen3MoeForCausalLM", "qwen3_moe", c => new Qwen3Moe(c)),
        ("Qwen3NextForCausalLM", "qwen3_next", c => new Qwen3Next(c)),
        ("RecurrentGemmaForCausalLM", "recurrent_gemma", c => new RecurrentGemma(c)),
        ("ReformerForMaskedLM", "reformer", c => new ReformerForMaskedLM(c)),
        ("ResNetForImageClassification", "resnet", c => new ResNet(c)),
        ("RobertaForMaskedLM", "roberta", c => new MaskedLanguageModel(c, new RobertaModel(c), RobertaHeads.Masked)),
        ("RobertaForQuestionAnswering", "roberta", c => new QuestionAnswering(c, new RobertaModel(c))),
        ("RobertaForSequenceClassification", "roberta", c => new FirstTokenClassification(c, new RobertaModel(c), "tanh")),
        ("RobertaForTokenClassification", "roberta", c => new TokenClassification(c, new RobertaModel(c))),
        ("RobertaModel", "roberta", c => new BaseEncoder(c, new RobertaModel(c, pooler: c.GetBool("add_pooling_layer", true)))),
        ("RoFormerForMaskedLM", "roformer", c => new MaskedLanguageModel(c, new RoFormerModel(c), RoFormerHeads.Masked)),
        ("RoFormerModel", "roformer", c => new BaseEncoder(c, new RoFormerModel(c))),
        ("RwkvForCausalLM", "rwkv", c => new Rwkv(c)),
        ("SegformerForSemanticSegmentation", "segformer", c => new Segformer(c)),
        ("SiglipModel", "siglip", c => new Siglip(c)),
        ("SmolLM3ForCausalLM", "smollm3", c => new SmolLm3(c)),
        ("StableLmForCausalLM", "stablelm", c => new StableLm(c)),
        ("Starcoder2ForCausalLM", "starcoder2", c => new Starcoder2(c)),
        ("SwinForImageClassification", "swin", c => new Swin(c)),
        ("SwitchTransformersForConditionalGeneration", "switch_transformers", c => new SwitchTransformers(c)),
        ("T5ForConditionalGeneration", "t5", c => new T5(c)),
        ("UMT5ForConditionalGeneration", "umt5", c => new T5(c, biasInEveryLayer: true)),
        ("ViltForQuestionAnswering", "vilt", c => new Vilt(c)),
        ("VisionEncoderDecoderModel", "vision-encoder-decoder", c => new VisionEncoderDecoder(c)),
        ("ViTForImageClassification", "vit", c => new VitForImageClassification(c)),
        ("ViTMAEForPreTraining", "vit_mae", c => new VitMae(c)),
        ("Wav2Vec2ForCTC", "wav2vec2", c => new Wav2Vec2(c, "wav2vec2")),
        ("WhisperForConditionalGeneration", "whisper", c => new Whisper(c)),
        ("XGLMForCausalLM", "xglm", c => new Xglm(c)),
        ("XLMRobertaForMaskedLM", "xlm-roberta", c => new MaskedLanguageModel(c, new RobertaModel(c), RobertaHeads.Masked)),
        ("XLMRobertaForQuestionAnswering", "xlm-roberta", c => new QuestionAnswering(c, new RobertaModel(c))),
        ("XLMRobertaForSequenceClassification", "xlm-roberta", c => new FirstTokenClassification(c, new RobertaModel(c), "tanh")),
        ("XLMRobertaForTokenClassification", "xlm-roberta", c => new TokenClassification(c, new RobertaModel(c))),
        ("XLMRobertaModel", "xlm-roberta", c => new BaseEncoder(c, new RobertaModel(c, pooler: c.GetBool("add_pooling_layer", true)))),
        ("XLNetLMHeadModel", "xlnet", c => new XlNet(c)),
        ("xLSTMForCausalLM", "xlstm", c => new XLstm(c)),
        ("YolosForObjectDetection", "yolos", c => new Yolos(c)),
    ];

    private readonly Dictionary<string, Func<ConfigReader, Model>> _byArchitecture = [];
    private readonly Dictionary<string, string> _byType = [];

    /// <summary>The architectures that Banyan has. Do not change it: copy it with <see cref="Copy"/>.</summary>
    public static ModelRegistry Default { get; } = WithOwn();

    /// <summary>The known architectures, by the names in <c>config.json</c>.</summary>
    public IReadOnlyCollection<string> Architectures => _byArchitecture.Keys;

    /// <summary>The known model types: <c>model_type</c> in <c>config.json</c>.</summary>
    public IReadOnlyCollection<string> ModelTypes => _byType.Keys;

    /// <summary>Adds an architecture. The first one of a model type is what a configuration without <c>architectures</c> means.</summary>
    public ModelRegistry Add(string architecture, string modelType, Func<ConfigReader, Model> build)
    {
        _byArchitecture[architecture] = build;
        _byType.TryAdd(modelType, architecture);
        return this;
    }

    /// <summary>A registry of one's own that begins with this one's architectures.</summary>
    public ModelRegistry Copy()
    {
        var copy = new ModelRegistry();
        foreach ((string name, Func<ConfigReader, Model> build) in _byArchitecture)
        {
            copy._byArchitecture[name] = build;
        }
        foreach ((string type, string name) in _byType)
        {
            copy._byType[type] = name;
        }
        return copy;
    }

    /// <summary>Builds a model, without weights, from its configuration.</summary>
    /// <exception cref="CheckpointException">The architecture is unknown, or a value is missing or impossible.</exception>
    public Model Create(ConfigReader config) => _byArchitecture[ArchitectureOf(config)](config);

    /// <summary>The architecture that a configuration names, or that its model type means.</summary>
    /// <exception cref="CheckpointException">It is unknown.</exception>
    public string ArchitectureOf(ConfigReader config)
    {
        string[] architectures = config.GetStrings("architectures");
        if (architectures.FirstOrDefault(_byArchitecture.ContainsKey) is { } known)
        {
            return known;
        }
        if (architectures.Length > 0)
        {
            throw new CheckpointException(config.Source, $"\"architectures\" is {string.Join(", ", architectures)}; Banyan has {string.Join(", ", Architectures.Order())}"
                + NearestName.Hint(architectures[0], Architectures));
        }
        return _byType[config.GetChoice("model_type", _byType.Keys)];
    }

    private static ModelRegistry WithOwn()
    {
        var registry = new ModelRegistry();
        foreach ((string architecture, string type, Func<ConfigReader, Model> build) in Rows)
        {
            registry.Add(architecture, type, build);
        }
        return registry;
    }
}
