namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The arguments of one call.</summary>
internal sealed record Arguments(List<object?> Positional, List<(string Name, object? Value)> Named)
{
    public static Arguments Of(params object?[] positional) => new([.. positional], []);

    /// <summary>A required parameter has no default.</summary>
    public static readonly object Required = new();

    /// <summary>The values of parameters in their order; given by place or by name.</summary>
    public object?[] Bind(string function, params ReadOnlySpan<(string Name, object? Default)> parameters)
    {
        if (Positional.Count > parameters.Length)
        {
            throw Error(function, $"takes at most {parameters.Length} arguments, {Positional.Count} were given");
        }
        var values = new object?[parameters.Length];
        for (int i = 0; i < values.Length; i++)
        {
            string name = parameters[i].Name;
            int named = Named.FindIndex(n => n.Name == name);
            if (i < Positional.Count && named >= 0)
            {
                throw Error(function, $"has two values for '{name}'");
            }
            values[i] = i < Positional.Count ? Positional[i] : named >= 0 ? Named[named].Value : parameters[i].Default;
            if (ReferenceEquals(values[i], Required))
            {
                throw Error(function, $"needs the argument '{name}'");
            }
        }
        foreach ((string name, _) in Named)
        {
            bool known = false;
            foreach ((string parameter, _) in parameters)
            {
                known |= parameter == name;
            }
            if (!known)
            {
                throw Error(function, $"has no parameter '{name}'");
            }
        }
        return values;
    }

    /// <summary>Values by place only, as most methods of Python's own types take them.</summary>
    public object?[] Places(string function, int min, int max)
    {
        if (Named.Count > 0)
        {
            throw Error(function, "takes no arguments by name");
        }
        if (Positional.Count < min || Positional.Count > max)
        {
            throw Error(function, $"takes {(min == max ? min : $"{min} to {max}")} arguments, {Positional.Count} were given");
        }
        var values = new object?[max];
        Positional.CopyTo(values);
        return values;
    }

    private static ChatTemplateException Error(string function, string problem) => new(ChatTemplateError.Runtime, $"{function} {problem}");
}
