using System.Text;

namespace Banyan.Checkpoints;

/// <summary>
/// The few names that a checkpoint may mention, and what they make. PyTorch's files say "call this function with these arguments"; here no
/// function is called: the known ones are read as the descriptions of tensors that they are, and every other name is refused.
/// </summary>
internal static class PickleConstructors
{
    /// <summary>Refuses a name that checkpoints do not need.</summary>
    public static void Check(PickleGlobal global, Func<string, CheckpointException> error)
    {
        bool known = PickleTypes.OfStorage(global) is not null || PickleTypes.OfDType(global) is not null || (global.Module, global.Name) is
            ("collections", "OrderedDict")
            or ("torch._utils", "_rebuild_tensor" or "_rebuild_tensor_v2" or "_rebuild_tensor_v3" or "_rebuild_parameter")
            or ("torch", "Size") or ("torch.nn.parameter", "Parameter")
            or ("builtins" or "__builtin__", "set" or "frozenset") or ("_codecs", "encode");
        if (!known)
        {
            throw error($"the pickle names {CheckpointException.Quote(global.ToString())}, which is no tensor and no plain container; nothing was executed");
        }
    }

    /// <summary>What a known name makes of its arguments.</summary>
    public static object? Apply(PickleGlobal global, PickleList arguments, Func<string, CheckpointException> error)
    {
        CheckpointException Wrong() => error($"{global} has arguments that make no sense");
        switch (global.Name)
        {
            case "OrderedDict" when arguments.Count == 0:
                return new PickleDict();
            case "OrderedDict" when arguments is [PickleList pairs]:
                var dict = new PickleDict();
                foreach (object? pair in pairs)
                {
                    dict.Items.Add(pair is PickleList { Count: 2 } p ? (p[0], p[1]) : throw Wrong());
                }
                return dict;
            case "set" or "frozenset" or "Size":
                return arguments.Count == 0 ? new PickleList() : arguments is [PickleList items] ? items : throw Wrong();
            case "encode":
                return arguments is [string text, "latin1"] && text.All(c => c < 256) ? Encoding.Latin1.GetBytes(text) : throw Wrong();
            case "_rebuild_parameter" or "Parameter":
                return arguments.Count >= 1 && arguments[0] is PickleTensor data ? data : throw Wrong();
            case "_rebuild_tensor" or "_rebuild_tensor_v2" when arguments.Count >= 4 && arguments[0] is PickleStorage { Type: { } type } storage:
                return Tensor(storage, type, storage.Parts, arguments, Wrong);
            case "_rebuild_tensor_v3" when arguments.Count >= 7 && arguments[0] is PickleStorage bytes && arguments[6] is PickleGlobal name && PickleTypes.OfDType(name) is { } dtype:
                return Tensor(bytes, dtype.Type, dtype.Parts, arguments, Wrong);
            default:
                throw Wrong();
        }
    }

    // (storage, offset, size, stride, …): every element lies inside the storage.
    private static PickleTensor Tensor(PickleStorage storage, StoredType type, int parts, PickleList arguments, Func<CheckpointException> wrong)
    {
        long[] size = Numbers(arguments[2], wrong), stride = Numbers(arguments[3], wrong);
        if (arguments[1] is not long offset || offset < 0 || size.Length != stride.Length || size.Length > 64)
        {
            throw wrong();
        }
        try
        {
            long last = checked(offset + 1), elements = storage.ByteCount / (type.BlockBytes * parts);
            for (int i = 0; i < size.Length; i++)
            {
                last = checked(last + Math.Max(size[i] - 1, 0) * stride[i]);
            }
            bool empty = size.Contains(0);
            return (empty ? offset <= elements : last <= elements) ? new PickleTensor(storage, type, parts, offset, size, stride) : throw wrong();
        }
        catch (OverflowException)
        {
            throw wrong();
        }
    }

    private static long[] Numbers(object? list, Func<CheckpointException> wrong) =>
        [.. (list as PickleList ?? throw wrong()).Select(n => n is long and >= 0 and var x ? (long)x : throw wrong())];
}
