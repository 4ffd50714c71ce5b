namespace Banyan.Ops;

/// <summary>The letters of each operand and of the output. The dimensions of "..." get the digits 0 to 7, aligned at the right.</summary>
internal sealed class EinsumEquation
{
    private const string Ellipsis = "...", Arrow = "->";

    public required string[] Inputs { get; init; }

    public required string Output { get; init; }

    /// <summary>Reads an equation and checks it against the operands.</summary>
    public static EinsumEquation Parse(string equation, ReadOnlySpan<Tensor> operands)
    {
        string text = equation.Replace(" ", "");
        int arrow = text.IndexOf(Arrow, StringComparison.Ordinal);
        string[] inputs = (arrow < 0 ? text : text[..arrow]).Split(',');
        if (inputs.Length != operands.Length || operands.Length == 0)
        {
            throw new ArgumentException($"einsum: '{equation}' names {inputs.Length} operands, {operands.Length} are given");
        }
        int most = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            int open = OpenDimensions(equation, inputs[i], operands[i]);
            most = Math.Max(most, open);
            inputs[i] = Expand(inputs[i], open);
        }
        string output = arrow < 0 ? Implicit(inputs, most) : Expand(text[(arrow + Arrow.Length)..], most);
        CheckOutput(equation, inputs, output);
        CheckSizes(equation, inputs, operands);
        return new EinsumEquation { Inputs = inputs, Output = output };
    }

    // How many dimensions "..." stands for in one operand.
    private static int OpenDimensions(string equation, string term, Tensor x)
    {
        bool open = term.Contains(Ellipsis);
        string letters = open ? term.Remove(term.IndexOf(Ellipsis, StringComparison.Ordinal), Ellipsis.Length) : term;
        if (!letters.All(char.IsAsciiLetter))
        {
            throw new ArgumentException($"einsum: '{term}' in '{equation}' may hold letters and one '...' only");
        }
        int rest = x.Rank - letters.Length;
        return rest == 0 || (rest > 0 && open)
            ? rest
            : throw new ArgumentException($"einsum: '{term}' in '{equation}' names {letters.Length} dimensions, the operand is {x.Shape}");
    }

    private static string Expand(string term, int open) => term.Replace(Ellipsis, Digits(open));

    private static string Digits(int count) => "76543210"[^count..];

    private static string Implicit(string[] inputs, int open)
    {
        string all = string.Concat(inputs);
        return Digits(open) + string.Concat(all.Where(l => char.IsAsciiLetter(l) && all.IndexOf(l) == all.LastIndexOf(l)).Order());
    }

    private static void CheckOutput(string equation, string[] inputs, string output)
    {
        foreach (char letter in output)
        {
            if (!inputs.Any(i => i.Contains(letter)) || output.IndexOf(letter) != output.LastIndexOf(letter))
            {
                throw new ArgumentException($"einsum: the output of '{equation}' must name dimensions of the operands, each once; '{letter}' is not so");
            }
        }
    }

    private static void CheckSizes(string equation, string[] inputs, ReadOnlySpan<Tensor> operands)
    {
        var sizes = new Dictionary<char, long>();
        for (int i = 0; i < inputs.Length; i++)
        {
            for (int d = 0; d < inputs[i].Length; d++)
            {
                long size = operands[i].Shape[d];
                long known = sizes.GetValueOrDefault(inputs[i][d], 1);
                if (size != known && size != 1 && known != 1)
                {
                    throw new ArgumentException($"einsum: '{inputs[i][d]}' in '{equation}' is {known} and {size}");
                }
                sizes[inputs[i][d]] = known == 1 ? size : known;
            }
        }
    }
}
