using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>Optimizer steps of a causal language model on loaded batches, see <see cref="TrainingStep"/>.</summary>
/// <example><code>
/// using var step = new LanguageModelStep(model, optimizer);
/// double loss = step.Run([batch], learningRate: 1e-3).Loss;
/// </code></example>
public sealed class LanguageModelStep : IDisposable
{
    private readonly TrainingStep _step;
    private readonly BatchTensors _tensors = new();
    private readonly Func<ForwardPass, double, Tensor> _loss;
    private TrainingBatch _batch = null!;

    /// <summary>Joins a model and an optimizer.</summary>
    /// <param name="model">The model; its trainable parameters are trained.</param>
    /// <param name="optimizer">The optimizer over those parameters.</param>
    /// <param name="options">Clipping, seed and memory; null: the defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public LanguageModelStep(CausalLanguageModel model, Optimizer optimizer, TrainingStepOptions? options = null, ComputePool? pool = null)
    {
        _step = new TrainingStep(model, optimizer, options, pool);
        double smoothing = options?.LabelSmoothing ?? 0;
        _loss = (pass, tokens) =>
        {
            (Models.TokenBatch batch, Tensor targets) = _tensors.Of(_batch, pass.Scope);
            return model.Loss(batch, targets, tokens, pass, smoothing: smoothing);
        };
    }

    /// <summary>Bytes that activations took at most.</summary>
    public long PeakBytes => _step.PeakBytes;

    /// <summary>Takes a whole step.</summary>
    /// <param name="microBatches">The batches of the step.</param>
    /// <param name="learningRate">The rate of the step.</param>
    public StepResult Run(IEnumerable<TrainingBatch> microBatches, double learningRate)
    {
        Begin();
        foreach (TrainingBatch batch in microBatches)
        {
            Accumulate(batch);
        }
        return End(learningRate);
    }

    /// <inheritdoc cref="TrainingStep.Begin"/>
    public void Begin() => _step.Begin();

    /// <summary>Adds a micro-batch's gradients. A batch without targets adds none.</summary>
    public void Accumulate(TrainingBatch batch)
    {
        if (batch.TargetCount > 0)
        {
            _batch = batch;
            _step.Accumulate(batch.TargetCount, _loss);
        }
    }

    /// <inheritdoc cref="TrainingStep.End"/>
    public StepResult End(double learningRate, Func<StepResult, bool>? skip = null) => _step.End(learningRate, skip);

    /// <inheritdoc/>
    public void Dispose() => _step.Dispose();
}
