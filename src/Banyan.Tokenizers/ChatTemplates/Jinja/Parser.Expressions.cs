using System.Globalization;
using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Expressions, by falling precedence from the conditional down to literals.</summary>
internal sealed partial class Parser
{
    private Expression ParseExpression(bool conditional = true)
    {
        using var level = Enter();
        return conditional ? ParseConditional() : ParseOr();
    }

    private Expression ParseConditional()
    {
        int firstUnknown = _unknown.Count;
        Expression value = ParseOr();
        while (SkipName("if"))
        {
            bool soft = _soft;
            _soft = true;
            Soften(firstUnknown);
            Expression test = ParseOr();
            Expression? other = null;
            if (SkipName("else"))
            {
                using var level = Enter();
                other = ParseConditional();
            }
            value = Checked(new Conditional(test.Position, test, value, other));
            _soft = soft;
        }
        return value;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (SkipName("or"))
        {
            left = Checked(new Logical(left.Position, IsAnd: false, left, ParseAnd()));
        }
        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (SkipName("and"))
        {
            left = Checked(new Logical(left.Position, IsAnd: true, left, ParseNot()));
        }
        return left;
    }

    private Expression ParseNot()
    {
        int position = Current.Position;
        if (!SkipName("not"))
        {
            return ParseComparison();
        }
        using var level = Enter();
        return Checked(new Unary(position, "not", ParseNot()));
    }

