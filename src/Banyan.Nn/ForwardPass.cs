namespace Banyan.Nn;

/// <summary>Sees, and may replace, the output of a module: what interpretability, adapters and tests attach to a model by name.</summary>
public interface ITap
{
    /// <summary>Called with a module's path and output; returns what the model goes on with.</summary>
    Tensor Visit(string path, Tensor output);
}

/// <summary>What one forward pass carries through a model besides its activations. Nothing of it is ambient.</summary>
public sealed class ForwardPass
{
    /// <summary>A pass whose tensors belong to <paramref name="scope"/>.</summary>
    public ForwardPass(Scope scope) => Scope = scope;

    /// <summary>The owner of the activations.</summary>
    public Scope Scope { get; }

    /// <summary>True in training: dropout is on, batch statistics are updated. Default: false.</summary>
    public bool Training { get; init; }

    /// <summary>Seed of the dropout masks. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the pass within training: each draws other dropout masks. Default: 0.</summary>
    public long Step { get; init; }

    /// <summary>Sees every module's output; null costs nothing.</summary>
    public ITap? Tap { get; init; }

    /// <summary>True keeps only the input of each block and computes its inside again in the backward pass: less memory, a third more work. Default: false.</summary>
    public bool CheckpointActivations { get; init; }

    /// <summary>Receives the logits of routers (T, E), layer by layer, for their loss; null: nobody wants them. Default: null.</summary>
    public IList<Tensor>? RouterLogits { get; set; }

    /// <summary>Passes a router's logits by whoever collects them and by the tap.</summary>
    public Tensor Routed(Module module, Tensor logits)
    {
        // Without a tape a block frees what it made.
        RouterLogits?.Add(Scope.Tape is { Recording: true } ? logits : logits.Clone(null));
        return Visit(module, "router_logits", logits);
    }

    /// <summary>Passes a module's output by the tap.</summary>
    public Tensor Visit(Module module, Tensor output) => Tap is null ? output : Tap.Visit(module.Path, output);

    /// <summary>Passes a value within a module by the tap, under the module's path and a name of its own.</summary>
    public Tensor Visit(Module module, string part, Tensor value) => Tap is null ? value : Tap.Visit($"{module.Path}.{part}", value);

    /// <summary>A seed for one module's random numbers in this pass.</summary>
    public ulong DropoutSeed(Module module) => Training ? (ulong)Seed * 0x9E3779B97F4A7C15 ^ (ulong)Step * 0xC2B2AE3D27D4EB4F ^ Initializer.Stream(module.Path) : 0;
}
