using Banyan.Testing;
using Banyan.Training.Logging;

namespace Banyan.Training.Tests.Logging;

public class TensorBoardWriterTests
{
    [Fact]
    public void Events_are_in_the_file_while_the_run_goes_on()
    {
        using var folder = new TemporaryFolder();
        using TensorBoardWriter writer = TensorBoardWriter.Create(folder.Path);
        writer.AddScalar("train/loss", 2.5, 7);
        writer.AddScalar("zero", 0, 0);
        writer.AddText("sample", "Once **upon** a time \u00e9", -1);
        string file = Assert.Single(Directory.GetFiles(folder.Path));
        Assert.Matches(@"^events\.out\.tfevents\.\d{10}\.[A-Za-z0-9-]*\.\d+\.0$", Path.GetFileName(file));
        List<byte[]> records = EventParser.Records(ReadShared(file));
        Assert.Equal(4, records.Count);
        Assert.Equal("brain.Event:2", EventParser.Fields(records[0]).Text(3));
        Assert.All(records, r => Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - EventParser.Fields(r).Double(1), -1, 600));
        Assert.Equal((7, "train/loss", 2.5f), Scalar(records[1]));
        Assert.Equal((0, "zero", 0f), Scalar(records[2]));
        ILookup<int, object> text = EventParser.Inside(records[3], 5, 1);
        Assert.Equal((-1, "sample/text_summary"), (EventParser.Fields(records[3]).Integer(2), text.Text(1)));
        Assert.Equal((7, "Once **upon** a time \u00e9"), (EventParser.Inside(records[3], 5, 1, 8).Integer(1), EventParser.Inside(records[3], 5, 1, 8).Text(8)));
        Assert.Equal("text", EventParser.Inside(records[3], 5, 1, 9, 1).Text(1));
    }

    [Fact]
    public void Hyperparameters_name_values_metrics_and_end()
    {
        using var folder = new TemporaryFolder();
        using (TensorBoardWriter writer = TensorBoardWriter.Create(folder.Path))
        {
            writer.AddHyperparameters(new Dictionary<string, object> { ["lr"] = 1e-3, ["layers"] = 12, ["opt"] = "adamw", ["amp"] = true }, ["eval/loss"]);
            writer.EndSession(succeeded: false);
            Assert.Contains("\"x\" is a DateTime",
                Assert.Throws<ArgumentException>(() => writer.AddHyperparameters(new Dictionary<string, object> { ["x"] = DateTime.Now }, [])).Message);
        }
        List<byte[]> records = EventParser.Records(File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder.Path))));
        Assert.Equal(["_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"],
            records.Skip(1).Take(3).Select(r => EventParser.Inside(r, 5, 1).Text(1)));
        Assert.All(records.Skip(1).Take(3), r => Assert.Equal("hparams", EventParser.Inside(r, 5, 1, 9, 1).Text(1)));
        ILookup<int, object> experiment = EventParser.Inside(records[1], 5, 1, 9, 1, 2, 2);
        Assert.Equal([("lr", 3L), ("layers", 3L), ("opt", 1L), ("amp", 3L)],
            experiment[4].Select(i => EventParser.Fields((byte[])i)).Select(i => (i.Text(1), i.Integer(4))));
        Assert.Equal("eval/loss", EventParser.Inside((byte[])experiment[5].Single(), 1).Text(2));
        ILookup<int, object> start = EventParser.Inside(records[2], 5, 1, 9, 1, 2, 3);
        ILookup<int, object>[] values = [.. start[1].Select(v => EventParser.Inside((byte[])v, 2))];
        Assert.Equal((1e-3, 12.0, "adamw", 1.0), (values[0].Double(2), values[1].Double(2), values[2].Text(3), values[3].Double(2)));
        Assert.Equal(2, EventParser.Inside(records[3], 5, 1, 9, 1, 2, 4).Integer(1));
    }

    [GoldenFact, Trait("Category", "Golden")]
    public void Hyperparameters_are_encoded_as_the_reference_does()
    {
        using Golden golden = Golden.Open("goldens", "tensorboard", "hparams");
        string trial = Path.Combine(golden.Folder, "run", "trial_1", "events.out.tfevents.1700000000.host.1.0");
        List<byte[]> expected = EventParser.Records(File.ReadAllBytes(trial));
        using var folder = new TemporaryFolder();
        var clock = new Clock();
        clock.Set([.. expected.Select(r => EventParser.Fields(r).Double(1))]);
        using (TensorBoardWriter writer = TensorBoardWriter.Create(folder.Path, null, clock, "tensorboard.summary.writer.event_file_writer"))
        {
            // The order of the reference's map of values.
            var values = new OrderedDictionary<string, object> { ["layers"] = 3, ["amp"] = true, ["lr"] = 0.1, ["opt"] = "adamw" };
            writer.AddHyperparameters(values, ["hparam/accuracy", "hparam/loss"]);
            writer.EndSession();
            writer.AddScalar("hparam/accuracy", 0.9, 0);
            writer.AddScalar("hparam/loss", 0.25, 0);
        }
        List<byte[]> written = EventParser.Records(File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder.Path))));
        Assert.Equal(expected.Count, written.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.True(i == 1 ? expected[i].Length == written[i].Length : expected[i].AsSpan().SequenceEqual(written[i]), $"record {i}"); // 1: names in another order
        }
    }

    [Fact]
    public void Files_of_one_second_do_not_collide_and_keep_their_order()
    {
        using var folder = new TemporaryFolder();
        using (TensorBoardWriter first = TensorBoardWriter.Create(folder.Path, null, new FixedClock()))
        using (TensorBoardWriter second = TensorBoardWriter.Create(folder.Path, 5, new FixedClock()))
        {
            first.AddScalar("a", 1, 1);
            second.AddScalar("a", 2, 5);
            second.Flush();
        }
        string[] files = [.. Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal)];
        Assert.Equal((1, 2f), (Scalar(EventParser.Records(File.ReadAllBytes(files[0]))[^1]).Step, Scalar(EventParser.Records(File.ReadAllBytes(files[1]))[^1]).Value));
        ILookup<int, object> start = EventParser.Fields(EventParser.Records(File.ReadAllBytes(files[1]))[2]);
        Assert.Equal(5, start.Integer(2));
        Assert.Equal(1, EventParser.Fields((byte[])start[7].Single()).Integer(1));
    }

    private static (long Step, string Tag, float Value) Scalar(byte[] record)
    {
        ILookup<int, object> value = EventParser.Inside(record, 5, 1);
        return (EventParser.Fields(record).Integer(2), value.Text(1), value.Float(2));
    }

    private static byte[] ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
    }
}
