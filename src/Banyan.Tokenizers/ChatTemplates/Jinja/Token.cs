namespace Banyan.Tokenizers.ChatTemplates.Jinja;

internal enum TokenKind
{
    Data, VariableBegin, VariableEnd, BlockBegin, BlockEnd,
    Name, Text, Integer, Float, Operator,
    End,
}

/// <summary>One piece of a template. <paramref name="Value"/> is the source, except for text literals, where it is the text.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, int Position)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Value == name;

    public bool IsOperator(string op) => Kind == TokenKind.Operator && Value == op;

    /// <summary>In words, for errors.</summary>
    public string Describe() => Kind switch
    {
        TokenKind.End => "end of template",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.Text => "a text",
        TokenKind.Integer => "integer",
        TokenKind.Float => "float",
        _ => Value,
    };
}
