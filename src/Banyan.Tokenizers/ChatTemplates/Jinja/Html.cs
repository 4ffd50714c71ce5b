using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Escaping for HTML: nothing is escaped unless a template asks for it.</summary>
internal static class Html
{
    public static string Escape(string text, Fuel fuel)
    {
        fuel.Text(text.Length);
        var to = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            _ = c switch
            {
                '&' => to.Append("&amp;"),
                '<' => to.Append("&lt;"),
                '>' => to.Append("&gt;"),
                '"' => to.Append("&#34;"),
                '\'' => to.Append("&#39;"),
                _ => to.Append(c),
            };
        }
        return to.ToString();
    }

    /// <summary>The text of a value; escaped unless it is safe already.</summary>
    public static string EscapeUnsafe(object? value, Fuel fuel) => value is SafeText safe ? safe.Value : Escape(PythonText.Str(value, fuel), fuel);
}
