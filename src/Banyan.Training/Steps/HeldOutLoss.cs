using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>The loss of a language model on text that it is not trained on.</summary>
public static class HeldOutLoss
{
    /// <summary>The mean loss per token, in nats, over the first batches of a source; each token counts once.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batches">The batches; sources that do not shuffle read the text from its beginning.</param>
    /// <param name="steps">How many batches; at most one epoch makes sense.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public static double Of(CausalLanguageModel model, TokenBatches batches, long steps, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        using var scope = new Scope(new ScopeOptions { Pool = pool, RecycleHandles = true });
        var tensors = new BatchTensors();
        double sum = 0;
        long counted = 0;
        for (long step = 0; step < steps; step++)
        {
            for (int micro = 0; micro < batches.MicroBatches; micro++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                TrainingBatch batch = batches.Get(step, micro);
                (Models.TokenBatch tokens, Tensor targets) = tensors.Of(batch, scope);
                sum += model.Loss(tokens, targets, tokens: 1, new ForwardPass(scope)).Item();
                counted += batch.TargetCount;
                scope.Reset();
            }
        }
        return sum / Math.Max(counted, 1);
    }
}
