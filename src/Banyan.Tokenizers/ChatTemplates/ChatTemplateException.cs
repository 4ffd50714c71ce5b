namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>Why a chat template failed.</summary>
public enum ChatTemplateError
{
    /// <summary>The template is not valid Jinja, or names a filter or test that does not exist.</summary>
    Syntax,

    /// <summary>The template reached for something that templates may not have.</summary>
    Security,

    /// <summary>A value that does not exist was used.</summary>
    Undefined,

    /// <summary>The template itself refused the conversation (<c>raise_exception</c>).</summary>
    Raised,

    /// <summary>An operation failed: wrong types, division by zero, and the like.</summary>
    Runtime,

    /// <summary>A limit of <see cref="ChatTemplateOptions"/> was reached.</summary>
    Limit,
}

/// <summary>A chat template could not be read or did not render.</summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(ChatTemplateError kind, string problem)
        : this(kind, problem, 0, 0)
    {
    }

    internal ChatTemplateException(ChatTemplateError kind, string problem, int line, int column)
        : base(line == 0 ? problem : $"chat template, line {line}, column {column}: {problem}")
    {
        (Kind, Problem, Line, Column) = (kind, problem, line, column);
    }

    /// <summary>What went wrong.</summary>
    public ChatTemplateError Kind { get; }

    /// <summary>The message without the place; for <see cref="ChatTemplateError.Raised"/> what the template's author wrote.</summary>
    public string Problem { get; }

    /// <summary>Line of the template, from 1; 0 where there is none.</summary>
    public int Line { get; }

    /// <summary>Column in UTF-16 units, from 1; 0 where there is none.</summary>
    public int Column { get; }
}
