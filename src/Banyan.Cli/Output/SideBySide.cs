namespace Banyan.Cli.Output;

/// <summary>Two texts in two columns.</summary>
internal static class SideBySide
{
    private const int Width = 56;

    public static void Write(TextWriter output, string leftName, string left, string rightName, string right)
    {
        List<string> l = Wrap(left), r = Wrap(right);
        output.WriteLine($"{leftName.PadRight(Width)} | {rightName}");
        output.WriteLine(new string('-', Width) + "-+-" + new string('-', Width));
        for (int i = 0; i < Math.Max(l.Count, r.Count); i++)
        {
            output.WriteLine($"{(i < l.Count ? l[i] : "").PadRight(Width)} | {(i < r.Count ? r[i] : "")}");
        }
        output.WriteLine();
    }

    private static List<string> Wrap(string text)
    {
        var lines = new List<string>();
        foreach (string paragraph in text.Split('\n'))
        {
            string rest = new([.. paragraph.Select(c => char.IsControl(c) ? '\u00B7' : c)]);
            while (rest.Length > Width)
            {
                int at = rest.LastIndexOf(' ', Width);
                at = at <= 0 ? Width : at;
                lines.Add(rest[..at]);
                rest = rest[at..].TrimStart();
            }
            lines.Add(rest);
        }
        return lines;
    }
}
