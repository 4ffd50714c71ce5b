namespace Banyan.Models;

/// <summary>The mask of models whose padding is masked as a query too.</summary>
internal static class PairMask
{
    /// <summary>Scores (H, T, T) of one sequence, without pairs in which either token is padding. Padding sees everything alike, as in the reference, where a row without any
    /// visible key becomes uniform.</summary>
    public static Tensor Apply(Tensor scores, SequenceLayout layout, SequenceSpan span)
    {
        if (span.KeyMaskStart < 0 || layout.KeyMask is not { } visible)
        {
            return scores;
        }
        int n = (int)span.QueryLength;
        bool Sees(int t) => visible[span.KeyMaskStart + t];
        Tensor hidden = scores.Scope!.Use(Tensor.From([.. Enumerable.Range(0, n * n).Select(i => !(Sees(i / n) && Sees(i % n)))], [n, n]));
        return scores.MaskedFill(hidden, float.MinValue);
    }
}
