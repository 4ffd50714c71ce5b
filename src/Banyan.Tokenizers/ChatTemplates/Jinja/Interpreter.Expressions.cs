using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

internal sealed partial class Interpreter
{
    private object? Evaluate(Expression node, Scope scope)
    {
        using Fuel.Level level = _fuel.Enter();
        _fuel.Step();
        Position = node.Position;
        switch (node)
        {
            case Constant constant: return constant.Value;
            case Name name: return Lookup(name.Id, scope);
            case TupleNode tuple: return new TemplateTuple([.. tuple.Items.Select(i => Evaluate(i, scope))]);
            case ListNode list: return new TemplateList([.. list.Items.Select(i => Evaluate(i, scope))]);
            case DictNode dict: return NewDict(dict, scope);
            case Conditional c:
                return Operators.IsTrue(Evaluate(c.Test, scope)) ? Evaluate(c.Then, scope)
                    : c.Else is null ? new Undefined("the inline if-expression was false and has no else") : Evaluate(c.Else, scope);
            case Logical l: return Evaluate(l.Left, scope) is var left && Operators.IsTrue(left) == l.IsAnd ? Evaluate(l.Right, scope) : left;
            case Unary u: return Apply(u, Evaluate(u.Operand, scope));
            case Binary b: return Apply(b, Evaluate(b.Left, scope), Evaluate(b.Right, scope));
            case Comparison c: return Compare(c, scope);
            case Concatenation c: return Concatenate(c, scope);
            case AttributeNode a: return At(a, Attributes.Get(Evaluate(a.Object, scope), a.Id, _fuel));
            case ItemNode i: return Item(i, scope);
            case CallNode call: return Call(call, scope, caller: null);
            case FilterNode f: return At(f, Filters.Apply(f.Id, Evaluate(f.Input!, scope), EvaluateArguments(f.Arguments, scope), _fuel));
            case TestNode t: return Tests.Apply(t.Id, Evaluate(t.Input, scope), EvaluateArguments(t.Arguments, scope), _fuel) != t.Negated;
            default: throw Operators.Error("a slice is only allowed in brackets");
        }
    }

    private object? At(Node node, object? value)
    {
        Position = node.Position;
        return value;
    }

    private object? Lookup(string id, Scope scope) =>
        scope.TryGet(id, out object? value) || _globals.TryGetValue(id, out value) ? value : new Undefined($"'{id}' is undefined");

    private TemplateDict NewDict(DictNode node, Scope scope)
    {
        var dict = new TemplateDict();
        foreach ((Expression key, Expression value) in node.Items)
        {
            object? k = Evaluate(key, scope);
            dict.Items[new Key(k)] = Evaluate(value, scope);
        }
        return dict;
    }

    private object? Apply(Unary node, object? value)
    {
        Position = node.Position;
        return node.Operator switch { "not" => !Operators.IsTrue(value), "-" => Operators.Negate(value), _ => Operators.Plus(value) };
    }

    private object? Apply(Binary node, object? left, object? right)
    {
        Position = node.Position;
        return Operators.Apply(node.Operator, left, right, _fuel);
    }

    private object Compare(Comparison node, Scope scope)
    {
        object? left = Evaluate(node.First, scope);
        foreach ((string op, Expression operand) in node.Rest)
        {
            object? right = Evaluate(operand, scope);
            Position = node.Position;
            if (!Operators.Test(op, left, right, _fuel))
            {
                return false;
            }
            left = right;
        }
        return true;
    }

    private object Concatenate(Concatenation node, Scope scope)
    {
        var text = new StringBuilder();
        foreach (Expression item in node.Items)
        {
            string part = PythonText.Str(Evaluate(item, scope), _fuel);
            _fuel.Text(part.Length);
            _fuel.CheckLength(text.Length + (long)part.Length);
            text.Append(part);
        }
        return text.ToString();
    }

