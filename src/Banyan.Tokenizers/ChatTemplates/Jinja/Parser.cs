namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Makes the tree of a template: statements. Recursion is counted, and the depth of every tree too.</summary>
internal sealed partial class Parser
{
    private readonly List<Token> _tokens;
    private readonly int _maxDepth;
    private readonly List<Unknown> _unknown = [];
    private readonly Dictionary<string, BlockStatement> _blocks = [];
    private readonly Dictionary<Node, int> _depths = new(ReferenceEqualityComparer.Instance);
    private int _at, _level, _loops;
    private bool _soft;        // inside a condition: an unknown filter is an error only when reached
    private MacroUses _uses;

    // A filter or test that does not exist.
    private sealed record Unknown(string Problem, int Position, bool Soft);

    private Parser(List<Token> tokens, int maxDepth) => (_tokens, _maxDepth) = (tokens, maxDepth);

    /// <summary>Parses a normalized source.</summary>
    /// <exception cref="JinjaSyntaxError">It is not a template.</exception>
    public static TemplateTree Parse(string source, int maxDepth)
    {
        var parser = new Parser(Lexer.Run(source), maxDepth);
        List<Statement> body = parser.ParseBody();
        if (parser._unknown.Find(u => !u.Soft) is { } unknown)
        {
            throw new JinjaSyntaxError(unknown.Problem, unknown.Position);
        }
        return new TemplateTree(body, parser._blocks);
    }

    private Token Current => _tokens[_at];

    private Token Look => _tokens[Math.Min(_at + 1, _tokens.Count - 1)];

    private Token Next()
    {
        Token token = Current;
        _at = Math.Min(_at + 1, _tokens.Count - 1);
        return token;
    }

    private static JinjaSyntaxError Fail(string problem, int position) => new(problem, position);

    private bool SkipName(string name) => Skip(Current.IsName(name));

    private bool SkipOperator(string op) => Skip(Current.IsOperator(op));

    private bool Skip(bool matches)
    {
        if (matches)
        {
            Next();
        }
        return matches;
    }

    private void Expect(string op)
    {
        if (!SkipOperator(op))
        {
            throw Fail($"expected '{op}', got '{Current.Describe()}'", Current.Position);
        }
    }

    private Token ExpectName() => Current.Kind == TokenKind.Name ? Next() : throw Fail($"expected a name, got '{Current.Describe()}'", Current.Position);

    private void ExpectEnd(TokenKind kind)
    {
        if (Current.Kind != kind)
        {
            throw Fail($"expected '{new Token(kind, "", 0).Describe()}', got '{Current.Describe()}'", Current.Position);
        }
        Next();
    }

    private Level Enter()
    {
        if (++_level > _maxDepth)
        {
            throw Fail($"nested deeper than {_maxDepth} levels", Current.Position);
        }
        return new Level(this);
    }

    private readonly struct Level(Parser parser) : IDisposable
    {
        public void Dispose() => parser._level--;
    }

    // Chains such as a + b + c or a.b.c are loops here, but recursion for the interpreter.
    private T Checked<T>(T node) where T : Expression
    {
        int depth = 1 + Children(node).Select(c => c is null ? 0 : _depths.GetValueOrDefault(c)).DefaultIfEmpty().Max();
        if (depth > 2 * _maxDepth)
        {
            throw Fail($"the expression is deeper than {2 * _maxDepth} levels", node.Position);
        }
        _depths[node] = depth;
        return node;
    }

    private static Expression?[] Children(Expression node) => node switch
    {
        TupleNode t => [.. t.Items],
        ListNode l => [.. l.Items],
        DictNode d => [.. d.Items.Select(i => i.Key), .. d.Items.Select(i => i.Value)],
        Conditional c => [c.Test, c.Then, c.Else],
        Logical l => [l.Left, l.Right],
        Unary u => [u.Operand],
        Binary b => [b.Left, b.Right],
        Comparison c => [c.First, .. c.Rest.Select(r => r.Operand)],
        Concatenation c => [.. c.Items],
        AttributeNode a => [a.Object],
        ItemNode i => [i.Object, i.Key],
        CallNode c => [c.Function, .. Of(c.Arguments)],
        FilterNode f => [f.Input, .. Of(f.Arguments)],
        TestNode t => [t.Input, .. Of(t.Arguments)],
        _ => [],
    };

    private static Expression?[] Of(CallArguments a) => [.. a.Positional, .. a.Named.Select(n => n.Value), a.MorePositional, a.MoreNamed];

    private void Soften(int from)
    {
        for (int i = from; i < _unknown.Count; i++)
        {
            _unknown[i] = _unknown[i] with { Soft = true };
        }
    }

