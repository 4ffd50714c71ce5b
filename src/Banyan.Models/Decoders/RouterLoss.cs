using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>
/// Keeps routers from sending everything to a few experts (Fedus et al. 2021, equations 4 to 6): E times the sum over experts of the share of tokens that chose it
/// times its mean probability; K where all are equal.
/// </summary>
/// <param name="Experts">E.</param>
/// <param name="TopK">Choices of a token.</param>
/// <param name="Coefficient">Factor of the loss.</param>
public sealed record RouterLoss(int Experts, int TopK, double Coefficient)
{
    /// <summary>Reads <c>router_aux_loss_coef</c>; null where <c>output_router_logits</c> is false, as in the reference.</summary>
    public static RouterLoss? Read(ConfigReader c, int experts, int topK, double coefficient = 0.001)
    {
        double factor = c.GetDouble("router_aux_loss_coef", coefficient, min: 0);
        return c.GetBool("output_router_logits", false) ? new(experts, topK, factor) : null;
    }

    /// <summary>The loss without its factor, over all layers together: 0-d.</summary>
    /// <param name="logits">The router logits (T, E) of each layer.</param>
    public Tensor Of(IReadOnlyList<Tensor> logits)
    {
        Tensor probabilities = Tensor.Cat([.. logits], 0).Softmax(-1);                                             // (layers T, E)
        Tensor chosen = probabilities.Detach().TopK(TopK).Indices;
        Tensor share = (probabilities.Detach() * 0).Scatter(-1, chosen, 1).Mean([0]);   // of each expert; K in total
        return (share * probabilities.Mean([0])).Sum() * Experts;
    }
}
