namespace Banyan.Nn;

/// <summary>y[o] = a W[o] b + bias[o]. Parameters: <c>weight</c> (out, in1, in2), <c>bias</c> (out).</summary>
public sealed class Bilinear : Module
{
    /// <summary>A bilinear form of two inputs.</summary>
    public Bilinear(long in1Features, long in2Features, long outFeatures, bool bias = true)
    {
        double bound = 1 / Math.Sqrt(Math.Max(1, in1Features));
        Weight = Add("weight", [outFeatures, in1Features, in2Features], Initializer.Uniform(bound));
        Bias = bias ? Add("bias", [outFeatures], Initializer.Uniform(bound)) : null;
    }

    /// <summary>(out, in1, in2).</summary>
    public Parameter Weight { get; }

    /// <summary>(out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>a (..., in1) and b (..., in2) to (..., out).</summary>
    public Tensor Forward(Tensor a, Tensor b, ForwardPass pass) => pass.Visit(this, a.Bilinear(b, pass.Scope.Use(Weight), Bias is null ? null : pass.Scope.Use(Bias)));
}
