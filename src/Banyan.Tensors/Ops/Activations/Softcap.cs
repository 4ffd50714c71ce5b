namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>cap * tanh(x / cap): limits logits smoothly to [-cap, cap] (Gemma 2).</summary>
    public Tensor Softcap(double cap) => (this / cap).Tanh() * cap;
}
