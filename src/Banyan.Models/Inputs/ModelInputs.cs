using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>Named arguments of a forward call, by the names that transformers gives them (<c>input_ids</c>, <c>labels</c>, <c>pixel_values</c>).</summary>
public sealed class ModelInputs
{
    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly HashSet<string> _read = [];

    /// <summary>Wraps the arguments.</summary>
    public ModelInputs(IReadOnlyDictionary<string, Tensor> tensors) => _tensors = tensors;

    /// <summary>An argument that must be there.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public Tensor Require(string name) => Find(name)
        ?? throw new ArgumentException($"the model needs the input '{name}'; given are {string.Join(", ", _tensors.Keys)}{NearestName.Hint(name, _tensors.Keys)}");

    /// <summary>An argument, or null.</summary>
    public Tensor? Find(string name)
    {
        _read.Add(name);
        return _tensors.GetValueOrDefault(name);
    }

    /// <summary>
    /// The tokens: <c>input_ids</c> (..., T) with <c>attention_mask</c>, <c>position_ids</c> and <c>token_type_ids</c> where given; leading
    /// dimensions count as one batch.
    /// </summary>
    /// <param name="scope">Owner of the tensors.</param>
    /// <param name="types">Whether the model knows token types.</param>
    public TokenBatch Tokens(Scope scope, bool types = false)
    {
        Tensor ids = Require("input_ids");
        long length = ids.Rank == 0 ? 1 : ids.Shape[-1];
        Tensor? Rows(string name) => Find(name)?.Reshape(-1, length);
        return TokenBatch.Rectangle(ids.Reshape(-1, length), Rows("attention_mask"), Rows("position_ids"), scope, types ? Rows("token_type_ids") : null);
    }

    /// <summary>The tokens that <c>global_attention_mask</c> (B, T) marks, row by row, or null where there is none.</summary>
    public bool[]? GlobalTokens() => Find("global_attention_mask") is { } mask ? Array.ConvertAll(mask.ToDoubles(), m => m != 0) : null;

    /// <summary>Throws when an argument was given that the model did not look at.</summary>
    public void CheckAllRead()
    {
        if (_tensors.Keys.FirstOrDefault(k => !_read.Contains(k)) is { } unknown)
        {
            throw new ArgumentException($"the model has no input '{unknown}'; it takes {string.Join(", ", _read.Order())}");
        }
    }
}

/// <summary>What a forward call gives: named tensors, the loss among them where labels were given.</summary>
public sealed class ModelOutputs
{
    private readonly List<(string Name, Tensor Value)> _tensors = [];

    /// <summary>The outputs by the names that transformers gives them, in its order.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Tensors => _tensors;

    /// <summary>The loss (0-d), or null.</summary>
    public Tensor? Loss => Find("loss");

    /// <summary>An output, or null.</summary>
    public Tensor? Find(string name) => _tensors.FirstOrDefault(t => t.Name == name).Value;

    /// <summary>Adds an output unless it is null; returns this.</summary>
    public ModelOutputs With(string name, Tensor? value)
    {
        if (value is not null)
        {
            _tensors.Add((name, value));
        }
        return this;
    }
}
