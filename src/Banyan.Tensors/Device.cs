namespace Banyan;

/// <summary>Where a tensor's elements live. A value, compared with <c>==</c>; not a type parameter of anything.</summary>
public readonly record struct Device
{
    private readonly byte _kind;

    private Device(byte kind) => _kind = kind;

    /// <summary>The processor's memory.</summary>
    public static Device Cpu => default;

    /// <summary>Nowhere: shapes and types only. Operations on it cost nothing, which gives the memory forecast and the dry run.</summary>
    public static Device Meta => new(1);

    /// <summary>True for <see cref="Meta"/>.</summary>
    public bool IsMeta => _kind == 1;

    /// <inheritdoc/>
    public override string ToString() => IsMeta ? "meta" : "cpu";
}
