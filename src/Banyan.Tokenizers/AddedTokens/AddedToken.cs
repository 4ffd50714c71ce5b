namespace Banyan.Tokenizers;

/// <summary>A token that is found in the text as a whole, before the model sees it.</summary>
/// <param name="Content">The text of the token.</param>
/// <param name="Special">A control token: left out by <see cref="Tokenizer.Decode"/> when special tokens are skipped.</param>
/// <param name="Normalized">Found in the normalized text (its content is normalized too) instead of the text as given.</param>
/// <param name="SingleWord">Found only where no word character touches it.</param>
/// <param name="LStrip">Takes the white space before it along.</param>
/// <param name="RStrip">Takes the white space behind it along.</param>
public sealed record AddedToken(
    string Content, bool Special = false, bool Normalized = false, bool SingleWord = false, bool LStrip = false, bool RStrip = false);
