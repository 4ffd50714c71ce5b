using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Inference;

/// <summary>Adds an adapter to the weights of a model.</summary>
internal static class LoraMerge
{
    /// <summary>Loads a model with the adapter added: W + scale B A.</summary>
    public static Model Load(IModelReader reader, LoraCheckpoint adapter)
    {
        Model model = ModelRegistry.Default.Create(reader.ReadConfig());
        ModelFiles.LoadWeights(model, reader, trainable: true);
        Dictionary<string, Parameter> parameters = model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        foreach (LoraPair pair in adapter.Pairs)
        {
            Parameter weight = parameters.GetValueOrDefault(pair.Target + ".weight") ?? throw new CheckpointException(reader.Path, $"has no matrix \"{pair.Target}\" to adapt{NearestName.Hint(pair.Target, parameters.Keys)}");
            using var scope = new Scope();
            Tensor product = pair.B.MatMul(pair.A) * adapter.Scale(pair);
            weight.Value.CopyFrom(weight.Value.Detach() + (product.Shape == weight.Shape ? product : product.Transpose(0, 1))); // GPT-2 holds its matrices the other way round
        }
        return model;
    }
}
