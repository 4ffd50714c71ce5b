using Banyan.Nn;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Goldens;

/// <summary>Layers that go in chunks in training and token by token otherwise: a training pass gives the reference's loss, logits and gradients too.</summary>
[Trait("Category", "Golden")]
public sealed class TrainingPassTests
{
    [SkippableTheory]
    [InlineData("mamba2"), InlineData("bamba"), InlineData("falcon_h1"), InlineData("minimax"), InlineData("qwen3_next"), InlineData("xlstm")]
    public void EqualsTheReference(string name)
    {
        Skip.If(SharedFolder.TryGet("goldens", "models", name) is null, "goldens/models is missing: set BANYAN_SHARED");
        using var golden = GoldenModel.Open(name);
        using var scope = new Scope(new() { RecordGradients = true });
        golden.Model.ZeroGrad();
        ModelOutputs outputs = golden.Model.Run(new ModelInputs(golden.Inputs()), new ForwardPass(scope) { Training = true });
        golden.Compare("out.logits", outputs.Find("logits")!);
        golden.Compare("out.loss", outputs.Loss!);
        outputs.Loss!.Backward();
        string[] compared = [.. golden.Names("grad.")];
        Assert.NotEmpty(compared);
        Dictionary<string, Parameter> parameters = golden.Model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        Assert.All(compared, key => golden.Compare(key, parameters[key["grad.".Length..]].Grad!, 1e-3));
    }
}
