using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training.Tests.Goldens;

/// <summary>How a batch of goldens/training becomes a loss.</summary>
internal interface IGoldenLoss
{
    /// <summary>How many targets count.</summary>
    long Count(IReadOnlyDictionary<string, Tensor> batch);

    /// <summary>The summed loss over <paramref name="count"/>.</summary>
    Tensor Of(IReadOnlyDictionary<string, Tensor> batch, double count, ForwardPass pass);
}

internal static class GoldenLosses
{
    public static IGoldenLoss Of(Model model, double smoothing) => model is CausalLanguageModel causal ? new NextToken(causal, smoothing) : new OwnLoss(model);

    /// <summary>Causal models: real tokens packed one after another, documents apart, targets moved by one within the row.</summary>
    private sealed class NextToken(CausalLanguageModel model, double smoothing) : IGoldenLoss
    {
        public long Count(IReadOnlyDictionary<string, Tensor> batch) => Pack(batch).Targets.Count(t => t >= 0);

        public Tensor Of(IReadOnlyDictionary<string, Tensor> batch, double count, ForwardPass pass)
        {
            (List<long> ids, List<long> targets, List<int> lengths) = Pack(batch);
            TokenBatch tokens = TokenBatch.Packed(ids.ToArray(), lengths.ToArray(), pass.Scope);
            return model.Loss(tokens, pass.Scope.From<long>([.. targets], [targets.Count]), count, pass, smoothing: smoothing);
        }

        private static (List<long> Ids, List<long> Targets, List<int> Lengths) Pack(IReadOnlyDictionary<string, Tensor> batch)
        {
            double[] ids = batch["input_ids"].ToDoubles(), labels = batch["labels"].ToDoubles();
            double[]? mask = batch.TryGetValue("attention_mask", out Tensor? m) ? m.ToDoubles() : null, documents = batch.TryGetValue("document_ids", out Tensor? d) ? d.ToDoubles() : null;
            int length = (int)batch["input_ids"].Shape[1];
            var result = (Ids: new List<long>(), Targets: new List<long>(), Lengths: new List<int>());
            for (int i = 0; i < ids.Length; i++)
            {
                if (mask is not null && mask[i] == 0)
                {
                    continue;
                }
                bool begins = i % length == 0 || (documents is not null && documents[i] != documents[i - 1]);
                result.Ids.Add((long)ids[i]);
                result.Targets.Add((i + 1) % length == 0 ? -100 : (long)labels[i + 1]);
                if (begins)
                {
                    result.Lengths.Add(0);
                }
                result.Lengths[^1]++;
            }
            return result;
        }
    }

    /// <summary>Models whose forward call gives a mean loss.</summary>
    private sealed class OwnLoss(Model model) : IGoldenLoss
    {
        public long Count(IReadOnlyDictionary<string, Tensor> batch) => batch["labels"].ToDoubles().Count(l => l >= 0);

        public Tensor Of(IReadOnlyDictionary<string, Tensor> batch, double count, ForwardPass pass)
        {
            var inputs = batch.ToDictionary(b => b.Key, b => b.Value.DType == DType.Int32 ? b.Value.To(DType.Int64) : b.Value);
            return model.Run(new ModelInputs(inputs), pass).Loss! * (Count(batch) / count);
        }
    }
}
