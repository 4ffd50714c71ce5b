using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Whisper (Radford et al. 2022, arXiv:2212.04356): two convolutions over a mel spectrogram, an encoder with sinusoidal positions, and a decoder that writes the words.

/// <summary>x + attention(norm(x)), in the decoder x + attention to the sound, then x + mlp(norm(x)).</summary>
public sealed class WhisperBlock : Block
{
    private readonly Seq2SeqAttention _self;
    private readonly Seq2SeqAttention? _source;
    private readonly Seq2SeqMlp _mlp;
    private readonly LayerNorm _selfNorm, _mlpNorm;
    private readonly LayerNorm? _sourceNorm;
    private readonly Dropout _drop;

    internal WhisperBlock(Seq2SeqConfig c, int layer, bool decoder)
    {
        int heads = decoder ? c.DecoderAttentionHeads : c.EncoderAttentionHeads;
        _self = Add("self_attn", new Seq2SeqAttention(c, heads, layer, causal: decoder, keyBias: false));
        _selfNorm = Add("self_attn_layer_norm", new LayerNorm(c.DModel));
        _source = decoder ? Add("encoder_attn", new Seq2SeqAttention(c, heads, layer, causal: false, keyBias: false)) : null;
        _sourceNorm = decoder ? Add("encoder_attn_layer_norm", new LayerNorm(c.DModel)) : null;
        _mlp = Add("", new Seq2SeqMlp(c, decoder ? c.DecoderFfnDim : c.EncoderFfnDim));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.DModel));
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop.Forward(_self.Forward(_selfNorm.Forward(x, pass), batch, pass), pass);
        if (_source is not null)
        {
            x += _drop.Forward(_source.ToSource(_sourceNorm!.Forward(x, pass), batch, pass), pass);
        }
        return x + _drop.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>Convolutions, positions and layers over (B, mel bands, frames).</summary>
public sealed class WhisperEncoder : Module
{
    private readonly Conv _first, _second;
    private readonly Parameter _positions;
    private readonly WhisperBlock[] _layers;
    private readonly LayerNorm _norm;
    private readonly int _bands, _length;

    internal WhisperEncoder(Seq2SeqConfig c, int bands, int length)
    {
        (_bands, _length) = (bands, length);
        _first = Add("conv1", new Conv(bands, c.DModel, [3], new ConvOptions { Padding = [1] }));
        _second = Add("conv2", new Conv(c.DModel, c.DModel, [3], new ConvOptions { Stride = [2], Padding = [1] }));
        _positions = AddBuffer("embed_positions.weight", [length, c.DModel], Sinusoids(c.DModel));
        _layers = [.. Enumerable.Range(0, c.EncoderLayers).Select(i => Add($"layers.{i}", new WhisperBlock(c, i, decoder: false)))];
        _norm = Add("layer_norm", new LayerNorm(c.DModel));
    }

    // Sines of the first half of the channels, cosines of the second.
    private static Initializer Sinusoids(int width) => Initializer.Of((position, channel) =>
    {
        double angle = position * Math.Pow(10000, -(double)(channel % (width / 2)) / Math.Max(width / 2 - 1, 1));
        return channel < width / 2 ? Math.Sin(angle) : Math.Cos(angle);
    });

    /// <summary>(B * length, C) and how the sounds lie in it.</summary>
    public EncodedSource Forward(Tensor features, ForwardPass pass)
    {
        if (features.Rank != 3 || features.Shape[1] != _bands || features.Shape[2] != 2 * _length)
        {
            throw new ArgumentException($"input_features must be (batch, {_bands} mel bands, {2 * _length} frames), given {features.Shape}");
        }
        Tensor x = _second.Forward(_first.Forward(pass.Scope.Use(features), pass).Gelu(), pass).Gelu().Transpose(1, 2);     // (B, length, C)
        x += pass.Scope.Use(_positions);
        TokenBatch batch = Patches.Batch(x.Shape[0], x.Shape[1], pass.Scope);
        x = pass.Visit(this, "embedding", x.Reshape(-1, x.Shape[2]));
        foreach (WhisperBlock layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        return new EncodedSource(pass.Visit(this, "output", _norm.Forward(x, pass)), batch.Layout);
    }
}

/// <summary>Whisper: <c>WhisperForConditionalGeneration</c>.</summary>
public sealed class Whisper : EncoderDecoderModel
{
    private readonly WhisperEncoder _encoder;
    private readonly Seq2SeqStack _decoder;
    private readonly Embedding _embed;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Whisper(ConfigReader config) : base(config)
    {
        Config = Seq2SeqConfig.Read(config, new()
        {
            VocabSize = 51865, DModel = 384, EncoderLayers = 4, DecoderLayers = 4, EncoderAttentionHeads = 6, DecoderAttentionHeads = 6, EncoderFfnDim = 1536, DecoderFfnDim = 1536, Dropout = 0,
            PadTokenId = 50256, DecoderStartTokenId = 50257,
        }) with { MaxPositionEmbeddings = config.GetInt("max_target_positions", 448, min: 1, max: 1 << 20) };
        _encoder = Add("model.encoder", new WhisperEncoder(Config, config.GetInt("num_mel_bins", 80, min: 1, max: 1 << 12), config.GetInt("max_source_positions", 1500, min: 1, max: 1 << 20)));
        _embed = Add("model.decoder.embed_tokens", new Embedding(Config.VocabSize, Config.DModel, Initializer.Normal(Config.InitStd), Config.PadTokenId < Config.VocabSize ? Config.PadTokenId : null));
        _decoder = Add("model.decoder", new Seq2SeqStack(Config, _embed, learned: Config.MaxPositionEmbeddings, offset: 0, computed: null, embeddingNorm: false, norm: true,
            Enumerable.Range(0, Config.DecoderLayers).Select(i => new WhisperBlock(Config, i, decoder: true))));
    }

    /// <summary>What it was built from.</summary>
    public Seq2SeqConfig Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositionEmbeddings;

    /// <inheritdoc/>
    public override int DecoderStartTokenId => Config.DecoderStartTokenId;

    /// <inheritdoc/>
    public override int PadTokenId => Config.PadTokenId;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _embed.Weight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        HiddenStatePaths.Decoder("model.encoder.embedding", "model.encoder.layers", Config.EncoderLayers, "model.encoder.output", "encoder_hidden")
            .Concat(HiddenStatePaths.Decoder("model.decoder.embedding", "model.decoder.layers", Config.DecoderLayers, "model.decoder.output", "decoder_hidden"));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName == "proj_out.weight";

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass) => _encoder.Forward(inputs.Require("input_features"), pass);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _decoder.Forward(batch, pass);
}
