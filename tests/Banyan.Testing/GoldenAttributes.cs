using Xunit;

namespace Banyan.Testing;

/// <summary>
/// A theory over cases of the shared folder: skipped with a message where the folder is absent; with <c>CI=true</c> its absence
/// fails. A case may skip itself as pending (<c>Skip.If</c>).
/// </summary>
public sealed class GoldenTheoryAttribute : SkippableTheoryAttribute
{
    /// <summary>Decides whether the cases can run here.</summary>
    public GoldenTheoryAttribute() => Skip = GoldenFactAttribute.SkipReason;
}

/// <summary>A fact that needs the shared folder, under the same rule as <see cref="GoldenTheoryAttribute"/>.</summary>
public sealed class GoldenFactAttribute : FactAttribute
{
    /// <summary>Decides whether the test can run here.</summary>
    public GoldenFactAttribute() => Skip = SkipReason;

    internal static string? SkipReason => SharedFolder.Path is null && !SharedFolder.IsCi
        ? "no shared folder: set BANYAN_SHARED to the folder with goldens/ and assets/"
        : null;
}
