namespace Banyan.Nn;

/// <summary>
/// Two networks against each other (Goodfellow et al. 2014, arXiv:1406.2661): the generator makes data from noise, the discriminator tells them from real ones. Parameters: <c>G.0</c>, <c>G.2</c>,
/// <c>D.0</c>, <c>D.2</c>.
/// </summary>
public sealed class GenerativeAdversarialNetwork : Module
{
    private const double Slope = 0.2;

    private readonly Linear _noise, _data, _see, _judge;

    /// <summary>A pair.</summary>
    /// <param name="noise">Width of the noise.</param>
    /// <param name="hidden">Width between, of both.</param>
    /// <param name="width">Width of the data.</param>
    public GenerativeAdversarialNetwork(int noise, int hidden, int width)
    {
        (_noise, _data) = (Add("G.0", new Linear(noise, hidden)), Add("G.2", new Linear(hidden, width)));
        (_see, _judge) = (Add("D.0", new Linear(width, hidden)), Add("D.2", new Linear(hidden, 1)));
    }

    /// <summary>Noise (B, noise) to data (B, width) between -1 and 1.</summary>
    public Tensor Generate(Tensor z, ForwardPass pass) => _data.Forward(_noise.Forward(z, pass).LeakyRelu(Slope), pass).Tanh();

    /// <summary>Data (B, width) to logits (B, 1) of being real.</summary>
    public Tensor Judge(Tensor x, ForwardPass pass) => _judge.Forward(_see.Forward(x, pass).LeakyRelu(Slope), pass);

    /// <summary>The discriminator's loss: real data are real, made ones (which get no gradient) are not.</summary>
    public Tensor DiscriminatorLoss(Tensor real, Tensor made, ForwardPass pass) => Judge(real, pass).Neg().Softplus().Mean() + Judge(made.Detach(), pass).Softplus().Mean();

    /// <summary>The generator's loss in the form that does not saturate: made data should pass for real ones.</summary>
    public Tensor GeneratorLoss(Tensor made, ForwardPass pass) => Judge(made, pass).Neg().Softplus().Mean();
}
