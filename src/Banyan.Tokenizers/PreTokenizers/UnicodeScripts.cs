using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Cuts where the script changes. Kana counts as Han; a space and what has no script belong to any.</summary>
internal sealed class UnicodeScripts : PreTokenizer
{
    private const string Any = "Any";

    public override string Type => "UnicodeScripts";

    protected override void Split(Piece piece, List<Piece> output)
    {
        string? last = null;
        int start = -1; // What stands before the first letter of a script is dropped, as in the reference.
        for (int i = piece.Start; i < piece.End;)
        {
            int width = Runes.Decode(piece.Text.Span, i, out int rune);
            string script = ScriptOf(rune);
            if (script != Any && last != script)
            {
                Add(output, piece, start, i);
                start = i;
            }
            last = script == Any ? last : script;
            i += width;
        }
        Add(output, piece, start, piece.End);
    }

    private static void Add(List<Piece> output, Piece piece, int start, int end)
    {
        if (start >= 0)
        {
            output.Add(piece with { Start = start, End = end });
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
    }

    private static string ScriptOf(int rune) => rune switch
    {
        ' ' => Any,
        0x30FC => "Han",
        _ => Scripts.Of(rune) switch
        {
            "Hiragana" or "Katakana" => "Han",
            Scripts.Unknown => Any,
            string script => script,
        },
    };
}
