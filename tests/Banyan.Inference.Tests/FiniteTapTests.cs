using Banyan.Checkpoints;
using Banyan.Nn;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Numbers that are not finite are never drawn from, and are found where they appear.</summary>
public sealed class FiniteTapTests
{
    [SkippableFact]
    public void The_first_layer_that_overflows_is_named()
    {
        LanguageModel lm = LanguageModel.Load(SharedFolder.Get("goldens", "gguf", "llama-F32.gguf"));
        foreach ((_, Parameter weight) in lm.Model.NamedParameters().Where(p => p.Name is "model.layers.1.mlp.gate_proj.weight" or "model.layers.1.mlp.up_proj.weight"))
        {
            weight.Value = weight.Value.Detach() * 1e30; // finite, and so are both products, but not what they make together
        }
        string found = Assert.Throws<CheckpointException>(() => lm.Generate([[1, 2, 3]], new() { Check = true, MaxNewTokens = 2 })).Message;
        Assert.Contains("\"model.layers.1.mlp.down_proj\" is the first that is not finite", found, StringComparison.Ordinal);
        string unlooked = Assert.Throws<CheckpointException>(() => lm.Generate([[1, 2, 3]], new() { MaxNewTokens = 2 })).Message;
        Assert.Contains("overflow on the way", unlooked, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Looking_changes_nothing()
    {
        LanguageModel lm = LanguageModel.Load(SharedFolder.Get("goldens", "gguf", "llama-Q4_K_M.gguf"));
        Assert.Equal(lm.Generate([[1, 2, 3]], new() { MaxNewTokens = 8, IgnoreEnd = true })[0].Ids, lm.Generate([[1, 2, 3]], new() { MaxNewTokens = 8, IgnoreEnd = true, Check = true })[0].Ids);
    }

    [SkippableTheory]
    [InlineData("llama-Q4_K_M.gguf"), InlineData("llama-BF16.gguf"), InlineData("llama-IQ4_XS.gguf")]
    public void A_quantized_model_keeps_every_promise(string file)
    {
        VerificationCheck[] checks = [.. ModelVerification.Run(SharedFolder.Get("goldens", "gguf", file))];
        Assert.All(checks, c => Assert.True(c.Pass, $"{c.Name}: {c.Detail}"));
        Assert.Contains(checks, c => c.Name == "batch invariance");
    }
}
