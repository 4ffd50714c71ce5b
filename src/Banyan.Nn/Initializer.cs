using System.Text;

namespace Banyan.Nn;

/// <summary>How a new parameter is filled. Random ones draw from <see cref="CounterRandom"/>, keyed by the seed and the parameter's path.</summary>
public abstract class Initializer
{
    /// <summary>Fills <paramref name="value"/> (float32, dense).</summary>
    public abstract void Fill(Tensor value, long seed, string name);

    /// <summary>Every element equal to <paramref name="value"/>.</summary>
    public static Initializer Constant(double value) => new ConstantInitializer(value);

    /// <summary>All zeros.</summary>
    public static Initializer Zeros { get; } = new ConstantInitializer(0);

    /// <summary>All ones.</summary>
    public static Initializer Ones { get; } = new ConstantInitializer(1);

    /// <summary>A normal distribution around 0.</summary>
    public static Initializer Normal(double std) => new NormalInitializer(std);

    /// <summary>A uniform distribution over (-bound, bound); PyTorch's default for linear layers is 1 / sqrt(fan-in).</summary>
    public static Initializer Uniform(double bound) => new UniformInitializer(bound);

    /// <summary>Each element of a vector or matrix by its row and column (0 in a vector).</summary>
    public static Initializer Of(Func<long, long, double> value) => new FormulaInitializer(value);

    /// <summary>A stream number from a parameter's path (FNV-1a), equal on every machine.</summary>
    internal static uint Stream(string name)
    {
        uint hash = 2166136261;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ b) * 16777619;
        }
        return hash;
    }

    private sealed class ConstantInitializer(double value) : Initializer
    {
        public override void Fill(Tensor tensor, long seed, string name) => tensor.Fill(value);
    }

    private sealed class FormulaInitializer(Func<long, long, double> value) : Initializer
    {
        public override void Fill(Tensor tensor, long seed, string name)
        {
            long columns = tensor.Rank > 1 ? tensor.Shape[-1] : 1;
            float[] values = [.. Enumerable.Range(0, checked((int)tensor.Count)).Select(i => (float)value(i / columns, i % columns))];
            tensor.CopyFrom<float>(values);
        }
    }

    private sealed class NormalInitializer(double std) : Initializer
    {
        public override void Fill(Tensor tensor, long seed, string name) => tensor.FillNormal(std, seed, Stream(name));
    }

    private sealed class UniformInitializer(double bound) : Initializer
    {
        public override void Fill(Tensor tensor, long seed, string name) => tensor.FillUniform(bound, seed, Stream(name));
    }
}