    // Statements up to one of the ending tags, which is left as the current token; up to the end without any.
    private List<Statement> ParseBody(params ReadOnlySpan<string> endings)
    {
        var body = new List<Statement>();
        while (Current.Kind != TokenKind.End)
        {
            Token token = Next();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataStatement(token.Position, token.Value));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new PrintStatement(token.Position, ParseTuple()));
                    ExpectEnd(TokenKind.VariableEnd);
                    break;
                default:
                    if (Current.Kind == TokenKind.Name && endings.Contains(Current.Value))
                    {
                        return body;
                    }
                    body.AddRange(ParseStatement());
                    ExpectEnd(TokenKind.BlockEnd);
                    break;
            }
        }
        if (endings.Length > 0)
        {
            throw Fail($"the template ends where {string.Join(" or ", endings.ToArray())} is missing", Current.Position);
        }
        return body;
    }

    // The body of a tag and its ending tag.
    private List<Statement> ParseBlock(string ending, bool frame = true)
    {
        bool soft = _soft;
        _soft &= !frame;
        List<Statement> body = ParseOpenBlock(ending);
        Next();
        _soft = soft;
        return body;
    }

    private List<Statement> ParseOpenBlock(params ReadOnlySpan<string> endings)
    {
        using var level = Enter();
        SkipOperator(":");
        ExpectEnd(TokenKind.BlockEnd);
        return ParseBody(endings);
    }

    private IEnumerable<Statement> ParseStatement()
    {
        Token tag = ExpectTag();
        return tag.Value switch
        {
            "if" => [ParseIf(tag)],
            "for" => [ParseFor(tag)],
            "set" => [ParseSet(tag)],
            "macro" => [ParseMacro(tag)],
            "call" => [ParseCall(tag)],
            "filter" => [new FilterBlock(tag.Position, ParseFilter(null, inline: true)!, ParseBlock("endfilter"))],
            "with" => [ParseWith(tag)],
            "generation" => [new GenerationBlock(tag.Position, ParseBlock("endgeneration"))],
            "block" => [ParseNamedBlock(tag)],
            "autoescape" => [new AutoescapeBlock(tag.Position, ParseExpression(), ParseBlock("endautoescape"))],
            "print" => ParsePrint(),
            "break" or "continue" => [ParseJump(tag)],
            "include" or "import" or "from" or "extends" => [ParseLoader(tag)],
            _ => throw Fail($"unknown tag '{tag.Value}'", tag.Position),
        };
    }

    private Token ExpectTag() => Current.Kind == TokenKind.Name ? Next() : throw Fail("a tag's name is expected", Current.Position);

    private IfStatement ParseIf(Token tag)
    {
        bool soft = _soft;
        _soft = true;
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        IReadOnlyList<Statement> other = [];
        while (true)
        {
            Expression test = ParseTuple(conditional: false);
            branches.Add((test, ParseOpenBlock("elif", "else", "endif")));
            string ending = Next().Value;
            if (ending == "else")
            {
                other = ParseBlock("endif", frame: false);
            }
            if (ending != "elif")
            {
                _soft = soft;
                return new IfStatement(tag.Position, branches, other);
            }
        }
    }

    private ForStatement ParseFor(Token tag)
    {
        Expression target = ParseTarget(endName: "in");
        if (!SkipName("in"))
        {
            throw Fail($"expected 'in', got '{Current.Describe()}'", Current.Position);
        }
        Expression items = ParseTuple(conditional: false, endName: "if");
        bool soft = _soft;
        _soft = false;
        Expression? filter = SkipName("if") ? ParseExpression() : null;
        bool recursive = SkipName("recursive");
        _loops++;
        List<Statement> body = ParseOpenBlock("endfor", "else");
        _loops--;
        List<Statement> other = Next().Value == "else" ? ParseBlock("endfor") : [];
        _soft = soft;
        return new ForStatement(tag.Position, target, items, filter, recursive, body, other);
    }

    private Statement ParseSet(Token tag)
    {
        Expression target = ParseTarget(withNamespace: true);
        if (SkipOperator("="))
        {
            return new SetStatement(tag.Position, target, ParseTuple());
        }
        FilterNode? filter = ParseFilter(null, inline: false);
        return new SetBlock(tag.Position, target, filter, ParseBlock("endset"));
    }

    private WithStatement ParseWith(Token tag)
    {
        var values = new List<(Expression, Expression)>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                Expect(",");
            }
            Expression target = ParseTarget();
            Expect("=");
            values.Add((target, ParseExpression()));
        }
        return new WithStatement(tag.Position, values, ParseBlock("endwith"));
    }

    private MacroStatement ParseMacro(Token tag)
    {
        string id = TargetName(Next());
        return new MacroStatement(tag.Position, ParseMacroBody(id, "endmacro"));
    }

    private Macro ParseMacroBody(string id, string ending, (List<string> Parameters, List<Expression> Defaults)? signature = null)
    {
        (MacroUses uses, int loops) = (_uses, _loops);
        (_uses, _loops) = (default, 0);
        (List<string> parameters, List<Expression> defaults) = signature ?? ParseSignature();
        List<Statement> body = ParseBlock(ending);
        var macro = new Macro(id, parameters, defaults, body, _uses);
        (_uses, _loops) = (uses, loops);
        return macro;
    }

    private (List<string> Parameters, List<Expression> Defaults) ParseSignature()
    {
        var parameters = new List<string>();
        var defaults = new List<Expression>();
        Expect("(");
        while (!Current.IsOperator(")"))
        {
            if (parameters.Count > 0)
            {
                Expect(",");
            }
            Token name = Next();
            parameters.Add(TargetName(name));
            if (SkipOperator("="))
            {
                defaults.Add(ParseExpression());
            }
            else if (defaults.Count > 0)
            {
                throw Fail("a parameter without default follows one with default", name.Position);
            }
        }
        Expect(")");
        return parameters.Distinct().Count() == parameters.Count ? (parameters, defaults) : throw Fail("a parameter is named twice", Current.Position);
    }

    private CallBlock ParseCall(Token tag)
    {
        (List<string>, List<Expression>) signature = Current.IsOperator("(") ? ParseSignature() : ([], []);
        Expression call = ParseExpression();
        return call is CallNode node
            ? new CallBlock(tag.Position, node, ParseMacroBody("caller", "endcall", signature))
            : throw Fail("expected a call", tag.Position);
    }

    private BlockStatement ParseNamedBlock(Token tag)
    {
        Token name = ExpectName();
        bool scoped = SkipName("scoped");
        SkipName("required");
        if (Current.IsOperator("-"))
        {
            throw Fail("a block's name has no hyphens", Current.Position);
        }
        if (!_blocks.TryAdd(name.Value, null!))
        {
            throw Fail($"the block '{name.Value}' is defined twice", tag.Position);
        }
        int loops = _loops;
        _loops = 0;
        List<Statement> body = ParseBlock("endblock");
        _loops = loops;
        SkipName(name.Value);
        return _blocks[name.Value] = new BlockStatement(tag.Position, name.Value, scoped, body);
    }

    private List<Statement> ParsePrint()
    {
        var values = new List<Statement>();
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                Expect(",");
            }
            values.Add(new PrintStatement(Current.Position, ParseExpression()));
        }
        return values;
    }

    private LoopJump ParseJump(Token tag) =>
        _loops > 0 ? new LoopJump(tag.Position, tag.Value == "break") : throw Fail($"'{tag.Value}' outside of a loop", tag.Position);

    private LoaderStatement ParseLoader(Token tag)
    {
        ParseExpression();
        if (tag.Value == "import" && !(SkipName("as") && Skip(Current.Kind == TokenKind.Name)))
        {
            throw Fail("import needs 'as' and a name", Current.Position);
        }
        if (tag.Value == "from" && !SkipName("import"))
        {
            throw Fail("from needs 'import'", Current.Position);
        }
        while (Current.Kind == TokenKind.Name || Current.IsOperator(","))
        {
            Next();
        }
        return new LoaderStatement(tag.Position);
    }

    private Expression ParseTarget(string? endName = null, bool withNamespace = false)
    {
        Expression target = ParseTuple(simplified: true, endName: endName, withNamespace: withNamespace);
        return CanAssign(target) ? target : throw Fail("this cannot be assigned to", target.Position);
    }

    private static bool CanAssign(Expression target) => target is Name or NamespaceTarget || (target is TupleNode tuple && tuple.Items.All(CanAssign));

    private Expression ParseTargetPrimary(bool withNamespace)
    {
        if (withNamespace && Current.Kind == TokenKind.Name && Look.IsOperator("."))
        {
            Token name = Next();
            Next();
            return new NamespaceTarget(name.Position, name.Value, ExpectName().Value);
        }
        return ParsePrimary();
    }

    private static string TargetName(Token token) =>
        token.Kind == TokenKind.Name && token.Value is not ("true" or "false" or "none" or "True" or "False" or "None")
            ? token.Value
            : throw Fail($"expected a name, got '{token.Describe()}'", token.Position);
}
