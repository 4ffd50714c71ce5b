using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Banyan.Checkpoints;

/// <summary>
/// Reads Python's pickle format (protocols 0 to 5; its opcodes are described in Python's <c>pickletools</c>) as far as checkpoints need it: plain
/// values, containers, and the descriptions of tensors. It is a machine with a stack and a memory, and it makes values only; see
/// <see cref="PickleConstructors"/> for what happens where Python would call a function.
/// </summary>
internal sealed class Unpickler
{
    private static readonly object s_mark = new();

    private readonly TensorBytes _bytes;
    private readonly Func<string, CheckpointException> _error;
    private readonly Func<PickleList, PickleStorage> _persistent;
    private readonly long _end;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private long _at;

    private Unpickler(TensorBytes bytes, long at, long end, Func<PickleList, PickleStorage> persistent, Func<string, CheckpointException> error) =>
        (_bytes, _at, _end, _persistent, _error) = (bytes, at, end, persistent, error);

    /// <summary>Reads one pickle.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="at">Where the pickle begins; then the place behind it.</param>
    /// <param name="end">Where it ends at the latest.</param>
    /// <param name="persistent">Makes a storage of a reference to data outside the pickle.</param>
    /// <param name="error">Names the file in an error.</param>
    public static object? Read(TensorBytes bytes, ref long at, long end, Func<PickleList, PickleStorage> persistent, Func<string, CheckpointException> error)
    {
        var machine = new Unpickler(bytes, at, end, persistent, error);
        object? value = machine.Run();
        at = machine._at;
        return value;
    }

    private CheckpointException Error(string problem) => _error($"{problem} (byte {_at} of the pickle)");

    private object? Run()
    {
        while (true)
        {
            byte opcode = Bytes(1)[0];
            if (opcode == '.')
            {
                object? top = Pop();
                return _stack.Count == 0 ? top : throw Error("values are left over at the pickle's end");
            }
            Step(opcode);
        }
    }

