using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A layer of a T5 stack, from its index, whether it belongs to the decoder, and the biases of distances.</summary>
public delegate Block T5BlockOf(int layer, bool decoder, T5RelativeBias bias);

/// <summary>The encoder or the decoder.</summary>
public sealed class T5Stack : Module
{
    private readonly Embedding _embed;
    private readonly Block[] _layers;
    private readonly RmsNorm _norm;
    private readonly Dropout _drop1, _drop2;

    internal T5Stack(T5Config c, Embedding embed, bool decoder, bool biasInEveryLayer, T5BlockOf block)
    {
        _embed = embed;
        _drop1 = Add("embed_dropout", new Dropout(c.DropoutRate));
        int depth = decoder ? c.NumDecoderLayers : c.NumLayers;
        T5RelativeBias[] biases = [.. Enumerable.Range(0, biasInEveryLayer ? depth : 1).Select(_ => new T5RelativeBias(c, bidirectional: !decoder))];
        _layers = [.. Enumerable.Range(0, depth).Select(i => Add($"block.{i}", block(i, decoder, biases[Math.Min(i, biases.Length - 1)])))];
        for (int i = 0; i < biases.Length; i++)
        {
            Add($"block.{i}.layer.0.SelfAttention.relative_attention_bias", biases[i]);
        }
        _norm = Add("final_layer_norm", new RmsNorm(c.DModel, c.LayerNormEpsilon));
        _drop2 = Add("dropout", new Dropout(c.DropoutRate));
    }

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _drop1.Forward(_embed.Forward(batch.Ids, pass), pass);   // (T, C)
        foreach (Block layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _drop2.Forward(_norm.Forward(x, pass), pass);
    }
}

/// <summary>Two stacks that share their embedding, and the head: the frame of T5 and its relatives.</summary>
public abstract class T5LanguageModel : EncoderDecoderModel
{
    private readonly T5Stack _encoder, _decoder;
    private readonly Parameter _head;

    /// <summary>Registers the parts.</summary>
    /// <param name="config">The file.</param>
    /// <param name="c">What was read from it.</param>
    /// <param name="block">The layers.</param>
    /// <param name="biasInEveryLayer">Whether each layer has biases of distances of its own. Default: the first one's serve all.</param>
    protected T5LanguageModel(ConfigReader config, T5Config c, T5BlockOf block, bool biasInEveryLayer = false) : base(config)
    {
        Config = c;
        Embedding shared = Add("shared", new Embedding(Config.VocabSize, Config.DModel, Initializer.Normal(Config.InitializerFactor)));
        _encoder = Add("encoder", new T5Stack(Config, shared, decoder: false, biasInEveryLayer, block));
        _decoder = Add("decoder", new T5Stack(Config, shared, decoder: true, biasInEveryLayer, block));
        _head = Config.TieWordEmbeddings ? shared.Weight
            : Add("lm_head", new Linear(Config.DModel, Config.VocabSize, bias: false, initializer: Initializer.Normal(Config.InitializerFactor))).Weight;
    }

    /// <summary>What it was built from.</summary>
    public T5Config Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override int DecoderStartTokenId => Config.DecoderStartTokenId;

    /// <inheritdoc/>
    public override int PadTokenId => Config.PadTokenId;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _head;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        HiddenStatePaths.Decoder("encoder.embed_dropout", "encoder.block", Config.NumLayers, "encoder.dropout", "encoder_hidden")
            .Concat(HiddenStatePaths.Decoder("decoder.embed_dropout", "decoder.block", Config.NumDecoderLayers, "decoder.dropout", "decoder_hidden"));

    // As transformers ties them where there is no head, whatever the configuration says.
    /// <inheritdoc/>
    public override string? StandIn(string name) => name == "lm_head.weight" ? "shared.weight" : null;

    // Both stacks read the shared embedding; old checkpoints have a bias that was never used.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName is "encoder.embed_tokens.weight" or "decoder.embed_tokens.weight"
        or "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight" || (Config.TieWordEmbeddings && checkpointName == "lm_head.weight");

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch source = inputs.Tokens(pass.Scope);
        return new EncodedSource(_encoder.Forward(source, pass), source.Layout);
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _decoder.Forward(batch, pass);
        return Config.ScaleDecoderOutputs ? x * (1 / Math.Sqrt(Config.DModel)) : x;
    }
}
