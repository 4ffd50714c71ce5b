using System.Diagnostics;

namespace Banyan.Checkpoints.Tests;

/// <summary>A process that saves one checkpoint after the other, as fast as it can, until it is killed.</summary>
public static class SavingProcess
{
    public static void Main(string[] args)
    {
        var checkpoints = new CheckpointDirectory(args[0]);
        for (long step = (checkpoints.FindLatest()?.Step ?? 0) + 1; ; step++)
        {
            Save(checkpoints, step, floats: 1 << 18);
            Console.WriteLine(step);
        }
    }

    public static Process Start(string folder)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(SavingProcess).Assembly.Location, folder]) { RedirectStandardOutput = true };
        return Process.Start(start)!;
    }

    /// <summary>Two tensors filled with the step, and a state that says the same.</summary>
    public static SavedCheckpoint Save(CheckpointDirectory checkpoints, long step, double? metric = null, int floats = 64)
    {
        using CheckpointDraft draft = checkpoints.Begin(step);
        Tensor filled = Tensor.Zeros([floats]);
        filled.Fill(step);
        SafetensorsWriter.Write(draft["model.safetensors"], [("w", filled)]);
        SafetensorsWriter.Write(draft["optimizer.safetensors"], [("w.exp_avg", filled)]);
        draft.WriteState(json => json.WriteNumber("step", step));
        return draft.Commit(metric);
    }
}
