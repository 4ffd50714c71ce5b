using System.Diagnostics;
using System.Text.Json;

namespace Banyan.Cli.Tests;

/// <summary>What a call of the tool gave.</summary>
internal sealed record ToolResult(int ExitCode, string Out, string Error)
{
    /// <summary>The document on the last line of standard output.</summary>
    public JsonElement Json => JsonDocument.Parse(Out.TrimEnd('\n').Split('\n')[^1]).RootElement;
}

/// <summary>Calls banyan.dll in a process of its own, as scripts do.</summary>
internal static class Tool
{
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "banyan.dll");

    public static ToolResult Run(params string[] arguments) => RunIn(Directory.GetCurrentDirectory(), arguments);

    public static ToolResult RunIn(string folder, params string[] arguments)
    {
        using Process process = Start(folder, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new ToolResult(process.ExitCode, output.Result, error.Result);
    }

    public static Process Start(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } p && System.IO.Path.GetFileNameWithoutExtension(p) == "dotnet" ? p : "dotnet", ["exec", Path, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
