namespace Banyan.Cpu;

/// <summary>No activation: what a product ends with unless an <see cref="IUnary"/> is named.</summary>
internal readonly struct Identity : IUnary
{
    public static V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct => x;

    public static double Apply(double x) => x;
}
