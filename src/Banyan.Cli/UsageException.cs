namespace Banyan.Cli;

/// <summary>The command line or the configuration is wrong: exit code 2.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
