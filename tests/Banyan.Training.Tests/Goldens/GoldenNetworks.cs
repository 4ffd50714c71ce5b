using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Training.Tests.Goldens;

/// <summary>The networks of goldens/training that are no language model of the registry, by the formulas of their notes.</summary>
internal static class GoldenNetworks
{
    /// <summary>The network of a case with the weights of a folder, or null where the case has none.</summary>
    public static Module? Load(string name, string init)
    {
        Module? network = name switch { "cnn" => new Cnn(), "lstm" => new LstmLanguageModel(), _ => null };
        if (network is null)
        {
            return null;
        }
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(init, "model.safetensors"));
        foreach ((string parameter, Parameter p) in network.NamedParameters())
        {
            p.Value = weights.LoadTensor(parameter);
            p.IsTrainable = !p.IsBuffer;
        }
        return network;
    }

    /// <summary>Three convolutions with a batch norm, a group norm and a residual path, then the mean over space.</summary>
    internal sealed class Cnn : Module, IGoldenLoss
    {
        private readonly Conv _first, _second, _third;
        private readonly BatchNorm _batchNorm;
        private readonly GroupNorm _groupNorm;
        private readonly Linear _classes;

        public Cnn()
        {
            _first = Add("conv1", new Conv(1, 8, [3, 3], new ConvOptions { Padding = [1] }));
            _batchNorm = Add("bn1", new BatchNorm(8));
            _second = Add("conv2", new Conv(8, 16, [3, 3], new ConvOptions { Stride = [2], Padding = [1] }));
            _groupNorm = Add("gn2", new GroupNorm(2, 16));
            _third = Add("conv3", new Conv(16, 16, [3, 3], new ConvOptions { Padding = [1], Groups = 2 }));
            _classes = Add("fc", new Linear(16, 4));
        }

        public long Count(IReadOnlyDictionary<string, Tensor> batch) => batch["labels"].Count;

        public Tensor Of(IReadOnlyDictionary<string, Tensor> batch, double count, ForwardPass pass)
        {
            Tensor x = pass.Scope.Use(batch["image"]).To(DType.Float32) / 255.0;
            x = _batchNorm.Forward(_first.Forward(x, pass), pass).Relu().MaxPool([2, 2]);
            x = _groupNorm.Forward(_second.Forward(x, pass), pass).Gelu();
            x += _third.Forward(x, pass).Silu();
            Tensor logits = _classes.Forward(x.Mean([2, 3]), pass);
            return Loss.CrossEntropy(logits, pass.Scope.Use(batch["labels"]).To(DType.Int64), reduction: Reduction.Sum) / count;
        }
    }

    /// <summary>Two LSTM layers between an embedding and a head; every row starts from zero.</summary>
    internal sealed class LstmLanguageModel : Module, IGoldenLoss
    {
        private readonly Embedding _embedding;
        private readonly Lstm _lstm;
        private readonly Linear _head;

        public LstmLanguageModel()
        {
            _embedding = Add("emb", new Embedding(64, 16));
            _lstm = Add("lstm", new Lstm(16, 32, new RecurrentOptions { NumLayers = 2, BatchFirst = true }));
            _head = Add("head", new Linear(32, 64));
        }

        public long Count(IReadOnlyDictionary<string, Tensor> batch)
        {
            Tensor labels = batch["labels"];
            return labels.Slice(1, 1, labels.Shape[1] - 1).ToDoubles().Count(l => l >= 0);
        }

        public Tensor Of(IReadOnlyDictionary<string, Tensor> batch, double count, ForwardPass pass)
        {
            Tensor ids = pass.Scope.Use(batch["input_ids"]).To(DType.Int64), labels = pass.Scope.Use(batch["labels"]).To(DType.Int64);
            long length = ids.Shape[1];
            Tensor hidden = _lstm.Forward(_embedding.Forward(ids, pass), pass).Output;          // (B, T, C)
            Tensor logits = _head.Forward(hidden.Slice(1, 0, length - 1).Reshape(-1, 32), pass);
            return Loss.CrossEntropy(logits, labels.Slice(1, 1, length - 1).Reshape(-1), reduction: Reduction.Sum) / count;
        }
    }
}
