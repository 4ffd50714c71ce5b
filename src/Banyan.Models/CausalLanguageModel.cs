using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>A decoder-only language model.</summary>
public abstract class CausalLanguageModel : DecoderModel
{
    /// <summary>Keeps the configuration.</summary>
    protected CausalLanguageModel(ConfigReader config) : base(config)
    {
    }

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor ids = inputs.Require("input_ids");
        TokenBatch batch = inputs.Tokens(pass.Scope);
        Tensor? labels = inputs.Find("labels");
        ModelOutputs? more = Prepare(batch, inputs, pass);
        inputs.CheckAllRead();
        IList<Tensor>? routers = Collect(pass);
        Tensor logits = Logits(Hidden(batch, pass), pass);
        Tensor? loss = labels is null ? null : Balanced(Banyan.Loss.CrossEntropy(logits, NextTokens(labels, pass.Scope)), routers);
        ModelOutputs outputs = new ModelOutputs().With("loss", loss).With("logits", logits.Reshape(ids.Shape[0], ids.Shape[1], VocabularySize));
        foreach ((string name, Tensor value) in more?.Tensors ?? [])
        {
            outputs.With(name, value);
        }
        return outputs;
    }

    /// <summary>What a model does with further arguments before its tokens run; gives further outputs, or null. Default: nothing.</summary>
    protected virtual ModelOutputs? Prepare(TokenBatch batch, ModelInputs inputs, ForwardPass pass) => null;
}
