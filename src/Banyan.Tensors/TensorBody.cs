using Banyan.Autograd;
using Banyan.Memory;

namespace Banyan;

/// <summary>
/// What a <see cref="Tensor"/> handle points at: layout, storage and gradient. A scope reuses its bodies; <see cref="Generation"/> grows
/// when one dies, so that an old handle notices.
/// </summary>
internal sealed class TensorBody
{
    public int Generation;
    public Storage? Storage;
    public long Offset;            // in elements, from the storage's first byte
    public Shape Shape;
    public Shape Strides;          // in elements
    public DType DType = DType.Float32;
    public Device Device;
    public Scope? Scope;
    public bool RequiresGrad;
    public bool IsContiguous;
    public int Node = -1;          // index on the scope's tape of the operation that made it, -1 for a leaf
    public Tensor? Grad;           // of a leaf; or, during a backward pass, the sum of what has arrived
    public bool GradIsOwned;       // the backward pass made Grad itself and may add to it in place
    public bool GradIsStale;       // of a leaf: the next gradient overwrites Grad (a zero that costs no pass over memory)
    public int GradUses;           // how many pending gradients are this body: it must outlive the operation that made it
    public bool IsTransient;       // made by a backward pass
    public bool Kept;              // the user asked that a releasing backward pass leaves it
    public Func<Tensor, Tensor>? Hook;
    public Tensor? Handle;         // of scopes that recycle handles

    /// <summary>Ends the tensor's life: handles to it become invalid, its storage loses one reference.</summary>
    public void Kill()
    {
        Generation++;
        Storage?.Release();
        Storage = null;
        Grad = null;
        GradIsOwned = false;
        GradIsStale = false;
        GradUses = 0;
        Kept = false;
        RequiresGrad = false;
        Hook = null;
        Node = -1;
    }
}
