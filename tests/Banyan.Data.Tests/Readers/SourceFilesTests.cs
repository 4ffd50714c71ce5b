using Banyan.Data.Readers;

namespace Banyan.Data.Tests.Readers;

public sealed class SourceFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SourceFilesTests()
    {
        foreach (string name in (string[])["b.txt", "a.jsonl", "A.csv", "note.md", "deep/c.txt", "deep/er/d.TXT.gz", "deep/er/c.txt", "other/e.txt"])
        {
            _folder.Write(name, "x");
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("b.txt", "b.txt")]
    [InlineData("", "A.csv a.jsonl b.txt deep/c.txt deep/er/c.txt deep/er/d.TXT.gz other/e.txt")]
    [InlineData("deep", "deep/c.txt deep/er/c.txt deep/er/d.TXT.gz")]
    [InlineData("*", "A.csv a.jsonl b.txt")]
    [InlineData("?.jsonl", "a.jsonl")]
    [InlineData("*/c.txt", "deep/c.txt")]
    [InlineData("**/c.txt", "deep/c.txt deep/er/c.txt")]
    [InlineData("**/er/*", "deep/er/c.txt deep/er/d.TXT.gz")]
    [InlineData("**/**/e.txt", "other/e.txt")]
    [InlineData("deep/**", "deep/c.txt deep/er/c.txt deep/er/d.TXT.gz")]
    [InlineData("*e*/*.txt", "deep/c.txt other/e.txt")]
    public void Sources_become_files(string source, string expected) =>
        Assert.Equal(expected.Split(' ').Select(f => _folder[f]), SourceFiles.Expand([_folder[source]]).Select(f => f.Replace("//", "/")));

    [Fact]
    public void Sources_keep_their_order() => Assert.Equal([_folder["b.txt"], _folder["A.csv"]], SourceFiles.Expand([_folder["b.txt"], _folder["*.csv"]]));

    [Fact]
    public void A_link_in_a_circle_is_not_followed()
    {
        Directory.CreateSymbolicLink(_folder["deep/back"], _folder.Path);
        Assert.Equal(3, SourceFiles.Expand([_folder["deep/**"]]).Count);
    }

    [Fact]
    public void What_is_missing_is_said()
    {
        Assert.Contains("there is no such file or folder", Assert.Throws<FileNotFoundException>(() => SourceFiles.Expand([_folder["no.txt"]])).Message);
        Assert.Contains("matches no file", Assert.Throws<FileNotFoundException>(() => SourceFiles.Expand([_folder["no/*.txt"]])).Message);
        Assert.Contains("expected .txt, .jsonl or .csv", Assert.Throws<InvalidDataException>(() => SourceFiles.Expand([_folder["note.md"]])).Message);
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("holds no file", Assert.Throws<FileNotFoundException>(() => SourceFiles.Expand([_folder["empty"]])).Message);
    }
}
