using Banyan.Autograd;
using Banyan.Cpu;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>How a <see cref="TrainingStep"/> works.</summary>
public sealed record TrainingStepOptions
{
    /// <summary>The largest norm of all gradients together; 0: no clipping. Default: 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Seed of the dropout masks. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>True keeps only each block's input and computes its inside again: less memory, a third more work. Default: false.</summary>
    public bool CheckpointActivations { get; init; }

    /// <summary>True rounds the operands of matrix products to bfloat16; weights, sums and the optimizer stay float32. Default: false.</summary>
    public bool Bf16Products { get; init; }

    /// <summary>Share of the probability that the target gives to all classes alike (Szegedy et al. 2016). Default: 0.</summary>
    public double LabelSmoothing { get; init; }
}

/// <summary>What a step found.</summary>
/// <param name="Loss">Mean loss per counted token (or sample), in nats, before the update.</param>
/// <param name="GradientNorm">2-norm of all gradients, before clipping.</param>
/// <param name="Tokens">Tokens (or samples) that counted.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, long Tokens)
{
    /// <summary>True when the weights were left as they were.</summary>
    public bool IsSkipped { get; init; }
}

/// <summary>
/// One optimizer step of any module: forward and backward for each micro-batch, then clipping and the update. The loss of a step is summed over
/// everything that counts in it and divided by how much that is, however the step is divided into micro-batches.
/// </summary>
/// <remarks>After the first steps it makes no native memory: activations use the memory of the step before.</remarks>
public sealed class TrainingStep : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly TrainingStepOptions _options;
    private readonly Parameter[] _parameters;
    private readonly Scope _scope;
    private long _counted, _nominal;
    private int _microBatch;
    private double _sum;

    /// <summary>Joins a model and an optimizer.</summary>
    /// <param name="model">The model; its trainable parameters are trained.</param>
    /// <param name="optimizer">The optimizer over those parameters.</param>
    /// <param name="options">Clipping, seed and memory; null: the defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public TrainingStep(Module model, Optimizer optimizer, TrainingStepOptions? options = null, ComputePool? pool = null)
    {
        (_optimizer, _options) = (optimizer, options ?? new TrainingStepOptions());
        _parameters = [.. model.TrainableParameters()];
        _scope = new Scope(new ScopeOptions { RecordGradients = true, RecycleHandles = true, Pool = pool, Bf16Products = _options.Bf16Products });
    }

    /// <summary>Bytes that activations took at most.</summary>
    public long PeakBytes => _scope.Memory.PeakBytes;

    /// <summary>Begins a step: gradients count from zero.</summary>
    public void Begin()
    {
        using ComputePool.Usage threads = _scope.Pool.Use();
        foreach (Parameter p in _parameters)
        {
            p.Value.ZeroGrad();
        }
        (_counted, _nominal, _sum, _microBatch) = (0, 0, 0, 0);
    }

    /// <summary>Adds a micro-batch's gradients.</summary>
    /// <param name="count">How many tokens (or samples) of it count.</param>
    /// <param name="loss">Computes, in the pass's scope, the summed loss divided by its second argument; 0-d.</param>
    public void Accumulate(long count, Func<ForwardPass, double, Tensor> loss)
    {
        using ComputePool.Usage threads = _scope.Pool.Use();
        // All micro-batches of a step are divided by the same number; End corrects it by the number that counted in the end.
        _nominal = _nominal == 0 ? Math.Max(count, 1) : _nominal;
        var pass = new ForwardPass(_scope)
        {
            Training = true,
            Seed = _options.Seed,
            Step = (_optimizer.StepCount << 16) + _microBatch++,
            CheckpointActivations = _options.CheckpointActivations,
        };
        Tensor value = loss(pass, _nominal);
        _sum += value.Item() * _nominal;
        _counted += count;
        _scope.Tape!.Backward(value, options: BackwardOptions.Releasing);
        _scope.Reset();
    }

    /// <summary>Ends a step: clips the gradients and, where loss and norm are finite, updates the weights.</summary>
    /// <param name="learningRate">The rate of the step.</param>
    /// <param name="skip">Decides, knowing loss and norm, to leave the weights as they are; null never does.</param>
    public StepResult End(double learningRate, Func<StepResult, bool>? skip = null)
    {
        using ComputePool.Usage threads = _scope.Pool.Use();
        double scale = (double)_nominal / Math.Max(_counted, 1);
        double norm = GradientNorm.Of(_parameters) * scale;
        var result = new StepResult(_sum / Math.Max(_counted, 1), norm, _counted);
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
