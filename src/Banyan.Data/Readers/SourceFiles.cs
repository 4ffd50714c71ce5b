using System.IO.Enumeration;

namespace Banyan.Data.Readers;

/// <summary>From files, folders and patterns to a list of files.</summary>
internal static class SourceFiles
{
    private const string Known = ".txt, .jsonl or .csv, each also with .gz behind";

    /// <summary>The extension that says the format, lower-case and without .gz; null when it is unknown.</summary>
    public static string? Format(string path)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        string extension = Path.GetExtension(name).ToLowerInvariant();
        return extension is ".txt" or ".jsonl" or ".csv" ? extension : null;
    }

    public static List<string> Expand(IEnumerable<string> sources)
    {
        var files = new List<string>();
        foreach (string source in sources)
        {
            files.AddRange(Expand(source));
        }
        return files;
    }

    private static IEnumerable<string> Expand(string source)
    {
        if (File.Exists(source))
        {
            return Format(source) is not null ? [source]
                : throw new InvalidDataException($"{source}: unknown extension, expected {Known}");
        }
        if (Directory.Exists(source))
        {
            return NotEmpty(Below(source, ["**", "*"]), source, $"the folder holds no file that ends in {Known}");
        }
        return source.AsSpan().ContainsAny('*', '?') ? NotEmpty(Matching(source), source, $"the pattern matches no file that ends in {Known}")
            : throw new FileNotFoundException($"{source}: there is no such file or folder", source);
    }

    private static List<string> Matching(string pattern)
    {
        string[] segments = pattern.Split(['/', Path.DirectorySeparatorChar]);
        int wild = Array.FindIndex(segments, s => s.AsSpan().ContainsAny('*', '?'));
        string root = string.Join('/', segments[..wild]);
        root = wild == 0 ? "." : root.Length == 0 ? "/" : root;
        return Directory.Exists(root) ? Below(root, segments[wild..], shown: wild == 0 ? "" : root) : [];
    }

    private static List<string> Below(string folder, ReadOnlySpan<string> segments, string? shown = null)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal); // two ways through ** can lead to one file
        Walk(new DirectoryInfo(folder), shown ?? folder, segments, found);
        return [.. found];
    }

    private static void Walk(DirectoryInfo folder, string shown, ReadOnlySpan<string> segments, SortedSet<string> found)
    {
        ReadOnlySpan<string> rest = segments[1..];
        bool isAnyDepth = segments[0] == "**";
        if (isAnyDepth && rest.Length > 0)
        {
            Walk(folder, shown, rest, found);
        }
        foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos())
        {
            string path = shown.Length == 0 ? entry.Name : Path.Combine(shown, entry.Name);
            if (entry is DirectoryInfo directory)
            {
                // A link to a folder is followed only where it is named: links can go in circles.
                bool enters = isAnyDepth ? directory.LinkTarget is null : rest.Length > 0 && Matches(segments[0], entry.Name);
                if (enters)
                {
                    Walk(directory, path, isAnyDepth ? segments : rest, found);
                }
            }
            else if ((rest.Length == 0) && Matches(isAnyDepth ? "*" : segments[0], entry.Name) && Format(entry.Name) is not null)
            {
                found.Add(path);
            }
        }
    }

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static List<string> NotEmpty(List<string> files, string source, string problem) =>
        files.Count > 0 ? files : throw new FileNotFoundException($"{source}: {problem}", source);
}
