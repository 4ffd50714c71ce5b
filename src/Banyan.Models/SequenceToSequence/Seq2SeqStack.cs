using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>The encoder or the decoder of BART's relatives: embeddings of tokens and positions, layers, and norms where the architecture has them.</summary>
public sealed class Seq2SeqStack : Module
{
    private readonly Seq2SeqConfig _c;
    private readonly Embedding _embed;
    private readonly Func<TokenBatch, ForwardPass, Tensor> _positions;
    private readonly LayerNorm? _embeddingNorm, _norm;
    private readonly Block[] _layers;
    private readonly Dropout _drop;

    /// <summary>A stack.</summary>
    /// <param name="c">Width and dropout.</param>
    /// <param name="embed">The token embedding, which both stacks share.</param>
    /// <param name="learned">Rows of a learned position embedding (<c>embed_positions</c>), of which position 0 is <paramref name="offset"/>; null: computed ones.</param>
    /// <param name="offset">The row of position 0.</param>
    /// <param name="computed">The positions (T, C) of a batch where they are not learned.</param>
    /// <param name="embeddingNorm">Whether a norm follows the embeddings (<c>layernorm_embedding</c>).</param>
    /// <param name="norm">Whether a norm follows the layers (<c>layer_norm</c>).</param>
    /// <param name="layers">The layers.</param>
    public Seq2SeqStack(Seq2SeqConfig c, Embedding embed, int? learned, int offset, Func<TokenBatch, Tensor>? computed, bool embeddingNorm, bool norm, IEnumerable<Block> layers)
    {
        (_c, _embed) = (c, embed);
        Embedding? positions = learned is { } rows ? Add("embed_positions", new Embedding(rows, c.DModel, Initializer.Normal(c.InitStd))) : null;
        _positions = positions is null ? (batch, _) => computed!(batch) : (batch, pass) => positions.Forward(batch.Positions + offset, pass);
        _embeddingNorm = embeddingNorm ? Add("layernorm_embedding", new LayerNorm(c.DModel)) : null;
        _layers = [.. layers.Select((layer, i) => Add($"layers.{i}", layer))];
        _norm = norm ? Add("layer_norm", new LayerNorm(c.DModel)) : null;
        _drop = Add("dropout", new Dropout(c.Dropout));
    }

    /// <summary>Hidden states (T, C) of a batch.</summary>
    public Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embed.Forward(batch.Ids, pass);
        x = (_c.ScaleEmbedding ? x * Math.Sqrt(_c.DModel) : x) + _positions(batch, pass);
        x = pass.Visit(this, "embedding", _drop.Forward(_embeddingNorm is null ? x : _embeddingNorm.Forward(x, pass), pass));
        foreach (Block layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return pass.Visit(this, "output", _norm is null ? x : _norm.Forward(x, pass));
    }
}

/// <summary>Two stacks that share their embedding, which is the head too: the frame of BART's relatives.</summary>
public abstract class Seq2SeqLanguageModel : EncoderDecoderModel
{
    private readonly Embedding _shared;
    private readonly Seq2SeqStack _encoder, _decoder;
    private readonly Parameter? _bias;
    private readonly string _name;

    /// <summary>Registers the parts.</summary>
    /// <param name="config">The file.</param>
    /// <param name="c">What was read from it.</param>
    /// <param name="stack">The encoder (false) or the decoder (true), from the shared embedding.</param>
    /// <param name="bias">Whether the logits have a constant bias (<c>final_logits_bias</c>). Default: true.</param>
    /// <param name="name">Name of both stacks together in checkpoints. Default: <c>model</c>.</param>
    protected Seq2SeqLanguageModel(ConfigReader config, Seq2SeqConfig c, Func<Embedding, bool, Seq2SeqStack> stack, bool bias = true, string name = "model") : base(config)
    {
        (Config, _name) = (c, name);
        _shared = Add($"{name}.shared", new Embedding(c.VocabSize, c.DModel, Initializer.Normal(c.InitStd), c.PadTokenId));
        _encoder = Add($"{name}.encoder", stack(_shared, false));
        _decoder = Add($"{name}.decoder", stack(_shared, true));
        _bias = bias ? AddBuffer("final_logits_bias", [1, c.VocabSize], Initializer.Zeros) : null;
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
    public override Parameter HeadWeight => _shared.Weight;

    /// <inheritdoc/>
    protected override bool HasPlainHead => _bias is null;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>
        HiddenStatePaths.Decoder($"{_name}.encoder.embedding", $"{_name}.encoder.layers", Config.EncoderLayers, $"{_name}.encoder.output", "encoder_hidden")
            .Concat(HiddenStatePaths.Decoder($"{_name}.decoder.embedding", $"{_name}.decoder.layers", Config.DecoderLayers, $"{_name}.decoder.output", "decoder_hidden"));

    // Both stacks and the head read the shared embedding; positions that are computed may be stored all the same.
    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => checkpointName == "lm_head.weight"
        || (checkpointName.StartsWith(_name + ".", StringComparison.Ordinal)
            && checkpointName[(_name.Length + 1)..] is "encoder.embed_tokens.weight" or "decoder.embed_tokens.weight" or "encoder.embed_positions.weight" or "decoder.embed_positions.weight");

    /// <summary>The tokens of the source among the arguments of a call. Default: with their mask.</summary>
    protected virtual TokenBatch SourceTokens(ModelInputs inputs, ForwardPass pass) => inputs.Tokens(pass.Scope);

    /// <inheritdoc/>
    public override EncodedSource Encode(ModelInputs inputs, ForwardPass pass)
    {
        TokenBatch source = SourceTokens(inputs, pass);
        return new EncodedSource(_encoder.Forward(source, pass), source.Layout);
    }

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _decoder.Forward(batch, pass);

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass) => _bias is null ? base.Logits(hidden, pass) : base.Logits(hidden, pass) + pass.Scope.Use(_bias);
}
