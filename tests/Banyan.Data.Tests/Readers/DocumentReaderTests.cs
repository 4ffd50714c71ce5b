using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Banyan.Data.Readers;
using Banyan.Testing;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Readers;

public sealed class DocumentReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_text_file_is_one_document()
    {
        string path = _folder.Write("a.txt", "\uFEFFfirst line\r\nsecond: \u00e4\u20ac\U0001F333\n");
        Assert.Equal([new TextDocument("first line\r\nsecond: \u00e4\u20ac\U0001F333\n", path, 0)], new DocumentReader().Read(path));
        Assert.Empty(new DocumentReader().Read(_folder.Write("empty.txt", "")));
    }

    [Fact]
    public void A_separator_divides_a_text_file()
    {
        string path = _folder.Write("a.txt", "one\n<|endoftext|>\r\n two\nlines \n<|endoftext|>\n<|endoftext|>three<|endoftext|>\n");
        var reader = new DocumentReader(new() { Separator = "<|endoftext|>" });
        Assert.Equal(["one", " two\nlines ", "three"], reader.Read(path).Select(d => d.Text));
        Assert.Equal([0, 1, 2], reader.Read(path).Select(d => d.Number));
    }

    [Fact]
    public void Records_longer_than_the_buffer_and_delimiters_across_its_edge()
    {
        string[] texts = [.. Enumerable.Range(0, 30).Select(i => new string((char)('a' + (i % 26)), (i * 9973 % 200_000) + 1))];
        string path = _folder.Write("a.txt", string.Join("<end>", texts));
        Assert.Equal(texts, new DocumentReader(new() { Separator = "<end>" }).Read(path).Select(d => d.Text));
    }

    [Property(MaxTest = 50)]
    public void Json_lines_come_back(string?[] texts)
    {
        string[] expected = [.. texts.Select(t => WithoutSurrogates(t ?? ""))];
        string path = _folder.Write("a.jsonl", string.Join('\n', expected.Select(t => JsonSerializer.Serialize(new { id = 1, text = t, more = new { text = "no" } }))));
        Assert.Equal(expected, new DocumentReader().Read(path).Select(d => d.Text));
    }

    [Property(MaxTest = 50)]
    public void Csv_comes_back(string?[] texts, bool carriageReturn)
    {
        string[] expected = [.. texts.Select(t => WithoutSurrogates(t ?? ""))];
        string end = carriageReturn ? "\r\n" : "\n";
        string path = _folder.Write("a.csv", "id,text" + end + string.Concat(expected.Select((t, i) => $"{i},\"{t.Replace("\"", "\"\"")}\"{end}")));
        Assert.Equal(expected, new DocumentReader().Read(path).Select(d => d.Text));
    }

    [Fact]
    public void Csv_of_every_kind()
    {
        string path = _folder.Write("a.csv", "id,body,note\r\n1,plain,x\n\r\n2,\"a, \"\"b\"\"\r\nc\",\n3,,y\r\n4,\"\",\"z\"");
        var reader = new DocumentReader(new() { TextKey = "body" });
        Assert.Equal(["plain", "a, \"b\"\r\nc", "", ""], reader.Read(path).Select(d => d.Text));
    }

    [Fact]
    public void Json_of_every_kind()
    {
        string path = _folder.Write("a.jsonl",
            "{\"text\":\"a\\n\\u00e9\\ud83c\\udf33\"}\r\n\r\n  {\"x\":[1,{\"text\":\"no\"}],\"te\\u0078t\":\"b\"}\n{\"text\":\"c\",\"text\":\"d\"}");
        Assert.Equal(["a\n\u00e9\U0001F333", "b", "d"], new DocumentReader().Read(path).Select(d => d.Text));
    }

    [Fact]
    public void Invalid_bytes_are_replaced_and_counted_or_refused()
    {
        byte[] bad = [(byte)'a', 0xFF, (byte)'b', 0xE2, 0x82, (byte)'c', 0xC0, 0x80]; // a stray byte, a cut sequence, an overlong one
        string text = _folder.Write("a.txt", bad);
        string json = _folder.Write("a.jsonl", [.. "{\"text\":\""u8, .. bad, .. "\\ud800\\tx\\\\\"}"u8]);
        string csv = _folder.Write("a.csv", [.. "text\n"u8, .. bad]);
        var reader = new DocumentReader();
        Assert.Equal(["a\uFFFDb\uFFFDc\uFFFD\uFFFD"], reader.Read(text).Select(d => d.Text));
        Assert.Equal(4, reader.ReplacedSequences);
        Assert.Equal(["a\uFFFDb\uFFFDc\uFFFD\uFFFD\uFFFD\tx\\"], reader.Read(json).Select(d => d.Text));
        Assert.Equal(9, reader.ReplacedSequences);
        Assert.Equal(["a\uFFFDb\uFFFDc\uFFFD\uFFFD"], reader.Read(csv).Select(d => d.Text));
        Assert.Equal(13, reader.ReplacedSequences);
        var strict = new DocumentReader(new() { Strict = true });
        Assert.Equal($"{text}: invalid UTF-8 at byte 1: 0xFF; not allowed while Strict is set", Error(strict, text));
        Assert.StartsWith($"{json}, line 1: invalid UTF-8 at byte 10", Error(strict, json));
        Assert.StartsWith($"{csv}, line 2: invalid UTF-8 at byte 1", Error(strict, csv));
        Assert.Contains("unpaired surrogate \\ud800", Error(strict, _folder.Write("b.jsonl", "{\"text\":\"\\ud800\"}")));
        Assert.Contains("mark of UTF-16", Error(reader, _folder.Write("c.txt", Encoding.Unicode.GetPreamble())));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"text\":\"a\"}\n[1]", "line 2: found StartArray, expected a JSON object with the key \"text\"")]
    [InlineData("a.jsonl", "{\"text\":\"a\"}\n{\"body\":\"a\"}", "line 2: no key \"text\"")]
    [InlineData("a.jsonl", "{\"text\":null}", "line 1: \"text\" is Null, expected a string")]
    [InlineData("a.jsonl", "{\"text\":\"a\"", "line 1: not a JSON object")]
    [InlineData("a.jsonl", "{\"text\":\"a\"} {}", "line 1: not a JSON object")]
    [InlineData("a.csv", "id,body\n1,a", "line 1: no column \"text\" among \"id\", \"body\"")]
    [InlineData("a.csv", "id,text\n1,a\n2", "line 3: 1 fields, expected 2")]
    [InlineData("a.csv", "text\n\"a\nb", "ends inside a quoted field that began on line 2")]
    [InlineData("a.csv", "text\na\"b\"", "line 2: a quote inside an unquoted field")]
    [InlineData("a.csv", "text\n\"a\"b", "line 2: 'b' behind a closing quote")]
    public void What_is_wrong_is_said(string name, string content, string message) =>
        Assert.Contains(message, Error(new DocumentReader(), _folder.Write(name, content)));

    [Fact]
    public void Nested_json_has_a_limit()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        Assert.Contains("line 1: not a JSON object", Error(new DocumentReader(), _folder.Write("a.jsonl", $"{{\"x\":{deep}")));
    }

    [Theory]
    [InlineData("a.txt", "0123456789abcdef")]
    [InlineData("a.jsonl", "{\"text\":\"0123456789\"}")]
    [InlineData("a.csv", "text\n\"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\"")]
    public void Documents_have_a_longest_length(string name, string content)
    {
        Assert.Contains("is longer than 15 bytes", Error(new DocumentReader(new() { MaxDocumentBytes = 15 }), _folder.Write(name, content)));
        Assert.Single(new DocumentReader(new() { MaxDocumentBytes = 22 }).Read(_folder[name]));
    }

    [Fact]
    public void A_bomb_is_stopped_at_the_limit()
    {
        string path = _folder.Write("a.txt.gz", Zip(new byte[20_000_000]));
        Assert.Contains("is longer than 1000000 bytes", Error(new DocumentReader(new() { MaxDocumentBytes = 1_000_000 }), path));
    }

    [Theory]
    [InlineData("a.txt")]
    [InlineData("a.jsonl")]
    [InlineData("a.csv")]
    public void Gzipped_files_read_the_same(string name)
    {
        byte[] plain = Encoding.UTF8.GetBytes(name == "a.jsonl" ? "{\"text\":\"hello\"}\n{\"text\":\"you\"}" : "text\nhello\nyou");
        string[] expected = [.. new DocumentReader().Read(_folder.Write(name, plain)).Select(d => d.Text)];
        string path = _folder.Write(name + ".gz", [.. Zip(plain[..9]), .. Zip(plain[9..])]); // two members, as parallel gzip writes
        Assert.Equal(expected, new DocumentReader().Read(path).Select(d => d.Text));
    }

    [Fact]
    public void A_damaged_gzip_file_is_refused_with_its_name()
    {
        byte[] zipped = Zip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 5000))));
        foreach (int length in Enumerable.Range(0, zipped.Length).Where(n => n % 97 == 0 || n > zipped.Length - 30))
        {
            Assert.StartsWith(_folder["a.txt.gz"], Error(new DocumentReader(), _folder.Write("a.txt.gz", zipped[..length])));
        }
        Assert.StartsWith(_folder["a.txt.gz"], Error(new DocumentReader(), _folder.Write("a.txt.gz", [.. zipped, 1, 2, 3])));
        zipped[zipped.Length / 2] ^= 0x55;
        Assert.StartsWith(_folder["a.txt.gz"], Error(new DocumentReader(), _folder.Write("a.txt.gz", zipped)));
        Assert.StartsWith(_folder["a.txt.gz"], Error(new DocumentReader(), _folder.Write("a.txt.gz", "plain text")));
    }

    // Whatever the bytes: documents or a message that begins with the file, never another exception.
    [Fact]
    public void Mutated_files_are_read_or_refused()
    {
        byte[][] good =
        [
            "{\"text\":\"a\\n\\u00e9\\ud83c\\udf33\",\"n\":[1,2]}\n{\"text\":\"b\"}\n"u8.ToArray(), "id,text\n1,\"a, \"\"b\"\"\nc\"\n2,d\n"u8.ToArray(),
            Zip("{\"text\":\"hello hello hello\"}"u8.ToArray()), "one<end>two \u00e4\u20ac<end>"u8.ToArray(),
        ];
        string[] names = ["f.jsonl", "f.csv", "f.jsonl.gz", "f.txt"];
        var random = new CounterRandom(11);
        int read = 0;
        for (int i = 0; i < Fuzz.Many; i++)
        {
            byte[] bad = [.. good[i % 4]];
            for (int changes = 1 + random.NextInt(4); changes > 0; changes--)
            {
                bad[random.NextInt(bad.Length)] = random.NextInt(2) == 0 ? (byte)random.NextUInt() : "\"\\,\n\r{}[]u\0"u8[random.NextInt(11)];
            }
            bad = random.NextInt(6) == 0 ? bad[..random.NextInt(bad.Length)] : bad;
            string path = _folder.Write(names[i % 4], bad);
            try
            {
                _ = new DocumentReader(new() { Separator = "<end>", Strict = i % 8 > 3 }).Read(path).Count();
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith(path, e.Message);
            }
        }
        Assert.InRange(read, Fuzz.Many / 5, Fuzz.Many * 9 / 10);
    }

    [Fact]
    public void Options_are_checked()
    {
        Assert.Throws<ArgumentException>(() => new DocumentReader(new() { TextKey = "" }));
        Assert.Throws<ArgumentException>(() => new DocumentReader(new() { Separator = "" }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DocumentReader(new() { MaxDocumentBytes = 0 }));
    }

    private static string Error(DocumentReader reader, string path) =>
        Assert.Throws<InvalidDataException>(() => reader.Read(path).Count()).Message;

    private static byte[] Zip(byte[] plain)
    {
        using var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            stream.Write(plain);
        }
        return zipped.ToArray();
    }

    private static string WithoutSurrogates(string text) => new([.. text.Where(c => !char.IsSurrogate(c))]);
}
