using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

public sealed class StopStringTests
{
    [Theory]
    [InlineData("ab|cd|ef", "cde", "ab", true)]
    [InlineData("ab|c|x", "cde", "abcx", false)]
    [InlineData("stop|ping", "topp", "s", true)]
    [InlineData("aa|ab", "aab", "a", true)]
    public void Text_is_held_back_until_it_is_certain(string pieces, string stop, string expected, bool stopped)
    {
        var stops = new StopStrings([stop]);
        string text = "";
        bool found = false;
        foreach (string piece in pieces.Split('|'))
        {
            (string certain, found) = stops.Add(piece);
            text += certain;
            if (found)
            {
                break;
            }
        }
        Assert.Equal(stopped, found);
        Assert.Equal(expected, found ? text : text + stops.Rest());
    }

    // The reference asks whether the last token completes a stop string, whatever was before: for us, whether a text that begins somewhere in it stops there.
    [GoldenFact, Trait("Category", "Golden")]
    public void Last_token_completes_a_stop_string_where_the_reference_says_so()
    {
        using Golden golden = Golden.Open("goldens", "generation", "stop_strings");
        string[] pieces = [.. golden.Json.GetProperty("pieces").EnumerateArray().Select(p => p.GetString()!)];
        foreach (JsonElement c in golden.Json.GetProperty("cases").EnumerateArray())
        {
            string[] stops = [.. c.GetProperty("stop_strings").EnumerateArray().Select(p => p.GetString()!)], text = [.. c.GetProperty("ids").EnumerateArray().Select(i => pieces[i.GetInt32()])];
            string before = string.Concat(text[..^1]);
            bool done = Enumerable.Range(0, before.Length + 1).Any(start =>
            {
                var stop = new StopStrings(stops);
                return !(start < before.Length && stop.Add(before[start..]).Stopped) && stop.Add(text[^1]).Stopped;
            });
            Assert.True(done == c.GetProperty("done").GetBoolean(), $"case {c.GetProperty("case")}: {string.Join('|', text)} with {string.Join(", ", stops)} gives {done}");
        }
    }
}
