namespace Banyan.Models.Tests.Goldens;

/// <summary>Losses of models without one of their own, by the text in the case's <c>loss_definition</c>.</summary>
internal static class LossDefinitions
{
    public static Func<ModelOutputs, Tensor>? Of(GoldenModel golden) => golden.Case.TryGetProperty("loss_definition", out var definition)
        ? throw new InvalidOperationException($"{golden.Name}: unknown loss definition: {definition.GetString()}")
        : null;
}
