using System.Diagnostics;
using System.Text;
using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Inference;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Training.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Banyan.Training;

/// <summary>
/// Pretraining of a causal language model, from files of text to a model folder. Read <see cref="Run"/> from top to bottom: data, model,
/// optimizer, one loop. The run can be stopped at any moment and resumed with the same bits.
/// </summary>
public sealed class Pretraining : IDisposable
{
    private readonly PretrainOptions _o;
    private readonly IProgress<PretrainProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly ILogger _logger;
    private readonly TrainingMetrics _metrics;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ComputePool? _ownPool;
    private readonly CheckpointDirectory _checkpoints;
    private TrainingCorpus _corpus = null!;
    private CausalLanguageModel _model = null!;
    private Optimizer _optimizer = null!;
    private RunState _state = null!;
    private RunLogs _logs = null!;
    private LossGuard _guard;
    private Stopwatch _stepping = new();
    private long _steppedTokens;
    private double _peakGflops;
    private int _troubles;

    // Bad batches since the last checkpoint: a run that finds nothing else is not saved by skipping.
    private const int MaxTroubles = 20;

    private Pretraining(PretrainOptions options, IProgress<PretrainProgress>? progress, CancellationToken cancellationToken, ILogger? logger)
    {
        (_o, _progress, _cancellation, _logger) = (options, progress, cancellationToken, logger ?? NullLogger.Instance);
        _metrics = new TrainingMetrics(options.Run.Dir);
        _ownPool = options.Threads > 0 && options.Threads != ComputePool.Shared.Threads ? new ComputePool(options.Threads) : null;
        _checkpoints = new CheckpointDirectory(options.Run.Dir, new CheckpointRetention { KeepLast = options.Run.KeepLast, KeepBest = options.Run.KeepBest });
        _guard = new LossGuard(options.Guard);
    }

    /// <summary>Trains.</summary>
    /// <param name="options">The recipe.</param>
    /// <param name="progress">Told of every step, evaluation and sample.</param>
    /// <param name="cancellationToken">Ends the run after the current step, with a checkpoint; the result says so.</param>
    /// <param name="logger">Told of start, evaluations, checkpoints, the guard and the end; null: nobody. The numbers of steps are in the meter <c>Banyan.Training</c>.</param>
    /// <exception cref="CheckpointException">An option is impossible, a file damaged, or the folder holds another run.</exception>
    /// <exception cref="TrainingStoppedException">The guard ended the run.</exception>
    public static PretrainResult Run(PretrainOptions options, IProgress<PretrainProgress>? progress = null, CancellationToken cancellationToken = default, ILogger? logger = null)
    {
        using var run = new Pretraining(options, progress, cancellationToken, logger);
        run.Prepare();
        run.Loop();
        return run.Finish();
    }

    private ComputePool Pool => _ownPool ?? ComputePool.Shared;

    /// <inheritdoc/>
    public void Dispose()
    {
        _logs?.Dispose();
        _corpus?.Dispose();
        _ownPool?.Dispose();
    }

    private void Prepare()
    {
        SavedCheckpoint? found = _checkpoints.FindLatest(PassOver);
        if (found is not null && !_o.Run.Resume)
        {
            throw new CheckpointException(_o.Run.Dir, "holds the checkpoints of a run; run.resume=true goes on with it, another run.dir begins a new one");
        }
        MakeFolder(_o.Run.Dir);
        _corpus = TrainingCorpus.Prepare(_o.Data, Path.Combine(_o.Run.Dir, "data"), _o.Seed, new Messages(Say), _cancellation);
        _model = ModelPlan.Create(_o.Model, _corpus.Tokenizer, _o.Train.Sequence);
        _model.Initialize(_o.Seed);
        if (_o.Model.Has("path"))
        {
            using IModelReader weights = ModelReader.Open(_o.Model.GetString("path"));
            ModelFiles.LoadWeights(_model, weights, trainable: true);
        }
        _optimizer = _o.Optimizer.Create(_model);
        _state = new RunState { Key = $"{_o.Seed}|{_o.Train.Batch}|{_o.Train.Sequence}|{_o.Train.Accumulation}|{_corpus.Key[..16]}|{_o.Optimizer.Type}|{_model.ParameterCount}{(_o.Train.Precision == "float32" ? "" : "|" + _o.Train.Precision)}" };
        if (found is not null)
        {
            _state.Restore(found, _model, _optimizer, _guard);
            Say($"resumed at step {_state.Step}");
            _logger.Resumed(_state.Step, found.Path);
        }
        _logs = new RunLogs(_o.Run, found is not null ? _state.Step : null);
        _peakGflops = MachineLimits.Measure(Pool.Threads).Gflops;
        Say($"{_model.GetType().Name} with {_model.ParameterCount:N0} parameters; {_corpus.Training.TokenCount:N0} tokens to train on, {_corpus.Validation.TokenCount:N0} held out");
        _logger.Started(_model.GetType().Name, _model.ParameterCount, _corpus.Training.TokenCount, _corpus.Validation.TokenCount, _o.Train.Steps, _o.Run.Dir);
    }

