using System.Globalization;
using System.Net;
using System.Text;

namespace Banyan.Training;

/// <summary>Curves over steps as SVG.</summary>
public static class LossChart
{
    private const double Width = 860, Height = 380, Left = 50, Right = 150, Top = 15, Bottom = 40;

    /// <summary>Draws curves and named horizontal lines in one frame.</summary>
    public static string Svg(IReadOnlyList<(string Name, string Color, IReadOnlyList<(long Step, double Loss)> Points)> curves, IReadOnlyList<(string Name, string Color, double Value)> lines)
    {
        double[] values = [.. curves.SelectMany(c => c.Points).Select(p => p.Loss).Concat(lines.Select(l => l.Value)).Where(double.IsFinite)];
        long last = Math.Max(1, curves.SelectMany(c => c.Points).Select(p => p.Step).DefaultIfEmpty(1).Max());
        double low = values.Length == 0 ? 0 : Math.Min(0, values.Min()), high = values.Length == 0 ? 1 : values.Max() * 1.02;
        double X(double step) => Left + ((Width - Left - Right) * step / last);
        double Y(double v) => Top + ((Height - Top - Bottom) * (high - v) / (high - low));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
        for (int i = 0; i <= 5; i++)
        {
            double v = low + ((high - low) * i / 5), s = last * i / 5.0;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Y(v):F1}\" x2=\"{Width - Right}\" y2=\"{Y(v):F1}\" stroke=\"#e5e5e5\"/><text x=\"{Left - 6}\" y=\"{Y(v) + 4:F1}\" text-anchor=\"end\">{v:F2}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(s):F1}\" y=\"{Height - 18}\" text-anchor=\"middle\">{s:F0}</text>");
        }
        int row = 0;
        foreach ((string name, string color, IReadOnlyList<(long Step, double Loss)> points) in curves)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" points=\"");
            svg.AppendJoin(' ', points.Where(p => double.IsFinite(p.Loss)).Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Step):F1},{Y(p.Loss):F1}"))).Append("\"/>");
            Legend(svg, name, color, row++);
        }
        foreach ((string name, string color, double value) in lines)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Y(value):F1}\" x2=\"{Width - Right}\" y2=\"{Y(value):F1}\" stroke=\"{color}\" stroke-dasharray=\"6 4\"/>");
            Legend(svg, string.Create(CultureInfo.InvariantCulture, $"{name} {value:F3}"), color, row++);
        }
        return svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Width - Right + Left) / 2}\" y=\"{Height - 3}\" text-anchor=\"middle\">step</text></svg>").ToString();
    }

    private static void Legend(StringBuilder svg, string name, string color, int row) =>
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Width - Right + 12}\" y=\"{Top + 4 + (20 * row)}\" width=\"14\" height=\"4\" fill=\"{color}\"/><text x=\"{Width - Right + 32}\" y=\"{Top + 10 + (20 * row)}\">{WebUtility.HtmlEncode(name)}</text>");
}