    private object? Item(ItemNode node, Scope scope)
    {
        object? value = Evaluate(node.Object, scope);
        if (node.Key is not SliceNode slice)
        {
            object? key = Evaluate(node.Key, scope);
            Position = node.Position;
            return Attributes.Item(value, key, _fuel);
        }
        object? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope);
        return Attributes.Slice(value, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step), _fuel);
    }

    private object? Call(CallNode node, Scope scope, Function? caller)
    {
        object? function = Evaluate(node.Function, scope);
        Arguments arguments = EvaluateArguments(node.Arguments, scope);
        if (caller is not null)
        {
            arguments.Named.Add(("caller", caller));
        }
        Position = node.Position;
        return function switch
        {
            Function f => f.Call(arguments),
            LoopState loop => loop.Call(arguments),
            Undefined u => throw u.Error(),
            _ => throw Operators.Error($"'{Operators.TypeName(function)}' object is not callable"),
        };
    }

    private Arguments EvaluateArguments(CallArguments arguments, Scope scope)
    {
        var values = new Arguments([.. arguments.Positional.Select(p => Evaluate(p, scope))], [.. arguments.Named.Select(n => (n.Name, Evaluate(n.Value, scope)))]);
        if (arguments.MorePositional is not null)
        {
            values.Positional.AddRange(Operators.Iterate(Evaluate(arguments.MorePositional, scope), _fuel));
        }
        if (arguments.MoreNamed is not null)
        {
            TemplateDict more = Evaluate(arguments.MoreNamed, scope) as TemplateDict ?? throw Operators.Error("the argument after ** must be a mapping");
            foreach ((Key key, object? value) in more.Items)
            {
                string name = Operators.TextOf(key.Value) ?? throw Operators.Error("keywords must be strings");
                if (values.Named.Exists(n => n.Name == name))
                {
                    throw Operators.Error($"got multiple values for keyword argument '{name}'");
                }
                values.Named.Add((name, value));
            }
        }
        return values;
    }

    private MacroFunction NewMacro(Macro macro, Scope scope) => new(macro, arguments => CallMacro(macro, arguments, scope));

    private object CallMacro(Macro macro, Arguments arguments, Scope outer)
    {
        var scope = new Scope(outer);
        var named = arguments.Named.ToList();
        object? Take(string name, object? absent)
        {
            int index = named.FindIndex(n => n.Name == name);
            object? value = index < 0 ? absent : named[index].Value;
            if (index >= 0)
            {
                named.RemoveAt(index);
            }
            return value;
        }
        int defaults = macro.Parameters.Count - macro.Defaults.Count;
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            string name = macro.Parameters[i];
            object? value = i < arguments.Positional.Count ? arguments.Positional[i] : Take(name, Arguments.Required);
            if (ReferenceEquals(value, Arguments.Required))
            {
                value = i >= defaults ? Evaluate(macro.Defaults[i - defaults], scope) : new Undefined($"parameter '{name}' was not provided");
            }
            scope.Set(name, value);
        }
        object? caller = Take("caller", null);
        if (macro.Uses.Caller)
        {
            scope.Set("caller", caller ?? new Undefined("no caller defined"));
        }
        else if (caller is not null)
        {
            throw Operators.Error($"macro '{macro.Id}' takes no argument 'caller': it does not mention it");
        }
        BindRest(macro, arguments, named, scope);
        return Captured(macro.Body, scope);
    }

    private static void BindRest(Macro macro, Arguments arguments, List<(string Name, object? Value)> named, Scope scope)
    {
        object?[] rest = [.. arguments.Positional.Skip(macro.Parameters.Count)];
        if (rest.Length > 0 && !macro.Uses.Varargs)
        {
            throw Operators.Error($"macro '{macro.Id}' takes not more than {macro.Parameters.Count} argument(s)");
        }
        if (named.Count > 0 && !macro.Uses.Kwargs)
        {
            throw Operators.Error($"macro '{macro.Id}' takes no keyword argument '{named[0].Name}'");
        }
        var kwargs = new TemplateDict();
        named.ForEach(n => kwargs[n.Name] = n.Value);
        if (macro.Uses.Varargs)
        {
            scope.Set("varargs", new TemplateTuple(rest));
        }
        if (macro.Uses.Kwargs)
        {
            scope.Set("kwargs", kwargs);
        }
    }
}

/// <summary>A macro as a value.</summary>
internal sealed class MacroFunction(Macro macro, Func<Arguments, object?> body) : Function(macro.Id, body)
{
    public IReadOnlyList<string> Parameters => macro.Parameters;

    public MacroUses Uses => macro.Uses;
}
