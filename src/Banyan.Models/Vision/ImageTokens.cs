namespace Banyan.Models;

/// <summary>Where a text leaves room for a picture.</summary>
internal static class ImageTokens
{
    /// <summary>The places of the image tokens in a batch, int64.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="token">Id of an image token.</param>
    /// <param name="expected">How many there must be.</param>
    /// <param name="scope">Owner of the tensor.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public static Tensor Places(TokenBatch batch, int token, long expected, Scope scope)
    {
        long[] ids = batch.Ids.ToArray<long>(), places = [.. Enumerable.Range(0, ids.Length).Where(i => ids[i] == token).Select(i => (long)i)];
        return places.Length == expected ? scope.From(places, [places.Length])
            : throw new ArgumentException($"input_ids has {places.Length} image tokens ({token}); expected {expected}, one for each patch of the pictures");
    }
}