    private static void MakeFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "cannot be made a folder for the run; expected a run.dir that can be written", e);
        }
    }

    private void PassOver(CheckpointException e)
    {
        Say($"damaged checkpoint passed over: {e.Message}");
        _logger.DamagedCheckpoint(e.Message);
    }

    private void Loop()
    {
        Schedule schedule = _o.Schedule.Create(_o.Optimizer.LearningRate, _o.Train.Steps);
        var stepOptions = new TrainingStepOptions { ClipNorm = _o.Train.Clip, Seed = _o.Seed, CheckpointActivations = _o.Train.CheckpointActivations, Bf16Products = _o.Train.Precision == "bfloat16" };
        using var step = new LanguageModelStep(_model, _optimizer, stepOptions, Pool);
        TokenBatches batches = _corpus.TrainingBatches(_o.Train, _o.Seed);
        if (_state.Step == 0 && _o.Train.SampleEvery > 0)
        {
            Sample();
        }
        BatchPrefetcher prefetcher = batches.Prefetch(_state.DataStep);
        try
        {
            if (IsStopped())
            {
                Save(null); // the state before the first step is one too
            }
            while (_state.Step < _o.Train.Steps && !IsStopped())
            {
                double before = _stepping.Elapsed.TotalSeconds;
                _stepping.Start();
                step.Begin();
                for (int micro = 0; micro < _o.Train.Accumulation; micro++)
                {
                    step.Accumulate(prefetcher.Next());
                }
                double rate = schedule.At(_state.Step);
                string? trouble = null;
                StepResult result = step.End(rate, r => (trouble = _guard.Trouble(r)) is not null && _guard.Action != "none");
                trouble ??= result.IsSkipped ? _guard.Trouble(result) : null;
                _state.DataStep++;
                _stepping.Stop();
                if (trouble is not null && Handle(trouble))
                {
                    prefetcher.Dispose();
                    prefetcher = batches.Prefetch(_state.DataStep);
                    continue;
                }
                _state.Step++;
                _state.Tokens += result.Tokens;
                _steppedTokens += result.Tokens;
                _guard.Add(result.Loss);
                Report(result, rate, step, _stepping.Elapsed.TotalSeconds - before);
                EvaluateAndSave(step);
            }
        }
        finally
        {
            prefetcher.Dispose();
        }
    }

    private bool IsStopped() => _cancellation.IsCancellationRequested || (_o.Train.Patience > 0 && _state.EvaluationsSinceBest >= _o.Train.Patience);

    /// <summary>Acts on a bad step; true where the data position moved.</summary>
    private bool Handle(string trouble)
    {
        Say($"step {_state.Step}: {trouble}");
        _logger.GuardTripped(_state.Step, trouble, _guard.Action);
        _metrics.GuardTripped();
        if (_guard.Action is "stop" or "none" || ++_troubles > MaxTroubles)
        {
            string problem = $"{_o.Run.Dir}: stopped at step {_state.Step}: {trouble}. Lower optimizer.learning_rate, or set guard.action=skip or rollback";
            _logger.StoppedByGuard(problem);
            throw new TrainingStoppedException(problem);
        }
        if (_guard.Action == "rollback" && _checkpoints.FindLatest() is { } saved)
        {
            long data = _state.DataStep;
            _state.Restore(saved, _model, _optimizer, _guard);
            _state.DataStep = data; // the batches up to the bad one are not read again
            _logs.Dispose();
            _logs = new RunLogs(_o.Run, _state.Step);
            Say($"rolled back to step {_state.Step}; the data goes on behind the bad batch");
            _logger.RolledBack(_state.Step);
        }
        return true;
    }

    private void Report(in StepResult result, double rate, LanguageModelStep step, double seconds)
    {
        double tokensPerSecond = _steppedTokens / Math.Max(_stepping.Elapsed.TotalSeconds, 1e-9), share = PeakShare(tokensPerSecond);
        _progress?.Report(new PretrainProgress.StepDone(_state.Step, _o.Train.Steps, result.Loss, rate, result.GradientNorm, tokensPerSecond, share));
        _metrics.Step(result, rate, seconds, tokensPerSecond);
        if (_state.Step % _o.Train.LogEvery == 0 || _state.Step == _o.Train.Steps)
        {
            _logs.Write(_state.Step, ("train/loss", result.Loss), ("train/learning_rate", rate), ("train/gradient_norm", result.GradientNorm),
                ("train/tokens", _state.Tokens), ("speed/tokens_per_s", tokensPerSecond), ("speed/peak_share", share), ("memory/activations_mib", step.PeakBytes / 1048576.0));
        }
    }

    private void EvaluateAndSave(LanguageModelStep step)
    {
        bool last = _state.Step == _o.Train.Steps;
        double? loss = null;
        if (Due(_o.Train.EvalEvery) || _state.Step == _o.Train.Steps)
        {
            loss = Evaluate();
        }
        if (Due(_o.Train.SampleEvery) || (_o.Train.SampleEvery > 0 && _state.Step == _o.Train.Steps))
        {
            Sample();
        }
        if (Due(_o.Run.SaveEvery) || last || IsStopped())
        {
            Save(loss);
            _troubles = 0;
        }
    }

    private void Save(double? loss)
    {
        _state.Save(_checkpoints, _model, _optimizer, _guard, loss);
        _logger.CheckpointWritten(_state.Step, _o.Run.Dir);
    }

    private bool Due(long every) => every > 0 && _state.Step % every == 0;

    private double Evaluate()
    {
        TokenBatches batches = _corpus.ValidationBatches(_o.Train);
        long steps = _o.Train.EvalBatches == 0 ? batches.StepsPerEpoch : Math.Min(_o.Train.EvalBatches, batches.StepsPerEpoch);
        double loss = HeldOutLoss.Of(_model, batches, steps, Pool, CancellationToken.None);
        bool best = loss < _state.BestLoss;
        (_state.BestLoss, _state.EvaluationsSinceBest) = best ? (loss, 0) : (_state.BestLoss, _state.EvaluationsSinceBest + 1);
        _logs.Write(_state.Step, ("eval/loss", loss), ("eval/perplexity", Math.Exp(loss)));
        _progress?.Report(new PretrainProgress.Evaluated(_state.Step, loss, best));
        _logger.Evaluated(_state.Step, loss, best);
        _metrics.Evaluated(loss);
        return loss;
    }

    private void Sample()
    {
        var lm = new LanguageModel(_model, _corpus.Tokenizer);
        foreach (string prompt in _o.Train.Prompts)
        {
            var options = new GenerationOptions { MaxNewTokens = Math.Min(_o.Train.SampleTokens, _model.MaxPositions - 1), Temperature = 0.8, Seed = _o.Seed };
            string text = lm.Generate([_corpus.Tokenizer.EncodeToIds(prompt)], options, pool: Pool)[0].Text;
            _logs.WriteText("sample", prompt + text, _state.Step);
            _progress?.Report(new PretrainProgress.Sampled(_state.Step, prompt, text));
        }
    }

    private PretrainResult Finish()
    {
        string folder = Path.Combine(_o.Run.Dir, "model");
        bool completed = _state.Step >= _o.Train.Steps || !_cancellation.IsCancellationRequested;
        _model.Save(folder);
        _corpus.Tokenizer.Save(Path.Combine(folder, "tokenizer.json"));
        double tokensPerSecond = _steppedTokens / Math.Max(_stepping.Elapsed.TotalSeconds, 1e-9);
        _logger.Ended(_state.Step, _o.Train.Steps, _clock.Elapsed.TotalSeconds, _guard.Mean, tokensPerSecond, completed, folder);
        return new PretrainResult(_o.Run.Dir, folder, _state.Step, _guard.Mean, _logs.Validation.Count > 0 ? _logs.Validation[^1].Loss : double.NaN, tokensPerSecond,
            ProcessMemory.PeakMib, _clock.Elapsed.TotalSeconds, completed)
        {
            TrainCurve = _logs.Train,
            ValidationCurve = _logs.Validation,
            PeakShare = PeakShare(tokensPerSecond),
            PeakGflops = _peakGflops,
        };
    }

    private double PeakShare(double tokensPerSecond) => 6e-9 * _model.ParameterCount * tokensPerSecond / _peakGflops;

    private void Say(string text) => _progress?.Report(new PretrainProgress.Message(text));

    private sealed class Messages(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
