using static Banyan.Data.Stories.StoryWords;

namespace Banyan.Data.Stories;

/// <summary>
/// The grammar: an opening (three characters, each with a coloured thing, at a place), two scenes about two of them, a closing line, two
/// questions. Every choice shows in the text before anything that depends on it, so the text determines the choices, and the sum of their
/// costs is the exact negative log-likelihood of the text. Everything else is a copy of, or follows from, what was said before.
/// </summary>
internal sealed class StoryGrammar(StoryWriter w)
{
    private readonly record struct Character(int Name, int Color, int Thing)
    {
        public string Called => Names[Name];

        public string Owns => ColoredThings[(Color * Things.Length) + Thing];

        public bool IsShe => Name < Names.Length / 2;

        public string Object => IsShe ? "her" : "him";

        public string Subject => IsShe ? "she" : "he";
    }

    private readonly Character[] _cast = new Character[3];
    private readonly List<int> _names = [], _colors = [], _things = [], _places = [], _foods = [], _actors = [], _asked = [];
    private readonly PendingQuestion[] _questions = new PendingQuestion[3];

    /// <summary>Writes one document of the unconditioned generator.</summary>
    public void Write()
    {
        foreach (List<int> used in (ReadOnlySpan<List<int>>)[_names, _colors, _things, _places, _foods, _actors, _asked])
        {
            used.Clear();
        }
        Opening();
        _questions[0] = Scene();
        _questions[1] = Scene();
        Closing();
        for (int i = 0; i < 2; i++)
        {
            int which = w.ChooseNew(3, _asked);
            w.Ask(which == 2 ? WhoBrought() : _questions[which]);
        }
    }

    private void Opening()
    {
        w.Text.Append($"One {w.Pick(Weathers)} {w.Pick(Times)},");
        for (int i = 0; i < 3; i++)
        {
            int name = w.ChooseNew(Names.Length, _names);
            w.Text.Append($"{(i == 2 ? " and" : "")} {Names[name]} came");
            if (i == 0)
            {
                w.Text.Append($" to the {Places[w.ChooseNew(Places.Length, _places)]}");
            }
            _cast[i] = new Character(name, w.ChooseNew(Colors.Length, _colors), w.ChooseNew(Things.Length, _things));
            w.Text.Append($" with a {_cast[i].Owns}{(i == 0 ? "," : i == 2 ? "." : "")}");
            w.State(StoryPairs.NameThing(name, _cast[i].Thing));
            w.State(StoryPairs.NamePlace(name, _places[0]));
        }
    }

    /// <summary>A scene about a character who had none yet.</summary>
    private PendingQuestion Scene()
    {
        Character x = _cast[w.ChooseNew(3, _actors)];
        w.Text.Append($" {w.Pick(Openers)} {x.Called}");
        return w.Choose(4) switch
        {
            0 => Hide(x),
            1 => Give(x),
            2 => Count(x),
            _ => Visit(x),
        };
    }

    private PendingQuestion Hide(in Character x)
    {
        int place = w.ChooseNew(Places.Length, _places);
        string p = Places[place], t = x.Owns;
        if (w.Choose(2) == 0)
        {
            w.Text.Append($" hid the {t} in the {p}. \"Nobody will find the {t} in the {p},\" said {x.Called}.");
        }
        else
        {
            w.Text.Append($" left the {t} in the {p}. \"The {p} is a good home for the {t},\" {x.Subject} said.");
        }
        bool heldOut = w.State(StoryPairs.ThingPlace(x.Thing, place));
        return new(QuestionKind.WhereThing, $"Where is the {t}?", p, heldOut);
    }

    private PendingQuestion Give(in Character x)
    {
        Character y = Other(x);
        string t = x.Owns;
        if (w.Choose(2) == 0)
        {
            w.Text.Append($" gave the {t} to {y.Called}. \"Thank you for the {t}, {x.Called},\" said {y.Called}.");
        }
        else
        {
            w.Text.Append($" handed the {t} to {y.Called}, and {y.Called} was {w.Pick(Moods)} about the {t} all day.");
        }
        bool heldOut = w.State(StoryPairs.NameThing(y.Name, x.Thing));
        return new(QuestionKind.WhoHas, $"Who has the {t} now?", y.Called, heldOut);
    }

    private PendingQuestion Count(in Character x)
    {
        int food = w.ChooseNew(Foods.Length, _foods);
        string f = Foods[food];
        int n = 2 + w.Choose(8);
        bool found = w.Choose(2) == 0;
        w.Text.Append($" {(found ? "found" : "had")} {Numbers[n]} {f}, and ");
        if (found)
        {
            w.Text.Append($"{x.Subject} picked ");
        }
        else
        {
            w.Text.Append($"{Other(x).Called} gave {x.Object} ");
        }
        int m = 2 + w.Choose(8);
        string sum = Numbers[n + m];
        w.Text.Append($"{Numbers[m]} more. \"Look, {Numbers[n]} and {Numbers[m]} make {sum},\" said {x.Called}. \"Now I have {sum} {f}!\"");
        bool heldOut = w.State(StoryPairs.NameFood(x.Name, food));
        return new(QuestionKind.HowMany, $"How many {f} does {x.Called} have now?", sum, heldOut);
    }

    private PendingQuestion Visit(in Character x)
    {
        int place = w.ChooseNew(Places.Length, _places);
        string p = Places[place];
        string verb = w.Choose(2) == 0 ? "went" : "walked";
        string animal = w.Pick(Animals);
        w.Text.Append($" {verb} to the {p} to see the {animal}. The {animal} was asleep in the {p}, so {x.Called} waited for the {animal}.");
        bool heldOut = w.State(StoryPairs.NamePlace(x.Name, place));
        return new(QuestionKind.WherePerson, $"Where is {x.Called} now?", p, heldOut);
    }

    private void Closing()
    {
        w.Text.Append(" At night,");
        for (int i = 0; i < 3; i++)
        {
            w.Text.Append($"{(i == 2 ? " and" : "")} {_cast[i].Called} dreamed of the {_cast[i].Owns}{(i == 0 ? "," : i == 2 ? "." : "")}");
        }
    }

    private PendingQuestion WhoBrought()
    {
        Character x = _cast[w.Choose(3)];
        return new(QuestionKind.WhoBrought, $"Who came with the {x.Owns}?", x.Called, StoryPairs.NameThing(x.Name, x.Thing));
    }

    private Character Other(in Character x)
    {
        int self = Array.IndexOf(_cast, x);
        int other = w.Choose(2);
        return _cast[other < self ? other : other + 1];
    }
}
