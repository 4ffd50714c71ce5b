using System.Runtime.CompilerServices;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>What one rendering has spent of its limits.</summary>
internal sealed class Fuel(ChatTemplateOptions options)
{
    private const int CharactersPerStep = 64, MaxBits = 1 << 17;

    private long _steps = options.MaxSteps;
    private int _depth;

    /// <summary>Counts some steps.</summary>
    public void Step(long count = 1)
    {
        _steps -= count;
        if (_steps < 0)
        {
            throw Error($"the template takes more than {options.MaxSteps:N0} steps");
        }
    }

    /// <summary>Counts text that is made, and refuses what is too long before it is made.</summary>
    public void Text(long characters)
    {
        CheckLength(characters);
        Step(characters / CharactersPerStep);
    }

    /// <summary>Refuses a text that is too long.</summary>
    public void CheckLength(long characters)
    {
        if (characters > options.MaxCharacters)
        {
            throw Error($"a text would have more than {options.MaxCharacters:N0} characters");
        }
    }

    /// <summary>Refuses integers that would take long to compute with.</summary>
    public void Bits(double bits)
    {
        if (bits > MaxBits)
        {
            throw Error($"an integer would have more than {MaxBits:N0} bits");
        }
        Step((long)bits / CharactersPerStep);
    }

    /// <summary>One level of recursion; it ends with the result's disposal.</summary>
    public Level Enter()
    {
        if (++_depth > 8 * options.MaxDepth || (_depth % 8 == 0 && !RuntimeHelpers.TryEnsureSufficientExecutionStack()))
        {
            throw Error("the template recurses too deep");
        }
        return new Level(this);
    }

    private static ChatTemplateException Error(string problem) => new(ChatTemplateError.Limit, problem);

    public readonly struct Level(Fuel fuel) : IDisposable
    {
        public void Dispose() => fuel._depth--;
    }
}
