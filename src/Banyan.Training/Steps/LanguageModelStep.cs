using Banyan.Autograd;
using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>
/// One optimizer step of a causal language model: forward and backward for each micro-batch, then clipping and the update. The loss of a step is
/// summed over all its tokens and divided by their number, however the step is divided into micro-batches.
/// </summary>
/// <remarks>After the first steps it makes no native memory: activations use the memory of the step before.</remarks>
/// <example><code>
/// using var step = new LanguageModelStep(model, optimizer);
/// double loss = step.Run([batch], learningRate: 1e-3).Loss;
/// </code></example>
public sealed class LanguageModelStep : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly Optimizer _optimizer;
    private readonly LanguageModelStepOptions _options;
    private readonly Parameter[] _parameters;
    private readonly Scope _scope;
    private readonly BatchTensors _tensors = new();
    private long _tokens, _nominal;
    private double _sum;

    /// <summary>Joins a model and an optimizer.</summary>
    /// <param name="model">The model; its trainable parameters are trained.</param>
    /// <param name="optimizer">The optimizer over those parameters.</param>
    /// <param name="options">Clipping, seed and memory; null: the defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public LanguageModelStep(CausalLanguageModel model, Optimizer optimizer, LanguageModelStepOptions? options = null, ComputePool? pool = null)
    {
        (_model, _optimizer, _options) = (model, optimizer, options ?? new LanguageModelStepOptions());
        _parameters = [.. model.TrainableParameters()];
        _scope = new Scope(new ScopeOptions { RecordGradients = true, RecycleHandles = true, Pool = pool });
    }

    /// <summary>Bytes that activations took at most.</summary>
    public long PeakBytes => _scope.Memory.PeakBytes;

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

    /// <summary>Begins a step: gradients count from zero.</summary>
    public void Begin()
    {
        _model.ZeroGrad();
        (_tokens, _nominal, _sum) = (0, 0, 0);
    }

    /// <summary>Adds a micro-batch's gradients.</summary>
    public void Accumulate(TrainingBatch batch)
    {
        // All micro-batches of a step are divided by the same number; End corrects it by the number of tokens that counted.
        _nominal = _nominal == 0 ? Math.Max(batch.TargetCount, 1) : _nominal;
        var pass = new ForwardPass(_scope)
        {
            Training = true,
            Seed = _options.Seed,
            Step = (_optimizer.StepCount << 16) + batch.MicroBatch,
            CheckpointActivations = _options.CheckpointActivations,
        };
        (Models.TokenBatch tokens, Tensor targets) = _tensors.Of(batch, _scope);
        Tensor loss = _model.Loss(tokens, targets, _nominal, pass);
        _sum += loss.Item() * _nominal;
        _tokens += batch.TargetCount;
        if (loss.IsLeaf is false)
        {
            _scope.Tape!.Backward(loss, options: BackwardOptions.Releasing);
        }
        _scope.Reset();
    }

    /// <summary>Ends a step: clips the gradients and, where loss and norm are finite, updates the weights.</summary>
    /// <param name="learningRate">The rate of the step.</param>
    /// <param name="skip">Decides, knowing loss and norm, to leave the weights as they are; null never does.</param>
    public StepResult End(double learningRate, Func<StepResult, bool>? skip = null)
    {
        double scale = (double)_nominal / Math.Max(_tokens, 1);
        double norm = GradientNorm.Of(_parameters) * scale;
        var result = new StepResult(_sum / Math.Max(_tokens, 1), norm, _tokens);
        if (!double.IsFinite(result.Loss) || !double.IsFinite(norm) || skip?.Invoke(result) == true)
        {
            return result with { IsSkipped = true };
        }
        _optimizer.LearningRate = learningRate;
        _optimizer.Step(scale * GradientNorm.ClipFactor(norm, _options.ClipNorm));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _scope.Dispose();
}

/// <summary>How <see cref="LanguageModelStep"/> works.</summary>
public sealed record LanguageModelStepOptions
{
    /// <summary>The largest norm of all gradients together; 0: no clipping. Default: 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Seed of the dropout masks. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>True keeps only each block's input and computes its inside again: less memory, a third more work. Default: false.</summary>
    public bool CheckpointActivations { get; init; }
}

/// <summary>What a step found.</summary>
/// <param name="Loss">Mean loss per counted token, in nats, before the update.</param>
/// <param name="GradientNorm">2-norm of all gradients, before clipping.</param>
/// <param name="Tokens">Tokens that counted.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, long Tokens)
{
    /// <summary>True when the weights were left as they were.</summary>
    public bool IsSkipped { get; init; }
}
