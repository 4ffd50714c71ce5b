namespace Banyan.Autograd;

/// <summary>A record on the tape: which operation made which tensors from which. Reused from step to step.</summary>
internal sealed class Node
{
    public Op Op = null!;
    public readonly List<Tensor> Inputs = [];
    public readonly List<Tensor> Outputs = [];
    public readonly List<int> Versions = [];   // of the storages, inputs first, when recorded

    /// <summary>How many tensors the scope had when this record was made: what lies between two records belongs to the later one.</summary>
    public int LiveEnd;

    public void Set(Op op, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, int liveEnd)
    {
        Clear();
        Op = op;
        Inputs.AddRange(inputs);
        Outputs.AddRange(outputs);
        LiveEnd = liveEnd;
        foreach (Tensor t in inputs)
        {
            Versions.Add(t.Body.Storage!.Version);
        }
        foreach (Tensor t in outputs)
        {
            Versions.Add(t.Body.Storage!.Version);
        }
    }

    public void Clear()
    {
        Op = null!;
        Inputs.Clear();
        Outputs.Clear();
        Versions.Clear();
    }

    /// <summary>Throws when a value that the backward pass reads was overwritten after it was recorded.</summary>
    public void CheckVersions()
    {
        Check(Inputs, Op.SavedInputs, 0, "input");
        Check(Outputs, Op.SavedOutputs, Inputs.Count, "output");
    }

    private void Check(List<Tensor> tensors, uint saved, int first, string what)
    {
        for (int i = 0; i < tensors.Count; i++)
        {
            if ((saved & (1u << Math.Min(i, 31))) != 0 && tensors[i].Body.Storage!.Version != Versions[first + i])
            {
                throw new InvalidOperationException(
                    $"backward of '{Op.Name}': {what} {i} {tensors[i]} was changed in place after the forward pass read it; clone it before the change");
            }
        }
    }
}
