using System.Diagnostics;
using System.Security.Cryptography;
using Banyan.Testing;

namespace Banyan.Cli.Tests;

/// <summary>Runs that are killed, or find the disk full, go on to the bits of an undisturbed one.</summary>
[Trait("Category", "Slow")]
public sealed class KillTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public KillTests() =>
        File.WriteAllText(_folder["text.txt"], string.Concat(Enumerable.Range(0, 300).Select(i => $"the cat saw a {(i % 3 == 0 ? "red" : "big")} dog near house {i % 7}.\n")));

    [Fact]
    public void Killed_at_twenty_moments_a_run_ends_with_the_same_weights()
    {
        var clock = Stopwatch.StartNew();
        ToolResult whole = Tool.Run(Recipe(_folder["whole"]));
        Assert.True(whole.ExitCode == 0, whole.Error);
        int longest = (int)clock.ElapsedMilliseconds;
        var random = new Random(1);
        for (int kill = 0; kill < 20; kill++)
        {
            using Process process = Tool.Start(_folder.Path, [.. Recipe(_folder["killed"]), "run.resume=true"]);
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (!process.WaitForExit(random.Next(200, Math.Max(400, longest))))
            {
                process.Kill();
                process.WaitForExit();
            }
        }
        ToolResult last = Tool.Run([.. Recipe(_folder["killed"]), "run.resume=true"]);
        Assert.True(last.ExitCode == 0, last.Error);
        Assert.Equal(Hash(_folder["whole"]), Hash(_folder["killed"]));
    }

    [SkippableFact]
    public void Full_disk_leaves_the_earlier_checkpoint()
    {
        string disk = _folder["disk"];
        Directory.CreateDirectory(disk);
        Skip.IfNot(OperatingSystem.IsLinux() && Mount("-t", "tmpfs", "-o", "size=1200k", "tmpfs", disk), "mounting a small disk needs rights that this process lacks");
        try
        {
            ToolResult full = Tool.Run([.. Recipe(Path.Combine(disk, "run")), "run.keep_last=50"]);
            Assert.Equal(1, full.ExitCode);
            Assert.DoesNotContain("   at ", full.Error, StringComparison.Ordinal);
            Assert.NotEmpty(Directory.GetDirectories(Path.Combine(disk, "run"), "checkpoint-*"));
            Assert.True(Mount("-o", "remount,size=50m", disk));
            ToolResult resumed = Tool.Run([.. Recipe(Path.Combine(disk, "run")), "run.resume=true"]);
            Assert.True(resumed.ExitCode == 0, resumed.Error);
            Assert.Contains("resumed at step", resumed.Error, StringComparison.Ordinal);
        }
        finally
        {
            Process.Start("umount", [disk]).WaitForExit();
        }
    }

    public void Dispose() => _folder.Dispose();

    private static bool Mount(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private string[] Recipe(string run) =>
    [
        "pretrain", $"data.train={_folder["text.txt"]}", "data.vocab_size=270", "data.packing=documents", "data.separator=.", "model.type=gpt2", "model.n_layer=2", "model.n_embd=32",
        "model.n_head=2", "train.steps=60", "train.batch=2", "train.sequence=32", "train.accumulation=2", "train.eval_every=20", "train.eval_batches=1", "run.save_every=3",
        $"run.dir={run}", "seed=1",
    ];

    private static string Hash(string run) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(run, "model", "model.safetensors"))));
}
