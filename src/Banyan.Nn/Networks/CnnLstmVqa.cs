namespace Banyan.Nn;

/// <summary>
/// Visual question answering as it began (Antol et al. 2015, arXiv:1505.00468): a CNN sees the picture, an LSTM reads the question, and their product goes through tanh to the answers.
/// Parameters: <c>cnn.0</c>, <c>cnn.2</c>, <c>cnn.6</c>, <c>embed</c>, <c>lstm</c>, <c>fuse</c>, <c>head</c>.
/// </summary>
public sealed class CnnLstmVqa : Module
{
    private readonly Conv _conv1, _conv2;
    private readonly Linear _image, _fuse, _head;
    private readonly Embedding _embed;
    private readonly Lstm _lstm;

    /// <summary>A network.</summary>
    /// <param name="channels">Channels of the two convolutions.</param>
    /// <param name="vocabulary">Number of words.</param>
    /// <param name="embedding">Width of a word.</param>
    /// <param name="width">Width of the picture and of the question.</param>
    /// <param name="fused">Width behind their product.</param>
    /// <param name="answers">Number of answers.</param>
    public CnnLstmVqa((int First, int Second) channels, int vocabulary, int embedding, int width, int fused, int answers)
    {
        _conv1 = Add("cnn.0", new Conv(3, channels.First, [3, 3], new ConvOptions { Stride = [2, 2], Padding = [1, 1] }));
        _conv2 = Add("cnn.2", new Conv(channels.First, channels.Second, [3, 3], new ConvOptions { Stride = [2, 2], Padding = [1, 1] }));
        _image = Add("cnn.6", new Linear(4 * channels.Second, width));
        _embed = Add("embed", new Embedding(vocabulary, embedding));
        _lstm = Add("lstm", new Lstm(embedding, width, new() { BatchFirst = true }));
        (_fuse, _head) = (Add("fuse", new Linear(width, fused)), Add("head", new Linear(fused, answers)));
    }

    /// <summary>Pictures (B, 3, h, w) and questions (B, T) of these lengths to logits (B, answers).</summary>
    public Tensor Forward(Tensor images, Tensor questions, int[] lengths, ForwardPass pass)
    {
        Tensor x = _conv2.Forward(_conv1.Forward(images, pass).Relu(), pass).Relu().AdaptiveAvgPool([2, 2]).Flatten(1);
        Tensor question = _lstm.Forward(_embed.Forward(questions, pass), pass, lengths: lengths).H.Select(0, -1);   // the state behind each question's last word
        return pass.Visit(this, _head.Forward(_fuse.Forward(_image.Forward(x, pass) * question, pass).Tanh(), pass));
    }
}
