using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>Where a run stands: everything besides weights and optimizer that the next step depends on.</summary>
public sealed class RunState
{
    private const string OptimizerFile = "optimizer.safetensors";

    /// <summary>Optimizer steps done.</summary>
    public long Step { get; set; }

    /// <summary>The next batch of the data; ahead of <see cref="Step"/> where batches were skipped.</summary>
    public long DataStep { get; set; }

    /// <summary>Tokens that counted so far.</summary>
    public long Tokens { get; set; }

    /// <summary>The best validation loss.</summary>
    public double BestLoss { get; set; } = double.MaxValue;

    /// <summary>Evaluations since.</summary>
    public int EvaluationsSinceBest { get; set; }

    /// <summary>Names what a run must agree on to be continued.</summary>
    public required string Key { get; init; }

    /// <summary>Saves everything as a checkpoint; the folder is a Hugging Face model folder too.</summary>
    /// <param name="checkpoints">The run's checkpoints.</param>
    /// <param name="model">The weights.</param>
    /// <param name="optimizer">Its state.</param>
    /// <param name="guard">Its running mean.</param>
    /// <param name="metric">The validation loss, where it was measured at this step.</param>
    public void Save(CheckpointDirectory checkpoints, Model model, Optimizer optimizer, LossGuard guard, double? metric)
    {
        using CheckpointDraft draft = checkpoints.Begin(Step);
        model.Save(draft.Folder);
        SafetensorsWriter.Write(draft[OptimizerFile], optimizer.StateTensors.Select(t => (t.Key, t.Value)));
        draft.WriteState(json => Write(json, optimizer, guard));
        draft.Commit(metric is { } m && double.IsFinite(m) ? m : null);
    }

    /// <summary>Brings model, optimizer, guard and this back to a checkpoint.</summary>
    /// <exception cref="CheckpointException">It belongs to another run.</exception>
    public void Restore(SavedCheckpoint saved, Model model, Optimizer optimizer, LossGuard guard)
    {
        ConfigReader state = saved.ReadState();
        if (state.GetString("key") is var key && key != Key)
        {
            throw new CheckpointException(saved.Path, $"belongs to a run with other options.\n  saved: {key}\n  now:   {Key}\nUse the same model, data, batch and seed, or another run.dir");
        }
        Load(saved, model);
        using (SafetensorsFile tensors = SafetensorsFile.Open(saved[OptimizerFile]))
        {
            ConfigReader numbers = state.GetObject("optimizer");
            optimizer.LoadState(tensors.Names.ToDictionary(n => n, n => tensors.LoadTensor(n)), numbers.Keys.ToDictionary(k => k, k => numbers.GetDouble(k)));
        }
        (Step, DataStep, Tokens) = (state.GetLong("step"), state.GetLong("data_step"), state.GetLong("tokens"));
        (BestLoss, EvaluationsSinceBest) = (state.GetDouble("best_loss", double.MaxValue), state.GetInt("evaluations_since_best", 0));
        guard.Restore(state.GetDouble("guard_mean"), state.GetLong("guard_count"));
    }

    private static void Load(SavedCheckpoint saved, Model model)
    {
        using ModelFolder folder = ModelFolder.Open(saved.Path);
        foreach ((string name, Parameter p) in model.NamedParameters())
        {
            folder.LoadInto(name, p.Value);
        }
    }

    private void Write(Utf8JsonWriter json, Optimizer optimizer, LossGuard guard)
    {
        json.WriteString("key", Key);
        json.WriteNumber("step", Step);
        json.WriteNumber("data_step", DataStep);
        json.WriteNumber("tokens", Tokens);
        json.WriteNumber("best_loss", BestLoss);
        json.WriteNumber("evaluations_since_best", EvaluationsSinceBest);
        json.WriteNumber("guard_mean", guard.Mean);
        json.WriteNumber("guard_count", guard.Count);
        json.WriteStartObject("optimizer");
        foreach ((string name, double value) in optimizer.StateNumbers)
        {
            json.WriteNumber(name, value);
        }
        json.WriteEndObject();
    }
}
