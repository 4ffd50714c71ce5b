using System.Globalization;
using Banyan.Autograd;
using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>What a run will take, known before it begins: the model runs once on tensors that have shapes and no numbers.</summary>
/// <param name="Model">The architecture.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="ParameterBytes">Bytes of the weights.</param>
/// <param name="GradientBytes">Bytes of their gradients.</param>
/// <param name="OptimizerBytes">Bytes of the optimizer's state.</param>
/// <param name="ActivationBytes">Bytes of what a step holds at most besides.</param>
/// <param name="Tokens">Tokens of the whole run.</param>
/// <param name="Flops">Arithmetic of the whole run: 6 N per token and attention.</param>
/// <param name="Seconds">At 60 % of this machine's FMA peak.</param>
public sealed record TrainingForecast(string Model, long Parameters, long ParameterBytes, long GradientBytes, long OptimizerBytes, long ActivationBytes, long Tokens, double Flops, double Seconds)
{
    private const double ExpectedPeakShare = 0.6;

    /// <summary>All memory together.</summary>
    public long TotalBytes => ParameterBytes + GradientBytes + OptimizerBytes + ActivationBytes;

    /// <summary>Plans a run. The data is prepared (and found again by the run), nothing is trained.</summary>
    /// <param name="options">The recipe.</param>
    /// <param name="cancellationToken">Stops the preparation.</param>
    public static TrainingForecast Of(PretrainOptions options, CancellationToken cancellationToken = default)
    {
        using TrainingCorpus corpus = TrainingCorpus.Prepare(options.Data, Path.Combine(options.Run.Dir, "data"), options.Seed, cancellationToken: cancellationToken);
        CausalLanguageModel model = ModelPlan.Create(options.Model, corpus.Tokenizer, options.Train.Sequence);
        return Of(model, corpus.TrainingBatches(options.Train, options.Seed).Get(0), options);
    }

    /// <summary>Plans a run of a model that has no numbers yet, on batches like this one.</summary>
    public static TrainingForecast Of(CausalLanguageModel model, TrainingBatch batch, PretrainOptions options)
    {
        model.Initialize(0, Device.Meta);
        long parameters = model.ParameterCount, bytes = model.NamedParameters().Sum(p => p.Parameter.Value.DType.ByteCount(p.Parameter.Shape.Count));
        long states = options.Optimizer.Type is "adamw" or "adam" ? 2 : 1;
        long tokens = (long)batch.InputIds.Length * options.Train.Accumulation * options.Train.Steps;
        ConfigReader config = ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(model.ConfigJson), "model");
        double width = config.GetInt("hidden_size", config.GetInt("n_embd", 0)), layers = config.GetInt("num_hidden_layers", config.GetInt("n_layer", 0));
        double flops = tokens * ((6.0 * parameters) + (6 * layers * width * options.Train.Sequence));
        int threads = options.Threads > 0 ? options.Threads : ComputePool.Shared.Threads;
        double seconds = flops / (ExpectedPeakShare * 1e9 * MachineLimits.Measure(threads).Gflops);
        return new TrainingForecast(model.GetType().Name, parameters, bytes, bytes, bytes * states, Activations(model, batch, options), tokens, flops, seconds);
    }

    /// <summary>The plan in words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        {Model}: {Parameters:N0} parameters
        memory: {Mib(ParameterBytes)} weights + {Mib(GradientBytes)} gradients + {Mib(OptimizerBytes)} optimizer + {Mib(ActivationBytes)} activations = {Mib(TotalBytes)}
        work: {Tokens:N0} tokens, {Flops / 1e12:F2} TFLOP, about {TimeSpan.FromSeconds(Math.Min(Seconds, 1e9)):d\.hh\:mm\:ss} at {100 * ExpectedPeakShare:F0} % of this machine's peak
        """);

    private static string Mib(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB");

    private static long Activations(CausalLanguageModel model, TrainingBatch batch, PretrainOptions options)
    {
        using var scope = new Scope(new ScopeOptions { RecordGradients = true, RecycleHandles = true, Device = Device.Meta });
        (Models.TokenBatch tokens, Tensor targets) = new BatchTensors().Of(batch, scope);
        var pass = new ForwardPass(scope) { Training = true, CheckpointActivations = options.Train.CheckpointActivations };
        Tensor loss = model.Loss(tokens, targets, batch.TargetCount, pass);
        scope.Tape!.Backward(loss, options: BackwardOptions.Releasing);
        return scope.Memory.PeakBytes;
    }
}
