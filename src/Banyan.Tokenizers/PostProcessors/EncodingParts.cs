namespace Banyan.Tokenizers.PostProcessors;

/// <summary>Joining and rewriting of encodings and of what truncation cut off them.</summary>
internal static class EncodingParts
{
    public static void Rewrite(Encoding encoding, Func<EncodedToken, EncodedToken> change)
    {
        List<EncodedToken> items = encoding.Items;
        for (int i = 0; i < items.Count; i++)
        {
            items[i] = change(items[i]);
        }
    }

    public static Encoding Copy(Encoding encoding) => new([.. encoding.Items], [.. encoding.Overflowing.Select(Copy)]);

    public static Encoding Join(List<Encoding> parts)
    {
        Encoding result = parts.Count == 0 ? new([]) : parts[0];
        for (int i = 1; i < parts.Count; i++)
        {
            result = Join(result, parts[i]);
        }
        return result;
    }

    /// <summary>Overflowing parts combine: each of the first with the second and with each of its, then the first with each of the second's.</summary>
    private static Encoding Join(Encoding first, Encoding second)
    {
        List<Encoding> overflowing = [];
        foreach (Encoding mine in first.Overflowing)
        {
            overflowing.Add(Join(mine, second));
            overflowing.AddRange(second.Overflowing.Select(other => Join(mine, other)));
        }
        Encoding alone = new(first.Items, first.Overflowing);
        overflowing.AddRange(second.Overflowing.Select(other => Join(alone, other)));
        return new([.. first.Items, .. second.Items], overflowing);
    }
}
