namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>A part of a template's tree. <paramref name="Position"/> is the index in the source, for errors.</summary>
internal abstract record Node(int Position);

/// <summary>Something with a value.</summary>
internal abstract record Expression(int Position) : Node(Position);

internal sealed record Constant(int Position, object? Value) : Expression(Position);

internal sealed record Name(int Position, string Id) : Expression(Position);

/// <summary><c>namespace.attribute</c> as the target of <c>set</c>.</summary>
internal sealed record NamespaceTarget(int Position, string Id, string Attribute) : Expression(Position);

internal sealed record TupleNode(int Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record ListNode(int Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record DictNode(int Position, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Position);

internal sealed record Conditional(int Position, Expression Test, Expression Then, Expression? Else) : Expression(Position);

/// <summary><c>and</c> or <c>or</c>.</summary>
internal sealed record Logical(int Position, bool IsAnd, Expression Left, Expression Right) : Expression(Position);

/// <summary><c>not</c>, <c>-</c> or <c>+</c>.</summary>
internal sealed record Unary(int Position, string Operator, Expression Operand) : Expression(Position);

internal sealed record Binary(int Position, string Operator, Expression Left, Expression Right) : Expression(Position);

/// <summary><c>a &lt; b &lt;= c</c>: every operand is evaluated once.</summary>
internal sealed record Comparison(int Position, Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression(Position);

internal sealed record Concatenation(int Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record AttributeNode(int Position, Expression Object, string Id) : Expression(Position);

internal sealed record ItemNode(int Position, Expression Object, Expression Key) : Expression(Position);

internal sealed record SliceNode(int Position, Expression? Start, Expression? Stop, Expression? Step) : Expression(Position);

internal sealed record CallNode(int Position, Expression Function, CallArguments Arguments) : Expression(Position);

/// <summary>A filter; <paramref name="Input"/> is null at the head of a filter block.</summary>
internal sealed record FilterNode(int Position, Expression? Input, string Id, CallArguments Arguments) : Expression(Position);

internal sealed record TestNode(int Position, Expression Input, string Id, CallArguments Arguments, bool Negated) : Expression(Position);

internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? MorePositional, Expression? MoreNamed)
{
    public static readonly CallArguments None = new([], [], null, null);
}

/// <summary>A whole template, and its blocks by name.</summary>
internal sealed record TemplateTree(IReadOnlyList<Statement> Body, IReadOnlyDictionary<string, BlockStatement> Blocks);

internal abstract record Statement(int Position) : Node(Position);

internal sealed record DataStatement(int Position, string Text) : Statement(Position);

internal sealed record PrintStatement(int Position, Expression Value) : Statement(Position);

internal sealed record IfStatement(int Position, IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else)
    : Statement(Position);

internal sealed record ForStatement(int Position, Expression Target, Expression Items, Expression? Filter, bool Recursive, IReadOnlyList<Statement> Body,
    IReadOnlyList<Statement> Else) : Statement(Position);

internal sealed record SetStatement(int Position, Expression Target, Expression Value) : Statement(Position);

/// <summary><c>set</c> with a body; <paramref name="Filter"/> is a chain whose head has no input, or null.</summary>
internal sealed record SetBlock(int Position, Expression Target, FilterNode? Filter, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record WithStatement(int Position, IReadOnlyList<(Expression Target, Expression Value)> Values, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record MacroStatement(int Position, Macro Macro) : Statement(Position);

/// <summary>What a macro, or the body of a call block, is made of. Defaults belong to the last parameters.</summary>
internal sealed record Macro(string Id, IReadOnlyList<string> Parameters, IReadOnlyList<Expression> Defaults, IReadOnlyList<Statement> Body, MacroUses Uses);

/// <summary>Which special names the body mentions: only then the macro takes such arguments.</summary>
internal readonly record struct MacroUses(bool Caller, bool Varargs, bool Kwargs);

internal sealed record CallBlock(int Position, CallNode Call, Macro Caller) : Statement(Position);

internal sealed record FilterBlock(int Position, FilterNode Filter, IReadOnlyList<Statement> Body) : Statement(Position);

/// <summary>What the assistant wrote: its place in the output is recorded.</summary>
internal sealed record GenerationBlock(int Position, IReadOnlyList<Statement> Body) : Statement(Position);

/// <summary>A block without inheritance: its body, which sees only the variables of the top level unless it is scoped.</summary>
internal sealed record BlockStatement(int Position, string Id, bool Scoped, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record AutoescapeBlock(int Position, Expression On, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record LoopJump(int Position, bool IsBreak) : Statement(Position);

/// <summary>A statement that needs other templates: an error when reached.</summary>
internal sealed record LoaderStatement(int Position) : Statement(Position);
