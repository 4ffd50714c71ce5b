namespace Banyan.Testing;

/// <summary>Damages bytes in the ways in which files are damaged, or forged: a fixed seed gives the same mutants everywhere.</summary>
public sealed class Mutator(int seed)
{
    private static readonly byte[][] s_interesting =
    [
        [0], [0xFF], [0x7F], [0x80], "0"u8.ToArray(), "-1"u8.ToArray(), "1e999"u8.ToArray(), "99999999999999999999"u8.ToArray(), "null"u8.ToArray(),
        "{}"u8.ToArray(), "[]"u8.ToArray(), "\"\""u8.ToArray(), "\\ud800"u8.ToArray(), "\n"u8.ToArray(), "\""u8.ToArray(), "["u8.ToArray(), "}"u8.ToArray(),
        [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [0, 0, 0xC0, 0x7F],
    ];

    private readonly Random _random = new(seed);

    /// <summary>A copy of the bytes with one to four damages.</summary>
    public byte[] Mutate(byte[] bytes)
    {
        List<byte> result = [.. bytes];
        for (int n = 1 + _random.Next(4); n > 0; n--)
        {
            Damage(result);
        }
        return [.. result];
    }

    private void Damage(List<byte> bytes)
    {
        int at = _random.Next(bytes.Count + 1);
        int length = Math.Min(1 << _random.Next(10), bytes.Count - at);
        switch (_random.Next(8))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3 when _random.Next(4) == 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 5:
                List<byte> moved = bytes.GetRange(at, length);
                bytes.RemoveRange(at, length);
                bytes.InsertRange(_random.Next(bytes.Count + 1), moved);
                break;
            default:
                byte[] value = s_interesting[_random.Next(s_interesting.Length)];
                bytes.RemoveRange(at, Math.Min(_random.Next(2) * value.Length, bytes.Count - at));
                bytes.InsertRange(at, value);
                break;
        }
    }
}
