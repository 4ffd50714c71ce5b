using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// A vision encoder and a text decoder, each trained before (Rothe et al. 2020, arXiv:1907.12461, for text; TrOCR, Li et al. 2021, arXiv:2109.10282, for pictures): the writer's layers also attend
// to the patches. config.json holds the configurations "encoder" and "decoder".

/// <summary>ViT that looks and GPT-2 that writes: <c>VisionEncoderDecoderModel</c>.</summary>
public sealed class VisionEncoderDecoder : EncoderDecoderModel
{
    private readonly VitModel _encoder;
    private readonly Gpt2 _decoder;
    private readonly Linear? _between;

    /// <summary>A model without weights; initialise or load it.</summary>
    public VisionEncoderDecoder(ConfigReader config) : base(config)
    {
        ConfigReader source = config.GetObject("encoder"), target = config.GetObject("decoder");
        source.GetChoice("model_type", ["vit"]);
        target.GetChoice("model_type", ["gpt2"]);
        _encoder = Add("encoder", new VitModel(source, pooler: true, "cls_token"));
        _decoder = Add("decoder", new Gpt2(target));
        if (!_decoder.Config.AddCrossAttention)
        {
            throw new CheckpointException(config.Source, "\"decoder.add_cross_attention\" is false; expected true");
        }
        (int from, int to) = (_encoder.Config.HiddenSize, _decoder.Config.NEmbd);
        _between = from == to ? null : Add("enc_to_dec_proj", new Linear(from, to, initializer: Initializer.Normal(_decoder.Config.InitializerRange)));
        PadTokenId = config.GetInt("pad_token_id", target.GetInt("pad_token_id", 0, min: 0), min: 0);
        DecoderStartTokenId = config.GetInt("decoder_start_token_id", target.GetInt("bos_token_id", 0, min: 0), min: 0);
    }

    /// <inheritdoc/>
    public override int VocabularySize => _decoder.VocabularySize;

    /// <inheritdoc/>
    public override int MaxPositions => _decoder.MaxPositions;

    /// <inheritdoc/>
    public override int DecoderStartTokenId { get; }

    /// <inheritdoc/>
    public override int PadTokenId { get; }

    /// <inheritdoc/>
    public override Parameter HeadWeight => _decoder.HeadWeight;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => _encoder.HiddenStates("encoder.").Select(h => ($"encoder_{h.Name}", h.Path))
        .Concat(_decoder.HiddenStates.Select(h => ($"decoder_{h.Name}", $"decoder.{h.Path}")));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("decoder.", StringComparison.Ordinal) && _decoder.IsRedundant(checkpointName["decoder.".Length..]);

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        Tensor x = _encoder.Forward(inputs.Require("pixel_values"), pass);
        (int images, int length) = ((int)x.Shape[0], (int)x.Shape[1]);
        x = x.Reshape(images * length, -1);
        return new EncodedSource(_between is null ? x : _between.Forward(x, pass), SequenceLayout.Batch(images, length));
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _decoder.Hidden(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _decoder.Logits(hidden, pass);
}
