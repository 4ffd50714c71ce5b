using Banyan.Cli;

return await CommandTree.RunAsync(args).ConfigureAwait(false);
