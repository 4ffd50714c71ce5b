namespace Banyan.Data.Stories;

/// <summary>
/// The closed vocabulary of the stories. Every word stands behind a space wherever it is used, so that each becomes one token; things and
/// places all fit behind "the", "a", "in the" and "to the".
/// </summary>
internal static class StoryWords
{
    /// <summary>The first half takes "she" and "her", the second half "he" and "him".</summary>
    public static readonly string[] Names = Split(
        """
        Mia Anna Lily Rosa Emma Zoe Clara Nora Ella Ivy Lucy Ruby Eva Alice Maya Sara
        Julia Tina Daisy Hanna Olga Vera Wendy Kate Molly Paula Greta Ida Flora Nina Stella Jane
        Tom Ben Max Sam Leo Jack Noah Finn Paul Oscar Hugo Peter Felix Adam Luke Otto
        Henry Jonas Simon Oliver Theo Victor Walter Karl Martin David Robin Erik Fred George Jim Toby
        """);

    public static readonly string[] Colors = Split("red blue green yellow white black brown pink purple silver golden gray");

    public static readonly string[] Things = Split(
        """
        ball kite drum boat hat cup book box bell key lamp flute spoon scarf basket ring coin doll train wagon bucket blanket button ribbon
        feather candle mirror ladder whistle puppet robot map rope pillow brush jar clock crown cap shoe glove bottle balloon trumpet
        violin camera tent bowl
        """);

    public static readonly string[] Places = Split(
        """
        mill barn kitchen garden forest harbor market school castle bakery library meadow stable tower cave attic cellar park orchard cottage
        chapel shed village valley museum theater station temple palace factory hotel jungle
        """);

    public static readonly string[] Foods = Split("apples pears plums cherries nuts berries cookies carrots eggs lemons beans grapes muffins walnuts peaches tomatoes");

    public static readonly string[] Animals = Split("fox owl rabbit frog duck goat pony cat dog hen mouse swan bear deer lamb turtle goose wolf hedgehog squirrel mole raven beaver donkey");

    public static readonly string[] Weathers = Split("sunny rainy windy snowy warm cold quiet foggy stormy cloudy lovely misty frosty gloomy mild breezy");

    public static readonly string[] Times = Split("morning afternoon evening day");

    public static readonly string[] Moods = Split("happy proud glad merry excited cheerful thankful surprised");

    public static readonly string[] Openers = Split("Then Soon Later Next");

    /// <summary>Index = value.</summary>
    public static readonly string[] Numbers = Split(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen");

    /// <summary>"red ball" at [color * Things.Length + thing].</summary>
    public static readonly string[] ColoredThings = [.. from c in Colors from t in Things select $"{c} {t}"];

    private static string[] Split(string words) => words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
