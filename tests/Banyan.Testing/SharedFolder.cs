namespace Banyan.Testing;

/// <summary>
/// Finds the folder with goldens and assets: the variable <c>BANYAN_SHARED</c>, or <c>../shared</c> beside the repository.
/// Where it is absent the tests that need it say so and skip; with <c>CI=true</c> its absence is a failure.
/// </summary>
public static class SharedFolder
{
    /// <summary>The folder, or null where there is none.</summary>
    public static string? Path { get; } = Find();

    /// <summary>True when the tests run in CI, where a missing shared folder fails.</summary>
    public static bool IsCi => Environment.GetEnvironmentVariable("CI") == "true";

    /// <summary>A path below the folder, or null where it does not exist.</summary>
    public static string? TryGet(params string[] parts)
    {
        if (Path is null)
        {
            return null;
        }
        string full = System.IO.Path.Combine([Path, .. parts]);
        return File.Exists(full) || Directory.Exists(full) ? full : null;
    }

    /// <summary>A path below the folder; throws when it is missing.</summary>
    public static string Get(params string[] parts) => TryGet(parts)
        ?? throw new DirectoryNotFoundException(
            $"shared/{string.Join('/', parts)} not found: set BANYAN_SHARED to the folder with goldens/ and assets/");

    /// <summary>The root of the repository (the folder with Banyan.slnx).</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    private static string FindRoot()
    {
        string? dir = AppContext.BaseDirectory;
        while (dir is not null && !File.Exists(System.IO.Path.Combine(dir, "Banyan.slnx")))
        {
            dir = System.IO.Path.GetDirectoryName(dir);
        }
        return dir ?? throw new DirectoryNotFoundException("Banyan.slnx not found above " + AppContext.BaseDirectory);
    }

    private static string? Find()
    {
        string? set = Environment.GetEnvironmentVariable("BANYAN_SHARED");
        string candidate = string.IsNullOrEmpty(set) ? System.IO.Path.Combine(FindRoot(), "..", "shared") : set;
        return Directory.Exists(candidate) ? System.IO.Path.GetFullPath(candidate) : null;
    }
}
