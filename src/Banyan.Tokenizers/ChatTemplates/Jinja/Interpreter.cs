using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Renders the tree of a template once.</summary>
internal sealed partial class Interpreter
{
    private enum Flow { Next, Break, Continue }

    private readonly Fuel _fuel;
    private readonly Dictionary<string, object?> _globals;
    private readonly Scope _top = new(null);
    private readonly StringBuilder _output = new();
    private StringBuilder _to;
    private bool _autoescape;

    public Interpreter(ChatTemplateOptions options, IEnumerable<KeyValuePair<string, object?>> variables)
    {
        _fuel = new Fuel(options);
        _to = _output;
        _globals = Globals.Create(_fuel, options.Clock);
        foreach ((string name, object? value) in variables)
        {
            _globals[name] = value;
        }
    }

    /// <summary>Where the template is, for errors.</summary>
    public int Position { get; private set; }

    /// <summary>What the assistant wrote: start and length in the result, UTF-16 units.</summary>
    public List<(int Start, int Length)> Spans { get; } = [];

    public string Run(TemplateTree template)
    {
        if (template.Blocks.Count > 0)
        {
            _globals["self"] = BlocksOf(template);
        }
        Execute(template.Body, _top);
        return _output.ToString();
    }

    // self.name() prints a block once more.
    private Namespace BlocksOf(TemplateTree template)
    {
        var blocks = new Namespace();
        foreach ((string name, BlockStatement block) in template.Blocks)
        {
            blocks.Attributes[name] = new Function(name, _ => Captured(block.Body, _top));
        }
        return blocks;
    }

    private Flow Execute(IReadOnlyList<Statement> body, Scope scope)
    {
        using Fuel.Level level = _fuel.Enter();
        foreach (Statement statement in body)
        {
            _fuel.Step();
            Position = statement.Position;
            Flow flow = Execute(statement, scope);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }
        return Flow.Next;
    }

    private Flow Execute(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case DataStatement data: Write(data.Text); break;
            case PrintStatement print: Print(Evaluate(print.Value, scope)); break;
            case IfStatement branch: return If(branch, scope);
            case ForStatement loop: return For(loop, scope);
            case LoopJump jump: return jump.IsBreak ? Flow.Break : Flow.Continue;
            case SetStatement set: Assign(set.Target, Evaluate(set.Value, scope), scope); break;
            case SetBlock set: Assign(set.Target, Filtered(set.Filter, Captured(set.Body, scope), scope), scope); break;
            case WithStatement with: return With(with, scope);
            case MacroStatement macro: scope.Set(macro.Macro.Id, NewMacro(macro.Macro, scope)); break;
            case CallBlock call: Print(Call(call.Call, scope, NewMacro(call.Caller, scope))); break;
            case FilterBlock filter: Print(Filtered(filter.Filter, Captured(filter.Body, scope), scope)); break;
            case GenerationBlock generation: Generation(generation, scope); break;
            case BlockStatement block: return Execute(block.Body, new Scope(block.Scoped ? scope : _top));
            case AutoescapeBlock escape: return Autoescape(escape, scope);
            default: throw Operators.Error("a chat template cannot load other templates");
        }
        return Flow.Next;
    }

    private void Write(string text)
    {
        _fuel.Text(text.Length);
        _fuel.CheckLength(_to.Length + (long)text.Length);
        _to.Append(text);
    }

    private void Print(object? value) => Write(_autoescape ? Html.EscapeUnsafe(value, _fuel) : PythonText.Str(value, _fuel));

    // What a body prints, as a value.
    private object Captured(IReadOnlyList<Statement> body, Scope scope)
    {
        StringBuilder outer = _to;
        _to = new StringBuilder();
        Execute(body, new Scope(scope));
        string text = _to.ToString();
        _to = outer;
        return _autoescape ? new SafeText(text) : text;
    }

    private object? Filtered(FilterNode? filter, object? input, Scope scope)
    {
        if (filter is null)
        {
            return input;
        }
        object? inner = filter.Input is FilterNode before ? Filtered(before, input, scope) : input;
        Position = filter.Position;
        return Filters.Apply(filter.Id, inner, EvaluateArguments(filter.Arguments, scope), _fuel);
    }

    private Flow If(IfStatement branch, Scope scope)
    {
        foreach ((Expression test, IReadOnlyList<Statement> body) in branch.Branches)
        {
            if (Operators.IsTrue(Evaluate(test, scope)))
            {
                return Execute(body, scope);
            }
        }
        return Execute(branch.Else, scope);
    }

    private Flow For(ForStatement loop, Scope scope)
    {
        Loop(loop, Evaluate(loop.Items, scope), scope, 0);
        return Flow.Next;
    }

    private void Loop(ForStatement loop, object? source, Scope scope, int depth)
    {
        var items = new List<object?>();
        foreach (object? item in Operators.Iterate(source, _fuel))
        {
            if (loop.Filter is not null)
            {
                var test = new Scope(scope);
                test.Set("loop", new Undefined("the filter of a loop cannot see 'loop'"));
                Assign(loop.Target, item, test);
                if (!Operators.IsTrue(Evaluate(loop.Filter, test)))
                {
                    continue;
                }
            }
            items.Add(item);
        }
        string Recurse(object? children)
        {
            StringBuilder outer = _to;
            _to = new StringBuilder();
            Loop(loop, children, scope, depth + 1);
            string text = _to.ToString();
            _to = outer;
            return text;
        }
        var state = new LoopState(items, depth, loop.Recursive ? Recurse : null);
        while (state.MoveNext())
        {
            _fuel.Step();
            var round = new Scope(scope);
            round.Set("loop", state);
            Assign(loop.Target, state.Current, round);
            if (Execute(loop.Body, round) == Flow.Break)
            {
                break;
            }
        }
        if (items.Count == 0)
        {
            Execute(loop.Else, new Scope(scope));
        }
    }

    private void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case Name name:
                scope.Set(name.Id, value);
                break;
            case NamespaceTarget attribute:
                Namespace holder = Lookup(attribute.Id, scope) as Namespace ?? throw Operators.Error("attributes can only be assigned to a namespace");
                Globals.CheckAttribute(attribute.Attribute);
                holder.Attributes[attribute.Attribute] = value;
                break;
            case TupleNode tuple:
                object?[] items = value is Undefined u ? throw u.Error() : [.. Operators.Iterate(value, _fuel)];
                if (items.Length != tuple.Items.Count)
                {
                    throw Operators.Error($"expected {tuple.Items.Count} values to unpack, got {items.Length}");
                }
                for (int i = 0; i < items.Length; i++)
                {
                    Assign(tuple.Items[i], items[i], scope);
                }
                break;
        }
    }

    private Flow With(WithStatement with, Scope scope)
    {
        var inner = new Scope(scope);
        foreach ((Expression target, Expression value) in with.Values)
        {
            Assign(target, Evaluate(value, scope), inner);
        }
        return Execute(with.Body, inner);
    }

    private void Generation(GenerationBlock block, Scope scope)
    {
        int start = _output.Length;
        string text = PythonText.Str(Captured(block.Body, scope), _fuel);
        Spans.Add((start, text.Length));
        Write(text);
    }

    private Flow Autoescape(AutoescapeBlock block, Scope scope)
    {
        bool before = _autoescape;
        _autoescape = Operators.IsTrue(Evaluate(block.On, scope));
        Flow flow = Execute(block.Body, new Scope(scope));
        _autoescape = before;
        return flow;
    }
}
