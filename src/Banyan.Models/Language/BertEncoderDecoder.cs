using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Two BERTs as encoder and decoder (Rothe et al. 2020, "Leveraging Pre-trained Checkpoints for Sequence Generation Tasks", arXiv:1907.12461): both begin as trained BERTs, the
// decoder sees only what lies before a token, and each of its layers attends to the source. config.json holds the configurations "encoder" and "decoder".

/// <summary>BERT that reads and BERT that writes: <c>EncoderDecoderModel</c>.</summary>
public sealed class BertEncoderDecoder : EncoderDecoderModel
{
    private readonly BertModel _encoder;
    private readonly BertLMHeadModel _decoder;

    /// <summary>A model without weights; initialise or load it.</summary>
    public BertEncoderDecoder(ConfigReader config) : base(config)
    {
        ConfigReader source = Part(config, "encoder", decoder: false), target = Part(config, "decoder", decoder: true);
        _encoder = Add("encoder", new BertModel(source, pooler: true));
        _decoder = Add("decoder", new BertLMHeadModel(target));
        if (_encoder.HiddenSize != _decoder.Config.HiddenSize)
        {
            throw new CheckpointException(config.Source, $"\"encoder.hidden_size\" is {_encoder.HiddenSize}; expected that of the decoder, {_decoder.Config.HiddenSize}: there is no layer between them");
        }
        PadTokenId = config.GetInt("pad_token_id", target.GetInt("pad_token_id", 0, min: 0), min: 0);
        DecoderStartTokenId = config.GetInt("decoder_start_token_id", config.GetInt("bos_token_id", target.GetInt("bos_token_id", 0, min: 0), min: 0), min: 0);
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
    protected override bool HasPlainHead => false;

    /// <inheritdoc/>
    protected override bool HidesPadding => true;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        _encoder.HiddenStates("encoder.").Select(h => ($"encoder_{h.Name}", h.Path)).Concat(_decoder.Bert.HiddenStates("decoder.bert.").Select(h => ($"decoder_{h.Name}", h.Path)));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName.StartsWith("encoder.", StringComparison.Ordinal) ? _encoder.IsRedundant(checkpointName["encoder.".Length..])
        : checkpointName.StartsWith("decoder.", StringComparison.Ordinal) && _decoder.IsRedundant(checkpointName["decoder.".Length..]);

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch source = _encoder.Tokens(inputs, pass);
        return new EncodedSource(_encoder.Forward(source, pass), source.Layout);
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _decoder.Hidden(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _decoder.Logits(hidden, pass);

    private static ConfigReader Part(ConfigReader config, string key, bool decoder)
    {
        ConfigReader part = config.GetObject(key);
        part.GetChoice("model_type", ["bert"]);
        foreach (string flag in (string[])["is_decoder", "add_cross_attention"])
        {
            if (part.GetBool(flag, false) != decoder)
            {
                throw new CheckpointException(config.Source, $"\"{key}.{flag}\" is {(decoder ? "false; expected true" : "true; expected false")}");
            }
        }
        return part;
    }
}
