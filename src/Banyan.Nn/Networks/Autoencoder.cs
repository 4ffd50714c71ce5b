namespace Banyan.Nn;

/// <summary>
/// An autoencoder (Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks"): a narrow layer in the middle must hold what the output needs to equal the input.
/// Parameters: <c>0</c>, <c>2</c>, <c>4</c>, as a torch.nn.Sequential with activations between has them.
/// </summary>
public sealed class Autoencoder : Module
{
    private readonly Linear _first, _code, _decode;

    /// <summary>A network.</summary>
    /// <param name="width">Width of the data.</param>
    /// <param name="hidden">Width before the code.</param>
    /// <param name="code">Width of the code.</param>
    public Autoencoder(int width, int hidden, int code) => (_first, _code, _decode) = (Add("0", new Linear(width, hidden)), Add("2", new Linear(hidden, code)), Add("4", new Linear(code, width)));

    /// <summary>(B, width) to the same, as far as the code can tell.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _decode.Forward(Encode(x, pass), pass));

    /// <summary>The code (B, code) of (B, width).</summary>
    public Tensor Encode(Tensor x, ForwardPass pass) => _code.Forward(_first.Forward(x, pass).Relu(), pass).Relu();
}
