using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Cuts where the script changes. Kana counts as Han, a space belongs to any script.</summary>
internal sealed class UnicodeScripts : PreTokenizer
{
    private const string Any = "Any";

    public override string Type => "UnicodeScripts";

    protected override void Split(Piece piece, List<Piece> output)
    {
        string? last = null;
        int start = piece.Start;
        for (int i = piece.Start; i < piece.End;)
        {
            int width = Runes.Decode(piece.Text.Span, i, out int rune);
            string script = ScriptOf(rune);
            if (script != Any && last != script)
            {
                output.Add(piece with { Start = start, End = i });
                start = i;
            }
            last = script == Any ? last : script;
            i += width;
        }
        output.Add(piece with { Start = start });
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
    }

    private static string ScriptOf(int rune) => rune switch
    {
        ' ' => Any,
        0x30FC => "Han",
        _ => Scripts.Of(rune) is "Hiragana" or "Katakana" ? "Han" : Scripts.Of(rune),
    };
}
