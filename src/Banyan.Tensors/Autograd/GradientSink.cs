namespace Banyan.Autograd;

/// <summary>
/// Where the gradients of leaves go. Layers with a weight hand over (input, output gradient) rather than a finished gradient, so that
/// another sink can keep per-sample norms (differential privacy), shard (ZeRO), overlap the optimizer, or collect Hessians (quantization).
/// </summary>
/// <remarks>The default adds everything to <see cref="Tensor.Grad"/>, without temporaries.</remarks>
public class GradientSink
{
    /// <summary>The sink that adds to <see cref="Tensor.Grad"/>.</summary>
    public static GradientSink Default { get; } = new();

    /// <summary>Adds a finished gradient to a leaf.</summary>
    public virtual void Accumulate(Tensor leaf, Tensor gradient)
    {
        if (leaf.Body.Grad is { } grad && !leaf.Body.GradIsStale)
        {
            grad.AddInPlace(gradient);
            return;
        }
        GradBuffer(leaf).CopyFrom(gradient);
        leaf.Body.GradIsStale = false;
    }

    /// <summary>
    /// Adds the gradient of a linear layer's weight, <c>dW = dY^T X</c>.
    /// </summary>
    /// <param name="weight">The leaf: (out, in), or (in, out) when <paramref name="transposed"/>.</param>
    /// <param name="input">X: (rows, in).</param>
    /// <param name="gradOutput">dY: (rows, out).</param>
    /// <param name="transposed">True for weights stored (in, out), as GPT-2 does.</param>
    public virtual void Linear(Tensor weight, Tensor input, Tensor gradOutput, bool transposed)
    {
        bool accumulate = weight.Body.Grad is not null && !weight.Body.GradIsStale;
        Tensor grad = GradBuffer(weight);
        if (transposed)
        {
            Ops.MatMul.Into(grad, input, transposeA: true, gradOutput, transposeB: false, accumulate);
        }
        else
        {
            Ops.MatMul.Into(grad, gradOutput, transposeA: true, input, transposeB: false, accumulate);
        }
        weight.Body.GradIsStale = false;
    }

    /// <summary>Adds the gradient of an embedding table: row ids[i] receives gradOutput[i].</summary>
    /// <param name="table">The leaf (V, C).</param>
    /// <param name="ids">(tokens), int64.</param>
    /// <param name="gradOutput">(tokens, C), dense.</param>
    public virtual void Embedding(Tensor table, Tensor ids, Tensor gradOutput)
    {
        Tensor grad = GradBuffer(table);
        if (table.Body.GradIsStale)
        {
            grad.Fill(0);
            table.Body.GradIsStale = false;
        }
        Cpu.TensorRows.ScatterAdd(grad, ids, gradOutput);
        grad.MarkChanged();
    }

    /// <summary>The leaf's gradient tensor, made on first use and kept from step to step.</summary>
    protected static Tensor GradBuffer(Tensor leaf) => leaf.Body.Grad ??= Tensor.Zeros(leaf.Shape, leaf.DType, leaf.Device);
}
