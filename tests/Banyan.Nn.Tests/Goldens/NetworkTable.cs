namespace Banyan.Nn.Tests.Goldens;

/// <summary>Runs the whole networks among the golden cases.</summary>
internal static class NetworkTable
{
    private const double Layer = 1e-5, Stack = 1e-4;

    /// <summary>The tolerance of the outputs, or null where the case is another table's.</summary>
    public static double? Run(LayerCase c) => c.Name switch
    {
        _ when c.Name.StartsWith("cnn_lenet", StringComparison.Ordinal) => Classifier(c, c.Load(new LeNet((int)At(c, "conv1.weight", 1), (int)At(c, "fc2.weight", 0), (int)At(c, "conv1.weight", 0), (int)At(c, "conv2.weight", 0), (int)At(c, "fc1.weight", 0))).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_alexnet", StringComparison.Ordinal) => Classifier(c, c.Load(AlexNet(c)).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_inception", StringComparison.Ordinal) => One(c, c.Load(Inception(c)).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_dense_layer", StringComparison.Ordinal) =>
            One(c, c.Load(new DenseLayer((int)At(c, "conv1.weight", 1), (int)At(c, "conv1.weight", 0), (int)At(c, "conv2.weight", 0))).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_squeeze_excitation", StringComparison.Ordinal) => One(c, c.Load(new SqueezeExcitation((int)At(c, "fc1.weight", 1), (int)At(c, "fc1.weight", 0))).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_resnet", StringComparison.Ordinal) => Classifier(c, c.Load(ResNet(c)).Forward(c.In("x"), c.Pass)),
        _ when c.Name.StartsWith("cnn_residual", StringComparison.Ordinal) => One(c, c.Load(Residual(c)).Forward(c.In("x"), c.Pass)),
        "cnn_lstm_vqa" => Classifier(c, c.Load(new CnnLstmVqa(((int)At(c, "cnn.0.weight", 0), (int)At(c, "cnn.2.weight", 0)), (int)At(c, "embed.weight", 0), (int)At(c, "embed.weight", 1), (int)At(c, "fuse.weight", 1),
            (int)At(c, "fuse.weight", 0), (int)At(c, "head.weight", 0))).Forward(c.In("image"), c.In("question"), Array.ConvertAll(c.Get("in.lengths").ToArray<long>(), n => (int)n), c.Pass)),
        "autoencoder" => Autoencoder(c),
        "vae" => Variational(c),
        "gan_step" => Adversarial(c),
        _ when c.Name.StartsWith("rbm", StringComparison.Ordinal) => Boltzmann(c),
        "dbn_greedy" => Belief(c),
        _ when c.Name.StartsWith("s4d", StringComparison.Ordinal) => StateSpace(c),
        _ => null,
    };

    private static long At(LayerCase c, string weight, int dim) => c.WeightShape(weight)[dim];

    private static double? One(LayerCase c, Tensor y)
    {
        c.Out("y", y);
        return Stack;
    }

    private static double? Classifier(LayerCase c, Tensor logits)
    {
        c.Out("logits", logits);
        c.Out("loss", Loss.CrossEntropy(logits, c.Pass.Scope.Use(c.Get("in.labels"))));
        return Stack;
    }

    private static AlexNet AlexNet(LayerCase c)
    {
        int last = (int)At(c, "features.10.weight", 0);
        return new AlexNet(new()
        {
            Channels = [.. new[] { 0, 3, 6, 8, 10 }.Select(i => (int)At(c, $"features.{i}.weight", 0))], Hidden = [(int)At(c, "classifier.1.weight", 0), (int)At(c, "classifier.4.weight", 0)],
            Side = (int)Math.Sqrt(At(c, "classifier.1.weight", 1) / last), Classes = (int)At(c, "classifier.6.weight", 0), Dropout = 0,
        });
    }

    private static Inception Inception(LayerCase c)
    {
        int Out(string branch) => (int)At(c, $"{branch}.conv.weight", 0);
        return new Inception((int)At(c, "branch1.conv.weight", 1), Out("branch1"), Out("branch2.0"), Out("branch2.1"), Out("branch3.0"), Out("branch3.1"), Out("branch4.1"));
    }

    private static ResidualBlock Residual(LayerCase c)
    {
        bool bottleneck = c.WeightNames.Contains("conv3.weight"), shrinks = c.In("x").Shape[2] != c.Get("out.y").Shape[2];
        return new ResidualBlock((int)At(c, "conv1.weight", 1), (int)At(c, bottleneck ? "conv3.weight" : "conv2.weight", 0), shrinks ? 2 : 1, bottleneck ? (int)At(c, "conv1.weight", 0) : null);
    }

    private static ResidualNetwork ResNet(LayerCase c)
    {
        int[] depths = [.. Enumerable.Range(1, 4).Select(s => c.WeightNames.Count(n => n.StartsWith($"layer{s}.", StringComparison.Ordinal) && n.EndsWith(".conv1.weight", StringComparison.Ordinal))).Where(n => n > 0)];
        return new ResidualNetwork((int)At(c, "conv1.weight", 1), [.. depths.Select((_, s) => (int)At(c, $"layer{s + 1}.0.conv1.weight", 0))], depths, (int)At(c, "fc.weight", 0));
    }

    private static double? Autoencoder(LayerCase c)
    {
        var net = c.Load(new Autoencoder((int)At(c, "0.weight", 1), (int)At(c, "0.weight", 0), (int)At(c, "2.weight", 0)));
        Tensor y = net.Forward(c.In("x"), c.Pass);
        c.Out("y", y);
        c.Out("loss", Loss.Mse(y, c.In("x").Detach()));   // the reference takes no gradient through the target
        return Layer;
    }

    private static double? Variational(LayerCase c)
    {
        var net = c.Load(new VariationalAutoencoder((int)At(c, "enc.weight", 1), (int)At(c, "enc.weight", 0), (int)At(c, "mu.weight", 0)));
        VariationalCode code = net.Forward(c.In("x"), c.In("eps"), c.Pass);
        (Tensor reconstruction, Tensor kl) = VariationalAutoencoder.Bound(code, c.In("x"));
        foreach ((string name, Tensor value) in ((string, Tensor)[])[("mu", code.Mu), ("logvar", code.LogVar), ("z", code.Code), ("logits", code.Logits), ("reconstruction", reconstruction), ("kl", kl),
            ("loss", reconstruction + kl * c.Value("beta"))])
        {
            c.Out(name, value);
        }
        c.Differentiate("loss");
        return Layer;
    }

    private static double? Adversarial(LayerCase c)
    {
        var net = c.Load(new GenerativeAdversarialNetwork((int)At(c, "G.0.weight", 1), (int)At(c, "G.0.weight", 0), (int)At(c, "D.0.weight", 1)));
        Tensor fake = net.Generate(c.In("z"), c.Pass), judge = net.DiscriminatorLoss(c.In("x"), fake, c.Pass);
        c.Out("fake", fake);
        c.Out("loss_discriminator", judge);
        judge.Backward();
        c.CheckGradients("D.");
        net.ZeroGrad();
        Tensor make = net.GeneratorLoss(net.Generate(c.In("z"), c.Pass), c.Pass);
        c.Out("loss_generator", make);
        make.Backward();
        c.CheckGradients("G.");
        return Layer;
    }

    private static double? Boltzmann(LayerCase c)
    {
        var machine = c.Load(new RestrictedBoltzmannMachine((int)At(c, "W", 1), (int)At(c, "W", 0)));
        Tensor seen = c.In("v0");
        ContrastiveDivergence cd = machine.Sample(seen, i => c.In($"uniform.{i}"), (int)c.Value("k"));
        void Each(string name, IReadOnlyList<Tensor> values, int from = 0)
        {
            foreach ((int i, Tensor value) in values.Index())
            {
                c.Out(string.Format(System.Globalization.CultureInfo.InvariantCulture, name, i + from), value);
            }
        }
        Each("h{0}_prob", cd.HiddenProbabilities);
        Each("h{0}", cd.Hidden);
        Each("v{0}_prob", cd.VisibleProbabilities, 1);
        Each("v{0}", cd.Visible, 1);
        (double rate, Tensor last) = (c.Value("learning_rate"), cd.Visible[^1]);
        c.Out("free_energy_v0", machine.FreeEnergy(seen));
        c.Out("free_energy_vk", machine.FreeEnergy(last));
        c.Out("dW", cd.Weight);
        c.Out("dbv", cd.VisibleBias);
        c.Out("dbh", cd.HiddenBias);
        machine.Step(cd.Weight * rate, cd.VisibleBias * rate, cd.HiddenBias * rate);
        c.Out("W_new", machine.Weight);
        c.Out("bv_new", machine.VisibleBias);
        c.Out("bh_new", machine.HiddenBias);
        return Layer;
    }

    private static double? Belief(LayerCase c)
    {
        var net = c.Load(new DeepBeliefNetwork([(int)At(c, "0.W", 1), (int)At(c, "0.W", 0), (int)At(c, "1.W", 0)]));
        IReadOnlyList<Tensor> features = net.Train(c.In("data"), (int)c.Value("batch"), (int)c.Value("epochs"), c.Value("learning_rate"), c.Value("momentum"), (layer, step, draw) => c.In($"uniform.{layer}.{step}.{draw}"));
        foreach ((int i, Tensor hidden) in features.Index())
        {
            c.Out($"{i}.hidden_probabilities", hidden);
            c.Out($"{i}.W", net.Layers[i].Weight);
            c.Out($"{i}.bv", net.Layers[i].VisibleBias);
            c.Out($"{i}.bh", net.Layers[i].HiddenBias);
        }
        return Layer;
    }

    private static double? StateSpace(LayerCase c)
    {
        S4D layer = c.Load(new S4D((int)At(c, "A_imag", 0), (int)At(c, "A_imag", 1), c.Name.EndsWith("bilinear", StringComparison.Ordinal)));
        c.Out("y", layer.Forward(c.In("u"), c.Pass));
        c.Out("kernel", layer.Kernel((int)c.In("u").Shape[2], c.Pass));
        return Stack;
    }
}
