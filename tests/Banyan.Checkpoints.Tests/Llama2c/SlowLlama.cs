namespace Banyan.Checkpoints.Tests;

/// <summary>Llama in float64 loops over Hugging Face tensors (rotary pairs half a head apart): the oracle of names and row order.</summary>
internal sealed class SlowLlama(IModelReader model)
{
    private readonly int _hidden = model.ReadConfig().GetInt("hidden_size");
    private readonly int _layers = model.ReadConfig().GetInt("num_hidden_layers");
    private readonly int _heads = model.ReadConfig().GetInt("num_attention_heads");
    private readonly int _kvHeads = model.ReadConfig().GetInt("num_key_value_heads");
    private readonly double _theta = model.ReadConfig().GetDouble("rope_theta");
    private readonly double _eps = model.ReadConfig().GetDouble("rms_norm_eps");
    private readonly Dictionary<string, double[]> _weights = model.Names.ToDictionary(n => n, n => model.LoadTensor(n).ToDoubles());
    private readonly List<double[]>[] _keys = [.. Enumerable.Range(0, 1000).Select(_ => new List<double[]>())];
    private readonly List<double[]>[] _values = [.. Enumerable.Range(0, 1000).Select(_ => new List<double[]>())];
    private int _position;

    private int HeadDim => _hidden / _heads;

    /// <summary>Logits after one more token.</summary>
    public double[] Next(int token)
    {
        double[] x = _weights["model.embed_tokens.weight"][(token * _hidden)..((token + 1) * _hidden)];
        for (int layer = 0; layer < _layers; layer++)
        {
            string at = $"model.layers.{layer}.";
            x = Sum(x, Attention(Norm(x, at + "input_layernorm"), layer, at + "self_attn."));
            double[] h = Norm(x, at + "post_attention_layernorm");
            double[] gated = [.. Multiply(h, at + "mlp.gate_proj").Zip(Multiply(h, at + "mlp.up_proj"), (g, u) => g / (1 + Math.Exp(-g)) * u)];
            x = Sum(x, Multiply(gated, at + "mlp.down_proj"));
        }
        _position++;
        return Multiply(Norm(x, "model.norm"), _weights.ContainsKey("lm_head.weight") ? "lm_head" : "model.embed_tokens");
    }

    private double[] Attention(double[] x, int layer, string at)
    {
        double[] q = Rotate(Multiply(x, at + "q_proj"));
        _keys[layer].Add(Rotate(Multiply(x, at + "k_proj")));
        _values[layer].Add(Multiply(x, at + "v_proj"));
        var output = new double[_hidden];
        for (int i = 0; i < _heads; i++)
        {
            int head = i;
            int from = head / (_heads / _kvHeads) * HeadDim;
            double[] p = [.. _keys[layer].Select(k => Math.Exp(Enumerable.Range(0, HeadDim).Sum(d => q[head * HeadDim + d] * k[from + d]) / Math.Sqrt(HeadDim)))];
            for (int d = 0; d < HeadDim; d++)
            {
                output[head * HeadDim + d] = p.Select((w, t) => w * _values[layer][t][from + d]).Sum() / p.Sum();
            }
        }
        return Multiply(output, at + "o_proj");
    }

    private double[] Rotate(double[] x)
    {
        var y = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int d = i % HeadDim;
            double angle = _position * Math.Pow(_theta, -2.0 * (d % (HeadDim / 2)) / HeadDim);
            y[i] = x[i] * Math.Cos(angle) + (d < HeadDim / 2 ? -x[i + HeadDim / 2] : x[i - HeadDim / 2]) * Math.Sin(angle);
        }
        return y;
    }

    private double[] Norm(double[] x, string name)
    {
        double scale = 1 / Math.Sqrt(x.Sum(v => v * v) / x.Length + _eps);
        return [.. x.Zip(_weights[name + ".weight"], (v, w) => v * scale * w)];
    }

    private double[] Multiply(double[] x, string name)
    {
        double[] w = _weights[name + ".weight"];
        return [.. Enumerable.Range(0, w.Length / x.Length).Select(o => x.Select((v, i) => v * w[o * x.Length + i]).Sum())];
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
