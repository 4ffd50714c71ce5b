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
}