    private Expression ParseComparison()
    {
        Expression first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Current.Value is "==" or "!=" or "<" or "<=" or ">" or ">=")
            {
                rest.Add((Next().Value, ParseSum()));
            }
            else if (SkipName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (Current.IsName("not") && Look.IsName("in"))
            {
                Next();
                Next();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : Checked(new Comparison(first.Position, first, rest));
            }
        }
    }

    private Expression ParseSum() => ParseChain(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        Expression first = ParseProduct();
        if (!Current.IsOperator("~"))
        {
            return first;
        }
        var items = new List<Expression> { first };
        while (SkipOperator("~"))
        {
            items.Add(ParseProduct());
        }
        return Checked(new Concatenation(first.Position, items));
    }

    private Expression ParseProduct() => ParseChain(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseChain(() => ParseUnary(filters: true), "**");

    // Every binary operator is left-associative, the power too.
    private Expression ParseChain(Func<Expression> operand, params ReadOnlySpan<string> operators)
    {
        Expression left = operand();
        while (Current.Kind == TokenKind.Operator && operators.Contains(Current.Value))
        {
            string op = Next().Value;
            left = Checked(new Binary(left.Position, op, left, operand()));
        }
        return left;
    }

    private Expression ParseUnary(bool filters)
    {
        int position = Current.Position;
        Expression value;
        if (Current.IsOperator("-") || Current.IsOperator("+"))
        {
            using var level = Enter();
            string op = Next().Value;
            value = Checked(new Unary(position, op, ParseUnary(filters: false)));
        }
        else
        {
            value = ParsePrimary();
        }
        value = ParsePostfix(value);
        return filters ? ParseFilters(value) : value;
    }

    private Expression ParsePrimary()
    {
        Token token = Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => new Constant(token.Position, true),
                    "false" or "False" => new Constant(token.Position, false),
                    "none" or "None" => new Constant(token.Position, null),
                    _ => UseName(token),
                };
            case TokenKind.Text:
                string text = token.Value;
                while (Current.Kind == TokenKind.Text)
                {
                    text += Next().Value;
                }
                return new Constant(token.Position, text);
            case TokenKind.Integer:
                return new Constant(token.Position, Integer(token));
            case TokenKind.Float:
                return new Constant(token.Position, double.Parse(token.Value.Replace("_", ""), CultureInfo.InvariantCulture));
        }
        if (token.IsOperator("("))
        {
            Expression inner = ParseTuple(explicitParentheses: true);
            Expect(")");
            return inner;
        }
        return token.IsOperator("[") ? ParseList(token.Position)
            : token.IsOperator("{") ? ParseDict(token.Position)
            : throw Fail($"unexpected '{token.Describe()}'", token.Position);
    }

    private Name UseName(Token token)
    {
        _uses = new MacroUses(_uses.Caller || token.Value == "caller", _uses.Varargs || token.Value == "varargs", _uses.Kwargs || token.Value == "kwargs");
        return new Name(token.Position, token.Value);
    }

    private static BigInteger Integer(Token token)
    {
        string digits = token.Value.Replace("_", "").ToLowerInvariant();
        if (digits.Length > 4300)
        {
            throw new JinjaSyntaxError("the number has more than 4300 digits", token.Position);
        }
        int radix = digits.Length < 2 ? 10 : digits[1] switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 };
        return radix == 10 ? BigInteger.Parse(digits, CultureInfo.InvariantCulture) : PythonText.ParseDigits(digits.AsSpan(2), radix)!.Value;
    }

    private ListNode ParseList(int position)
    {
        var items = new List<Expression>();
        while (!Current.IsOperator("]"))
        {
            if (items.Count > 0)
            {
                Expect(",");
            }
            if (Current.IsOperator("]"))
            {
                break;
            }
            items.Add(ParseExpression());
        }
        Expect("]");
        return Checked(new ListNode(position, items));
    }

    private DictNode ParseDict(int position)
    {
        var items = new List<(Expression, Expression)>();
        while (!Current.IsOperator("}"))
        {
            if (items.Count > 0)
            {
                Expect(",");
            }
            if (Current.IsOperator("}"))
            {
                break;
            }
            Expression key = ParseExpression();
            Expect(":");
            items.Add((key, ParseExpression()));
        }
        Expect("}");
        return Checked(new DictNode(position, items));
    }

    // One expression, or several with commas between: a tuple.
    private Expression ParseTuple(bool simplified = false, bool conditional = true, string? endName = null, bool explicitParentheses = false, bool withNamespace = false)
    {
        using var level = Enter();
        int position = Current.Position;
        var items = new List<Expression>();
        bool isTuple = false;
        while (true)
        {
            if (items.Count > 0)
            {
                Expect(",");
            }
            if (Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || Current.IsOperator(")") || (endName != null && (Current.IsName(endName) || Current.IsName("recursive") && endName == "if")))
            {
                break;
            }
            items.Add(simplified ? ParseTargetPrimary(withNamespace) : ParseExpression(conditional));
            if (!Current.IsOperator(","))
            {
                break;
            }
            isTuple = true;
        }
        if (!isTuple && items.Count == 1)
        {
            return items[0];
        }
        if (!isTuple && !explicitParentheses)
        {
            throw Fail($"expected an expression, got '{Current.Describe()}'", Current.Position);
        }
        return Checked(new TupleNode(position, items));
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (Current.IsOperator(".") || Current.IsOperator("["))
            {
                value = ParseSubscript(value);
            }
            else if (Current.IsOperator("("))
            {
                value = Checked(new CallNode(value.Position, value, ParseArguments()));
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseFilters(Expression value)
    {
        while (true)
        {
            if (Current.IsOperator("|"))
            {
                value = ParseFilter(value, inline: false)!;
            }
            else if (Current.IsName("is"))
            {
                value = ParseTest(value);
            }
            else if (Current.IsOperator("("))
            {
                value = Checked(new CallNode(value.Position, value, ParseArguments()));
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseSubscript(Expression value)
    {
        int position = Next().Position;
        if (_tokens[_at - 1].IsOperator("."))
        {
            Token name = Next();
            return name.Kind switch
            {
                TokenKind.Name => Checked(new AttributeNode(position, value, name.Value)),
                TokenKind.Integer => Checked(new ItemNode(position, value, new Constant(name.Position, Integer(name)))),
                _ => throw Fail("expected name or number", name.Position),
            };
        }
        var keys = new List<Expression>();
        while (!Current.IsOperator("]"))
        {
            if (keys.Count > 0)
            {
                Expect(",");
            }
            keys.Add(ParseSubscripted());
        }
        Expect("]");
        return Checked(new ItemNode(position, value, keys.Count == 1 ? keys[0] : new TupleNode(position, keys)));
    }

    private Expression ParseSubscripted()
    {
        int position = Current.Position;
        Expression? start = null;
        if (!SkipOperator(":"))
        {
            start = ParseExpression();
            if (!SkipOperator(":"))
            {
                return start;
            }
        }
        Expression? stop = Current.IsOperator(":") || AtSliceEnd ? null : ParseExpression();
        Expression? step = SkipOperator(":") && !AtSliceEnd ? ParseExpression() : null;
        return new SliceNode(position, start, stop, step);
    }

    private bool AtSliceEnd => Current.IsOperator("]") || Current.IsOperator(",");

    private CallArguments ParseArguments()
    {
        int start = Current.Position;
        Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? morePositional = null, moreNamed = null;
        bool first = true;
        while (!Current.IsOperator(")"))
        {
            if (!first)
            {
                Expect(",");
                if (Current.IsOperator(")"))
                {
                    break;
                }
            }
            first = false;
            bool valid;
            if (SkipOperator("*"))
            {
                valid = morePositional is null && moreNamed is null;
                morePositional = ParseExpression();
            }
            else if (SkipOperator("**"))
            {
                valid = moreNamed is null;
                moreNamed = ParseExpression();
            }
            else if (Current.Kind == TokenKind.Name && Look.IsOperator("="))
            {
                valid = moreNamed is null;
                string name = Next().Value;
                Next();
                if (named.Exists(n => n.Item1 == name))
                {
                    throw Fail($"the argument '{name}' is given twice", start);
                }
                named.Add((name, ParseExpression()));
            }
            else
            {
                valid = morePositional is null && moreNamed is null && named.Count == 0;
                positional.Add(ParseExpression());
            }
            if (!valid)
            {
                throw Fail("invalid order of arguments in a call", start);
            }
        }
        Expect(")");
        return new CallArguments(positional, named, morePositional, moreNamed);
    }

    // A chain of filters; the first follows without a bar at the head of a block.
    private FilterNode? ParseFilter(Expression? input, bool inline)
    {
        Expression? value = input;
        while (inline || Current.IsOperator("|"))
        {
            if (!inline)
            {
                Next();
            }
            inline = false;
            Token name = ExpectName();
            string id = ParseDotted(name.Value);
            CallArguments arguments = Current.IsOperator("(") ? ParseArguments() : CallArguments.None;
            if (!Filters.Exists(id))
            {
                _unknown.Add(new Unknown($"no filter is named '{id}'", name.Position, _soft));
            }
            value = Checked(new FilterNode(name.Position, value, id, arguments));
        }
        return value as FilterNode;
    }

    private string ParseDotted(string id)
    {
        while (SkipOperator("."))
        {
            id += "." + ExpectName().Value;
        }
        return id;
    }

    private TestNode ParseTest(Expression input)
    {
        Next();
        bool negated = SkipName("not");
        Token name = ExpectName();
        string id = ParseDotted(name.Value);
        CallArguments arguments = CallArguments.None;
        if (Current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if ((Current.Kind is TokenKind.Name or TokenKind.Text or TokenKind.Integer or TokenKind.Float || Current.IsOperator("(") || Current.IsOperator("[") || Current.IsOperator("{"))
            && !Current.IsName("else") && !Current.IsName("or") && !Current.IsName("and"))
        {
            if (Current.IsName("is"))
            {
                throw Fail("tests cannot be chained with 'is'", Current.Position);
            }
            using var level = Enter();
            arguments = CallArguments.None with { Positional = [ParsePostfix(ParsePrimary())] };
        }
        if (!Tests.Exists(id))
        {
            _unknown.Add(new Unknown($"no test is named '{id}'", name.Position, _soft));
        }
        return Checked(new TestNode(name.Position, input, id, arguments, negated));
    }
}
