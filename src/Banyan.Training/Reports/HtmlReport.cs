using System.Globalization;
using System.Net;
using System.Text;

namespace Banyan.Training;

/// <summary>A run as one page that needs nothing else: figures, loss curve, samples.</summary>
public sealed class HtmlReport
{
    private readonly StringBuilder _body = new();

    /// <summary>A page with a title.</summary>
    public HtmlReport(string title) => Title = title;

    /// <summary>The title.</summary>
    public string Title { get; }

    /// <summary>Adds a heading.</summary>
    public HtmlReport Heading(string text)
    {
        _body.Append(CultureInfo.InvariantCulture, $"<h2>{Escape(text)}</h2>\n");
        return this;
    }

    /// <summary>Adds a paragraph.</summary>
    public HtmlReport Text(string text)
    {
        _body.Append(CultureInfo.InvariantCulture, $"<p>{Escape(text)}</p>\n");
        return this;
    }

    /// <summary>Adds a table; the first row is its head.</summary>
    public HtmlReport Table(params IReadOnlyList<string[]> rows)
    {
        _body.Append("<table>\n");
        for (int i = 0; i < rows.Count; i++)
        {
            string cell = i == 0 ? "th" : "td";
            _body.Append("<tr>").AppendJoin("", rows[i].Select(c => $"<{cell}>{Escape(c)}</{cell}>")).Append("</tr>\n");
        }
        _body.Append("</table>\n");
        return this;
    }

    /// <summary>Adds bars, each with its name before and its figure behind it.</summary>
    public HtmlReport Bars(params IReadOnlyList<(string Name, double Value, string Figure)> bars)
    {
        double largest = Math.Max(bars.Select(b => b.Value).DefaultIfEmpty().Max(), double.Epsilon);
        _body.Append("<table>\n");
        foreach ((string name, double value, string figure) in bars)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<tr><td>{Escape(name)}</td><td style=\"width:24em\"><div style=\"background:#3b6fb6;height:0.8em;width:{100 * value / largest:F1}%\"></div></td><td>{Escape(figure)}</td></tr>\n");
        }
        _body.Append("</table>\n");
        return this;
    }

    /// <summary>Adds texts side by side, each under its name.</summary>
    public HtmlReport SideBySide(params IReadOnlyList<(string Name, string Text)> texts)
    {
        _body.Append("<div class=\"side\">");
        foreach ((string name, string text) in texts)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<div><h3>{Escape(name)}</h3><pre>{Escape(text)}</pre></div>");
        }
        _body.Append("</div>\n");
        return this;
    }

    /// <summary>Adds curves over steps, and horizontal lines with names.</summary>
    public HtmlReport Chart(IReadOnlyList<(string Name, string Color, IReadOnlyList<(long Step, double Loss)> Points)> curves, IReadOnlyList<(string Name, string Color, double Value)> lines)
    {
        _body.Append(LossChart.Svg(curves, lines)).Append('\n');
        return this;
    }

    /// <summary>The page.</summary>
    public override string ToString() => $$"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>{{Escape(Title)}}</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
        table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #ddd; }
        pre { white-space: pre-wrap; background: #f6f6f4; padding: .8rem; border-radius: .4rem; }
        .side { display: flex; gap: 1rem; } .side > div { flex: 1; min-width: 0; }
        </style></head><body>
        <h1>{{Escape(Title)}}</h1>
        {{_body}}</body></html>

        """;

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
