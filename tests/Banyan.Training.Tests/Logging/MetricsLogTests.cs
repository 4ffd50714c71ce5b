using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Testing;
using Banyan.Training.Logging;

namespace Banyan.Training.Tests.Logging;

public class MetricsLogTests
{
    [Fact]
    public void Each_call_is_a_line_that_is_there_at_once()
    {
        using var folder = new TemporaryFolder();
        using MetricsLog log = MetricsLog.Open(folder["logs/metrics.jsonl"]);
        log.Write(1, ("train/loss", 2.5), ("lr", 1e-4));
        log.Write(1, ("eval/loss", double.NaN), ("ppl", double.PositiveInfinity), ("x", double.NegativeInfinity));
        log.Write(2);
        Assert.Equal(["""{"step":1,"train/loss":2.5,"lr":0.0001}""", """{"step":1,"eval/loss":"NaN","ppl":"Infinity","x":"-Infinity"}""", """{"step":2}"""],
            Lines(folder["logs/metrics.jsonl"]));
        Assert.Contains("already holds step 2", Assert.Throws<ArgumentOutOfRangeException>(() => log.Write(1)).Message);
    }

    [Fact]
    public void A_resumed_run_cuts_what_it_will_write_again_and_half_a_line()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["m"], "{\"step\":1,\"a\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4,\"a\"");
        using (MetricsLog log = MetricsLog.Open(folder["m"], resumedStep: 2))
        {
            log.Write(3, ("a", 9));
        }
        Assert.Equal(["""{"step":1,"a":1}""", """{"step":2}""", """{"step":3,"a":9}"""], Lines(folder["m"]));
        using (MetricsLog log = MetricsLog.Open(folder["m"]))
        {
            log.Write(3);
        }
        Assert.Equal(4, Lines(folder["m"]).Length);
        using (MetricsLog.Open(folder["m"], resumedStep: 0))
        {
        }
        Assert.Empty(Lines(folder["m"]));
    }

    [Fact]
    public void A_damaged_line_is_named_and_nothing_is_cut()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["m"], "{\"step\":1}\nnonsense\n{\"step\":3}\n");
        Assert.Contains("line 2", Assert.Throws<CheckpointException>(() => MetricsLog.Open(folder["m"], 5)).Message);
        Assert.Equal(3, Lines(folder["m"]).Length);
    }

    [Fact]
    public void Every_line_is_valid_JSON_whatever_the_names()
    {
        using var folder = new TemporaryFolder();
        using MetricsLog log = MetricsLog.Open(folder["m"]);
        log.Write(long.MaxValue, ("a \"b\"\n", double.MaxValue), ("\u00fc", double.Epsilon));
        JsonElement line = JsonDocument.Parse(Assert.Single(Lines(folder["m"]))).RootElement;
        Assert.Equal((double.MaxValue, double.Epsilon), (line.GetProperty("a \"b\"\n").GetDouble(), line.GetProperty("\u00fc").GetDouble()));
    }

    private static string[] Lines(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