    private void Step(byte opcode)
    {
        switch ((char)opcode)
        {
            case '\x80':
                if (Bytes(1)[0] is > 5 and var version)
                {
                    throw Error($"pickle protocol {version}; expected at most 5");
                }
                break;
            case '\x95': Length(BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8))); break;   // a frame: only its length is checked
            case '(': _stack.Add(s_mark); break;
            case '0': Pop(); break;
            case '1': PopToMark(); break;
            case '2': _stack.Add(Top); break;
            case 'N': _stack.Add(null); break;
            case '\x88': _stack.Add(true); break;
            case '\x89': _stack.Add(false); break;
            case 'J': _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
            case 'K': _stack.Add((long)Bytes(1)[0]); break;
            case 'M': _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break;
            case 'I': _stack.Add(Line() switch { "00" => false, "01" => true, var digits => Number(digits) }); break;
            case 'L': _stack.Add(Number(Line().TrimEnd('L'))); break;
            case '\x8a': _stack.Add(Integer(Bytes(Bytes(1)[0]))); break;
            case '\x8b': _stack.Add(Integer(Bytes(Length((ulong)UInt32)))); break;
            case 'F': _stack.Add(double.TryParse(Line(), NumberStyles.Float, CultureInfo.InvariantCulture, out double d) ? d : throw Error("a float cannot be read")); break;
            case 'G': _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
            case 'X': _stack.Add(Text(Length((ulong)UInt32))); break;
            case '\x8c': _stack.Add(Text(Bytes(1)[0])); break;
            case '\x8d': _stack.Add(Text(Length(BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8))))); break;
            case 'T': _stack.Add(Encoding.Latin1.GetString(Bytes(Length((ulong)UInt32)))); break;
            case 'U': _stack.Add(Encoding.Latin1.GetString(Bytes(Bytes(1)[0]))); break;
            case 'B': _stack.Add(Bytes(Length((ulong)UInt32)).ToArray()); break;
            case 'C': _stack.Add(Bytes(Bytes(1)[0]).ToArray()); break;
            case '\x8e' or '\x96': _stack.Add(Bytes(Length(BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8)))).ToArray()); break;
            case ']' or ')' or '\x8f': _stack.Add(new PickleList()); break;
            case 'l' or 't' or '\x91': _stack.Add(PopToMark()); break;
            case '\x85': Tuple(1); break;
            case '\x86': Tuple(2); break;
            case '\x87': Tuple(3); break;
            case 'a': AddAll([Pop()]); break;
            case 'e' or '\x90': AddAll(PopToMark()); break;
            case '}': _stack.Add(new PickleDict()); break;
            case 'd': _stack.Add(new PickleDict()); Set((PickleDict)Top!, Below()); break;
            case 's': { object? value = Pop(), key = Pop(); Set(TopDict(), [key, value]); break; }
            case 'u': { PickleList items = PopToMark(); Set(TopDict(), items); break; }
            case 'c': _stack.Add(Global(Line(), Line())); break;
            case '\x93': { object? name = Pop(), module = Pop(); _stack.Add(module is string m && name is string n ? Global(m, n) : throw Error("a name is no text")); break; }
            case 'R': Reduce(); break;
            case 'b': Build(); break;
            case 'Q': _stack.Add(_persistent(Pop() as PickleList ?? throw Error("a reference to a storage is no tuple"))); break;
            case 'q': Put(Bytes(1)[0]); break;
            case 'r': Put(UInt32); break;
            case 'p': Put(Index(Line())); break;
            case '\x94': Put(_memo.Count); break;
            case 'h': Get(Bytes(1)[0]); break;
            case 'j': Get(UInt32); break;
            case 'g': Get(Index(Line())); break;
            default: throw Error($"the opcode 0x{opcode:x2} is not one that checkpoints need");
        }
    }

    // The items of a 'd' lie under the new dictionary.
    private PickleList Below()
    {
        object? dict = Pop();
        PickleList items = PopToMark();
        _stack.Add(dict);
        return items;
    }

    private long UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    // A length from the file is believed only as far as there are bytes.
    private int Length(ulong length) => length <= (ulong)(_end - _at) && length <= int.MaxValue ? (int)length : throw Error($"{length} bytes are announced, {_end - _at} are left");

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > _end - _at)
        {
            throw Error("the pickle ends too early");
        }
        ReadOnlySpan<byte> bytes = _bytes.Slice(_at, count);
        _at += count;
        return bytes;
    }

    private string Text(int count)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(count));
        }
        catch (DecoderFallbackException)
        {
            throw Error("a text is not UTF-8");
        }
    }

    private string Line()
    {
        ReadOnlySpan<byte> rest = _bytes.Slice(_at, (int)Math.Min(_end - _at, 1 << 16));
        int end = rest.IndexOf((byte)'\n');
        if (end < 0)
        {
            throw Error("a line has no end");
        }
        _at += end + 1;
        return Encoding.Latin1.GetString(rest[..end]).TrimEnd('\r');
    }

    private object Number(string digits) => digits.Length <= 4300 && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger value)
        ? Small(value)
        : throw Error("an integer cannot be read");

    private object Integer(ReadOnlySpan<byte> bytes) => bytes.Length <= 4096 ? Small(new BigInteger(bytes)) : throw Error("an integer is too long");

    private static object Small(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;

    private long Index(string digits) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long index) ? index : throw Error("an index cannot be read");

    private object? Top => _stack.Count > 0 && !ReferenceEquals(_stack[^1], s_mark) ? _stack[^1] : throw Error("the stack is empty");

    private object? Pop()
    {
        object? top = Top;
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private PickleList PopToMark()
    {
        int mark = _stack.LastIndexOf(s_mark);
        if (mark < 0)
        {
            throw Error("a mark is missing");
        }
        var items = new PickleList();
        items.AddRange(_stack[(mark + 1)..]);
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private void Tuple(int count)
    {
        var items = new PickleList();
        for (int i = 0; i < count; i++)
        {
            items.Add(Pop());
        }
        items.Reverse();
        _stack.Add(items);
    }

    private void AddAll(PickleList items) => (Top as PickleList ?? throw Error("items are added to what is no list")).AddRange(items);

    private PickleDict TopDict() => Top as PickleDict ?? throw Error("an item is set in what is no dictionary");

    private void Set(PickleDict dict, PickleList items)
    {
        if (items.Count % 2 != 0)
        {
            throw Error("a key has no value");
        }
        for (int i = 0; i < items.Count; i += 2)
        {
            dict.Items.Add((items[i], items[i + 1]));
        }
    }

    private PickleGlobal Global(string module, string name)
    {
        var global = new PickleGlobal(module, name);
        PickleConstructors.Check(global, Error);
        return global;
    }

    private void Reduce()
    {
        PickleList arguments = Pop() as PickleList ?? throw Error("arguments are no tuple");
        PickleGlobal global = Pop() as PickleGlobal ?? throw Error("what is called is no name");
        _stack.Add(PickleConstructors.Apply(global, arguments, Error));
    }

    // Attributes of a dictionary (_metadata of a state dict) carry no tensors.
    private void Build()
    {
        object? state = Pop();
        if (state is not PickleDict || Top is not PickleDict)
        {
            throw Error("the state of an object is set; checkpoints have none but that of dictionaries");
        }
    }

    private void Put(long index) => _memo[index] = Top;

    private void Get(long index) => _stack.Add(_memo.TryGetValue(index, out object? value) ? value : throw Error($"there is no remembered value {index}"));
}
