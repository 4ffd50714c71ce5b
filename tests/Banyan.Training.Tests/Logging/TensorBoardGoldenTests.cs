using System.Globalization;
using System.Text;
using System.Text.Json;
using Banyan.Testing;
using Banyan.Training.Logging;

namespace Banyan.Training.Tests.Logging;

[Trait("Category", "Golden")]
public class TensorBoardGoldenTests
{
    private const string ReferenceWriter = "tensorboard.summary.writer.event_file_writer";

    // What this writer writes: scalars, texts and restarts. Images, histograms and the rest are other writers' business.
    private static readonly string[] Written = ["scalars", "text", "restart", "several_runs"];

    [GoldenTheory, MemberData(nameof(WrittenFiles))]
    public void Writes_the_bytes_of_the_reference(string name, string file)
    {
        using Golden golden = Golden.Open("goldens", "tensorboard", name);
        using var folder = new TemporaryFolder();
        JsonElement[] events = [.. golden.Json.GetProperty("files").GetProperty(file).GetProperty("records").EnumerateArray().Select(r => r.GetProperty("event"))];
        Replay(folder.Path, events);
        Assert.Equal(Convert.ToHexString(File.ReadAllBytes(Path.Combine(golden.Folder, file))),
            Convert.ToHexString(File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder.Path)))));
    }

    [GoldenTheory, MemberData(nameof(AllFiles))]
    public void The_parser_of_these_tests_reads_every_file_of_the_reference(string name, string file)
    {
        using Golden golden = Golden.Open("goldens", "tensorboard", name);
        JsonElement[] expected = [.. golden.Json.GetProperty("files").GetProperty(file).GetProperty("records").EnumerateArray().Select(r => r.GetProperty("event"))];
        List<byte[]> records = EventParser.Records(File.ReadAllBytes(Path.Combine(golden.Folder, file)));
        Assert.Equal(expected.Length, records.Count);
        foreach ((JsonElement e, byte[] record) in expected.Zip(records))
        {
            ILookup<int, object> fields = EventParser.Fields(record);
            Assert.Equal(e.GetProperty("wall_time").GetDouble(), fields.Double(1));
            Assert.Equal(Step(e), fields.Integer(2));
            if (e.TryGetProperty("summary", out JsonElement summary))
            {
                Assert.Equal(summary.GetProperty("value").EnumerateArray().Select(v => v.GetProperty("tag").GetString()),
                    EventParser.Inside(record, 5)[1].Select(v => EventParser.Fields((byte[])v).Text(1)));
            }
        }
    }

    [GoldenFact]
    public void Checksums_are_those_of_the_reference()
    {
        using Golden golden = Golden.Open("goldens", "tensorboard", "anatomy");
        foreach (JsonElement vector in golden.Json.GetProperty("crc").EnumerateArray())
        {
            byte[] bytes = Convert.FromHexString(vector.GetProperty("hex").GetString()!);
            Assert.Equal(vector.GetProperty("masked").GetUInt32(), RecordFile.Masked(bytes));
            Assert.Equal(vector.GetProperty("masked").GetUInt32(), EventParser.MaskedCrc(bytes));
        }
    }

    public static IEnumerable<object[]> WrittenFiles() => AllFiles().Where(row => Written.Contains((string)row[0]));

    public static IEnumerable<object[]> AllFiles()
    {
        foreach (string name in Golden.Cases("goldens", "tensorboard").Select(row => (string)row[0]).ToList())
        {
            using Golden golden = Golden.Open("goldens", "tensorboard", name);
            if (name != "broken" && golden.Json.TryGetProperty("files", out JsonElement files) && files.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty file in files.EnumerateObject())
                {
                    if (file.Value.TryGetProperty("records", out _))
                    {
                        yield return [name, file.Name];
                    }
                }
            }
        }
    }

    private static void Replay(string folder, JsonElement[] events)
    {
        var clock = new Clock();
        clock.Set([.. events.Select(e => e.GetProperty("wall_time").GetDouble())]);
        bool restarted = events.Length > 2 && events[2].TryGetProperty("session_log", out _);
        using TensorBoardWriter writer = TensorBoardWriter.Create(folder, restarted ? Step(events[2]) : null, clock, ReferenceWriter);
        foreach (JsonElement e in events.Skip(restarted ? 3 : 1))
        {
            JsonElement value = e.GetProperty("summary").GetProperty("value").EnumerateArray().Single();
            string tag = value.GetProperty("tag").GetString()!;
            if (value.TryGetProperty("simple_value", out JsonElement scalar))
            {
                writer.AddScalar(tag, Float(scalar), Step(e));
            }
            else
            {
                byte[] text = value.GetProperty("tensor").GetProperty("string_val").EnumerateArray().Single().GetBytesFromBase64();
                writer.AddText(tag[..tag.LastIndexOf('/')], Encoding.UTF8.GetString(text), Step(e));
            }
        }
    }

    // Python's NaN has a positive sign, .NET's a negative one.
    private static float Float(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetSingle()
        : value.GetString() == "NaN" ? BitConverter.UInt32BitsToSingle(0x7FC00000)
        : float.Parse(value.GetString()!, CultureInfo.InvariantCulture);

    private static long Step(JsonElement e) => e.TryGetProperty("step", out JsonElement step) ? long.Parse(step.GetString()!, CultureInfo.InvariantCulture) : 0;
}
