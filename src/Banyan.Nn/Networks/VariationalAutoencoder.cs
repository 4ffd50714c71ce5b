namespace Banyan.Nn;

/// <summary>What a variational autoencoder made of a batch.</summary>
/// <param name="Mu">Means of the code (B, Z).</param>
/// <param name="LogVar">Logarithms of its variances (B, Z).</param>
/// <param name="Code">The drawn code (B, Z).</param>
/// <param name="Logits">Logits of the data (B, width).</param>
public sealed record VariationalCode(Tensor Mu, Tensor LogVar, Tensor Code, Tensor Logits);

/// <summary>
/// A variational autoencoder (Kingma and Welling 2013, arXiv:1312.6114) for data between 0 and 1: the code is drawn, z = mu + eps exp(logvar / 2), and the loss is the negative evidence lower
/// bound. Parameters: <c>enc</c>, <c>mu</c>, <c>logvar</c>, <c>dec1</c>, <c>dec2</c>.
/// </summary>
public sealed class VariationalAutoencoder : Module
{
    private readonly Linear _encode, _mu, _logVar, _decode, _logits;

    /// <summary>A network.</summary>
    /// <param name="width">Width of the data.</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="code">Z.</param>
    public VariationalAutoencoder(int width, int hidden, int code)
    {
        _encode = Add("enc", new Linear(width, hidden));
        (_mu, _logVar) = (Add("mu", new Linear(hidden, code)), Add("logvar", new Linear(hidden, code)));
        (_decode, _logits) = (Add("dec1", new Linear(code, hidden)), Add("dec2", new Linear(hidden, width)));
    }

    /// <summary>x (B, width), eps (B, Z) from a standard normal distribution.</summary>
    public VariationalCode Forward(Tensor x, Tensor eps, ForwardPass pass)
    {
        Tensor h = _encode.Forward(x, pass).Relu(), mu = _mu.Forward(h, pass), logVar = _logVar.Forward(h, pass), z = mu + eps * (logVar * 0.5).Exp();
        return new(mu, logVar, z, Decode(z, pass));
    }

    /// <summary>A code (B, Z) to logits (B, width).</summary>
    public Tensor Decode(Tensor z, ForwardPass pass) => pass.Visit(this, _logits.Forward(_decode.Forward(z, pass).Relu(), pass));

    /// <summary>Reconstruction error and divergence of the code from a standard normal distribution, sums over features and means over the batch; their sum, beta times the second, is the loss.</summary>
    public static (Tensor Reconstruction, Tensor Divergence) Bound(VariationalCode code, Tensor x)
    {
        long batch = x.Shape[0];
        Tensor reconstruction = Loss.BinaryCrossEntropyWithLogits(code.Logits, x.Detach(), reduction: Reduction.Sum) / batch;
        return (reconstruction, (code.Mu.Square() + code.LogVar.Exp() - code.LogVar - 1).Sum() * 0.5 / batch);
    }
}
