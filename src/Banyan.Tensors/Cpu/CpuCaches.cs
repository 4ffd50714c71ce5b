using System.Globalization;

namespace Banyan.Cpu;

/// <summary>Bytes of the data caches that one thread sees, read once from the system; typical sizes where it does not tell.</summary>
internal static class CpuCaches
{
    public static readonly long L1 = Read(1) ?? 32 << 10;

    public static readonly long L2 = Read(2) ?? 512 << 10;

    /// <summary>The last level; L2 where there is no third.</summary>
    public static readonly long L3 = Math.Max(Read(3) ?? 0, L2);

    private static long? Read(int level)
    {
        const string Root = "/sys/devices/system/cpu/cpu0/cache";
        try
        {
            foreach (string index in Directory.Exists(Root) ? Directory.GetDirectories(Root, "index*") : [])
            {
                string Text(string name) => File.ReadAllText(Path.Combine(index, name)).Trim();
                if (Text("level") == level.ToString(CultureInfo.InvariantCulture) && Text("type") != "Instruction")
                {
                    return Parse(Text("size"));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox may hide the folder: the fallback serves.
        }
        return null;
    }

    private static long? Parse(string size)
    {
        long unit = size.EndsWith('K') ? 1 << 10 : size.EndsWith('M') ? 1 << 20 : 1;
        return long.TryParse(size.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out long n) && n > 0 ? n * unit : null;
    }
}
