using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Inference;

namespace Banyan.Cli.Verbs;

/// <summary>Checks the promise of equal bits on this machine.</summary>
internal sealed class VerifyVerb : Verb
{
    public override string Name => "verify";

    public override string Summary => "Checks on this machine: the same bits for any threads, any batch, cached or not, after saving.";

    public override string Example => "verify runs/quickstart/model";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings => [];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        var checks = new JsonArray();
        bool all = true;
        foreach (VerificationCheck check in ModelVerification.Run(s.Text("model"), stop))
        {
            output.Line($"{(check.Pass ? "pass" : "FAIL")}  {check.Name}: {check.Detail}");
            checks.Add((JsonNode)new JsonObject { ["name"] = check.Name, ["pass"] = check.Pass, ["detail"] = check.Detail });
            all &= check.Pass;
        }
        output.Document(new JsonObject { ["checks"] = checks });
        return all ? 0 : 1;
    }
}
