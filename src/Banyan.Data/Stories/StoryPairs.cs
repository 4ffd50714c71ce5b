namespace Banyan.Data.Stories;

/// <summary>
/// The held-out combinations: one pair in ten of each relation, fixed by a hash (not by the seed), occurs in no training document.
/// </summary>
internal static class StoryPairs
{
    private const ulong Key = 0x57_0F_1E5; // any constant: changing it changes what is held out
    private const int OneIn = 10;

    private static readonly bool[] NameThingTable = Table(0, StoryWords.Names.Length, StoryWords.Things.Length);
    private static readonly bool[] NamePlaceTable = Table(1, StoryWords.Names.Length, StoryWords.Places.Length);
    private static readonly bool[] ThingPlaceTable = Table(2, StoryWords.Things.Length, StoryWords.Places.Length);
    private static readonly bool[] NameFoodTable = Table(3, StoryWords.Names.Length, StoryWords.Foods.Length);

    public static bool NameThing(int name, int thing) => NameThingTable[(name * StoryWords.Things.Length) + thing];

    public static bool NamePlace(int name, int place) => NamePlaceTable[(name * StoryWords.Places.Length) + place];

    public static bool ThingPlace(int thing, int place) => ThingPlaceTable[(thing * StoryWords.Places.Length) + place];

    public static bool NameFood(int name, int food) => NameFoodTable[(name * StoryWords.Foods.Length) + food];

    private static bool[] Table(uint relation, int rows, int columns)
    {
        var held = new bool[rows * columns];
        for (int i = 0; i < held.Length; i++)
        {
            held[i] = CounterRandom.At(Key, relation, (ulong)i, 0) % OneIn == 0;
        }
        return held;
    }
}
