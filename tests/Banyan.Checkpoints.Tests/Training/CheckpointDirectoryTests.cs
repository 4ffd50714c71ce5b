using System.Diagnostics;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class CheckpointDirectoryTests
{
    [Fact]
    public void The_latest_comes_back_with_its_files_and_state()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder["run"]);
        Assert.Null(checkpoints.FindLatest());
        Assert.Null(checkpoints.FindBest());
        SavingProcess.Save(checkpoints, 9);
        SavingProcess.Save(checkpoints, 10, 1.5);
        SavedCheckpoint latest = new CheckpointDirectory(folder["run"]).FindLatest()!;
        Assert.Equal((10, 1.5, folder["run/checkpoint-10"]), (latest.Step, latest.Metric, latest.Path));
        Assert.Equal(10, latest.ReadState().GetLong("step"));
        using ModelFolder model = ModelFolder.Open(latest.Path);
        Assert.Equal(10, model.LoadTensor("w").ToDoubles()[63]);
    }

    [Fact]
    public void The_last_and_the_best_stay()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path, new CheckpointRetention { KeepLast = 2, KeepBest = 1 });
        double[] losses = [3, 1, 2, 5, 4];
        for (int i = 0; i < losses.Length; i++)
        {
            SavingProcess.Save(checkpoints, i + 1, losses[i]);
        }
        Assert.Equal(["checkpoint-2", "checkpoint-4", "checkpoint-5"], Names(folder));
        Assert.Equal(2, checkpoints.FindBest()!.Step);
        Assert.Equal(4, new CheckpointDirectory(folder.Path, new CheckpointRetention { LowerIsBetter = false }).FindBest()!.Step);
    }

    [Fact]
    public void After_a_return_to_an_earlier_step_the_new_save_stays()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path, new CheckpointRetention { KeepLast = 1, KeepBest = 0 });
        SavingProcess.Save(checkpoints, 20);
        SavingProcess.Save(checkpoints, 10);
        Assert.Equal(["checkpoint-10", "checkpoint-20"], Names(folder));
    }

    [Fact]
    public void A_save_of_the_same_step_replaces()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        SavingProcess.Save(checkpoints, 7, 1);
        SavingProcess.Save(checkpoints, 7, 2);
        Assert.Equal(["checkpoint-7"], Names(folder));
        Assert.Equal(2, checkpoints.FindLatest()!.Metric);
        Directory.Move(folder["checkpoint-7"], folder["checkpoint-7.replaced"]); // a crash between the two renames
        Assert.Equal(2, checkpoints.FindLatest()!.Metric);
        SavingProcess.Save(checkpoints, 7, 3);
        Assert.Equal(["checkpoint-7"], Names(folder));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    [InlineData("manifest.json")]
    public void Every_flipped_bit_and_every_truncation_is_noticed_and_named(string file)
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        SavingProcess.Save(checkpoints, 1);
        string path = SavingProcess.Save(checkpoints, 2, 0.25)[file];
        byte[] good = File.ReadAllBytes(path);
        foreach (byte[] damaged in Flipped(good).Concat(Enumerable.Range(0, good.Length).Where(n => n % 7 == 0).Select(n => good[..n])))
        {
            File.WriteAllBytes(path, damaged);
            var messages = new List<string>();
            Assert.Equal(1, checkpoints.FindLatest(e => messages.Add(e.Message))!.Step);
            Assert.StartsWith(path + ": ", Assert.Single(messages));
        }
        File.WriteAllBytes(path, good);
        Assert.Equal(2, checkpoints.FindLatest()!.Step);
        File.Delete(path);
        Assert.Equal(1, checkpoints.FindLatest()!.Step);
    }

    [Fact]
    public void Where_everything_is_damaged_the_run_does_not_begin_anew()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        File.Delete(SavingProcess.Save(checkpoints, 1)["state.json"]);
        Assert.Contains("state.json", Assert.Throws<CheckpointException>(() => checkpoints.FindLatest()).Message);
    }

    [Fact]
    public void A_manifest_that_points_outside_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["secret"], "x");
        Directory.CreateDirectory(folder["run/checkpoint-1"]);
        new CheckpointManifest(1, null, new Dictionary<string, (long, uint)> { ["../../secret"] = (1, 0) }).Write(folder["run/checkpoint-1"]);
        Assert.Contains("inside the folder", Assert.Throws<CheckpointException>(() => new CheckpointDirectory(folder["run"]).FindLatest()).Message);
    }

    [Fact]
    public void Leftovers_are_no_checkpoints_and_go_with_the_next_save()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        CheckpointDraft interrupted = checkpoints.Begin(5);
        File.WriteAllText(interrupted["model.safetensors"], "half");
        Directory.CreateDirectory(folder["checkpoint-notes"]);
        Assert.Null(checkpoints.FindLatest());
        SavingProcess.Save(checkpoints, 6);
        Assert.Equal(["checkpoint-6", "checkpoint-notes"], Names(folder));
    }

    [Fact]
    public void A_draft_that_is_not_committed_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        using (CheckpointDraft draft = checkpoints.Begin(5))
        {
            draft.WriteState(json => json.WriteNull("x"));
            Assert.Throws<ArgumentOutOfRangeException>(() => draft.Commit(double.NaN));
        }
        Assert.Empty(Names(folder));
    }

    [Fact]
    public void More_than_the_disk_has_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new CheckpointDirectory(folder.Path);
        SavingProcess.Save(checkpoints, 1);
        using (CheckpointDraft draft = checkpoints.Begin(2))
        {
            long tooMany = new DriveInfo(folder.Path).AvailableFreeSpace + (1L << 40);
            IOException error = Assert.ThrowsAny<IOException>(() => SafetensorsWriter.Create(draft["model.safetensors"], [new("w", DType.UInt8, tooMany)]));
            Assert.Contains(draft["model.safetensors"], error.Message);
        }
        Assert.Equal(["checkpoint-1"], Names(folder));
        Assert.Equal(1, checkpoints.FindLatest()!.Step);
    }

    [SkippableFact]
    public void A_disk_that_runs_full_keeps_the_earlier_checkpoint()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs a small file system of its own, which only root can mount");
        using var folder = new TemporaryFolder();
        Skip.IfNot(Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path), "mounting is not allowed here");
        try
        {
            var checkpoints = new CheckpointDirectory(folder["run"]);
            SavingProcess.Save(checkpoints, 1);
            Assert.ThrowsAny<IOException>(() => SavingProcess.Save(checkpoints, 2, floats: 1 << 20));
            using (CheckpointDraft draft = checkpoints.Begin(3))
            {
                // Files of the user's own writers are not reserved beforehand: here the disk fills in the middle, and the manifest finds no room.
                Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(draft["other.bin"], new byte[2 << 20]));
                Assert.ThrowsAny<IOException>(() => draft.Commit());
            }
            Assert.Equal(["checkpoint-1"], Directory.GetDirectories(folder["run"]).Select(Path.GetFileName));
            Assert.Equal(1, checkpoints.FindLatest()!.Step);
        }
        finally
        {
            Run("umount", folder.Path);
        }
    }

    [Fact]
    public void A_process_that_is_killed_while_it_saves_leaves_an_intact_checkpoint()
    {
        using var folder = new TemporaryFolder();
        long before = 0;
        for (int round = 0; round < 5; round++)
        {
            using Process child = SavingProcess.Start(folder.Path);
            string? first = child.StandardOutput.ReadLine();
            Thread.Sleep(7 * round); // somewhere in the middle of a later save
            child.Kill();
            child.WaitForExit();
            var damaged = new List<string>();
            SavedCheckpoint latest = new CheckpointDirectory(folder.Path).FindLatest(e => damaged.Add(e.Message))!;
            Assert.Empty(damaged);
            Assert.True(latest.Step >= long.Parse(first!) && latest.Step > before, $"step {latest.Step} after {first} and {before}");
            using SafetensorsFile file = SafetensorsFile.Open(latest["optimizer.safetensors"]);
            Assert.All(file.LoadTensor("w.exp_avg").ToDoubles(), v => Assert.Equal(latest.Step, v));
            before = latest.Step;
        }
    }

    private static IEnumerable<byte[]> Flipped(byte[] good)
    {
        for (int bit = 0; bit < 8 * good.Length; bit += good.Length > 200 ? 13 : 1)
        {
            byte[] damaged = [.. good];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return damaged;
        }
    }

    private static IEnumerable<string?> Names(TemporaryFolder folder) => Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order();

    private static bool Run(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
