using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// The loss of detectors that predict a set (Carion et al. 2020, arXiv:2005.12872): each object of a picture is paired with the query whose class and box cost least, and all other queries
/// should say "nothing".
/// </summary>
/// <param name="Labels">Number of classes; the last logit, one more, is "nothing".</param>
/// <param name="ClassCost">Factor of the probability in a pair's cost.</param>
/// <param name="BoxCost">Factor of the distance of the boxes there.</param>
/// <param name="GiouCost">Factor of their generalised overlap there.</param>
/// <param name="BoxLoss">Factor of the distance in the loss.</param>
/// <param name="GiouLoss">Factor of the generalised overlap in the loss.</param>
/// <param name="Nothing">Weight of "nothing" in the cross entropy.</param>
public sealed record SetLoss(int Labels, double ClassCost, double BoxCost, double GiouCost, double BoxLoss, double GiouLoss, double Nothing)
{
    /// <summary>Reads the keys of DETR's <c>config.json</c>.</summary>
    /// <exception cref="CheckpointException">The loss of every layer is asked for, which is not supported.</exception>
    public static SetLoss Read(ConfigReader c)
    {
        ConfigChecks.Only(c, "auxiliary_loss", false, "losses of the layers between are not supported");
        return new(LabelConfig.Read(c).Count, c.GetDouble("class_cost", 1), c.GetDouble("bbox_cost", 5), c.GetDouble("giou_cost", 2), c.GetDouble("bbox_loss_coefficient", 5),
            c.GetDouble("giou_loss_coefficient", 2), c.GetDouble("eos_coefficient", 0.1, min: 0));
    }

    /// <summary>Adds logits, boxes and, where objects are given, the loss and its parts to the outputs.</summary>
    /// <param name="logits">(B, Q, labels + 1).</param>
    /// <param name="boxes">(B, Q, 4): centre, width and height, as shares of the picture.</param>
    /// <param name="inputs">Where the objects are: <c>labels.0.class_labels</c> (n), <c>labels.0.boxes</c> (n, 4) of the first picture, and so on.</param>
    /// <param name="pass">Owner, mode and taps.</param>
    public ModelOutputs Outputs(Tensor logits, Tensor boxes, ModelInputs inputs, ForwardPass pass)
    {
        int images = (int)logits.Shape[0];
        Tensor?[] classes = [.. Enumerable.Range(0, images).Select(i => inputs.Find($"labels.{i}.class_labels"))];
        Tensor?[] places = [.. Enumerable.Range(0, images).Select(i => inputs.Find($"labels.{i}.boxes"))];
        inputs.CheckAllRead();
        var outputs = new ModelOutputs();
        if (classes.All(c => c is null))
        {
            return outputs.With("logits", logits).With("pred_boxes", boxes);
        }
        var objects = new (int[] Classes, double[] Boxes)[images];
        for (int i = 0; i < images; i++)
        {
            Tensor c = inputs.Require($"labels.{i}.class_labels"), b = inputs.Require($"labels.{i}.boxes");
            objects[i] = (Array.ConvertAll(c.ToDoubles(), v => v >= 0 && v < Labels ? (int)v : throw new ArgumentException($"labels.{i}.class_labels has {v}; expected 0 to {Labels - 1}")), b.ToDoubles());
            if (objects[i].Boxes.Length != 4 * objects[i].Classes.Length || objects[i].Classes.Length > logits.Shape[1])
            {
                throw new ArgumentException($"labels.{i} has {objects[i].Classes.Length} classes and boxes {b.Shape}; expected four numbers for each of at most {logits.Shape[1]} objects");
            }
        }
        return Add(outputs, logits, boxes, objects, pass.Scope);
    }

    private ModelOutputs Add(ModelOutputs outputs, Tensor logits, Tensor boxes, (int[] Classes, double[] Boxes)[] objects, Scope scope)
    {
        (int images, int queries) = ((int)logits.Shape[0], (int)logits.Shape[1]);
        double[] probabilities = logits.Detach().Softmax(-1).ToDoubles(), predicted = boxes.ToDoubles();
        long[] classes = [.. Enumerable.Repeat((long)Labels, images * queries)];
        List<long> paired = [];
        List<float> wanted = [];
        for (int i = 0; i < images; i++)
        {
            (int[] own, double[] places) = objects[i];
            var cost = new double[own.Length, queries];
            for (int o = 0; o < own.Length; o++)
            {
                double[] box = places[(4 * o)..(4 * o + 4)];
                for (int q = 0; q < queries; q++)
                {
                    int row = i * queries + q;
                    double[] guess = predicted[(4 * row)..(4 * row + 4)];
                    double distance = Math.Abs(guess[0] - box[0]) + Math.Abs(guess[1] - box[1]) + Math.Abs(guess[2] - box[2]) + Math.Abs(guess[3] - box[3]);
                    cost[o, q] = BoxCost * distance - ClassCost * probabilities[row * (Labels + 1) + own[o]] - GiouCost * Giou(guess, box);
                }
            }
            foreach ((int o, int q) in LinearAssignment.Solve(cost).Index())
            {
                classes[i * queries + q] = own[o];
                paired.Add(i * queries + q);
                wanted.AddRange(places[(4 * o)..(4 * o + 4)].Select(v => (float)v));
            }
        }
        int count = Math.Max(1, paired.Count);
        Tensor weights = scope.From<float>([.. Enumerable.Repeat(1f, Labels), (float)Nothing], [Labels + 1]);
        Tensor ce = Loss.CrossEntropy(logits.Reshape(images * queries, -1), scope.From<long>(classes, [classes.Length]), weights);
        Tensor pairs = boxes.Reshape(-1, 4).Embedding(scope.From<long>([.. paired], [paired.Count])), targets = scope.From<float>([.. wanted], [paired.Count, 4]);
        Tensor distances = (pairs - targets).Abs().Sum() / count, giou = (1 - Giou(pairs, targets)).Sum() / count;
        return outputs.With("loss", ce + distances * BoxLoss + giou * GiouLoss).With("loss_dict.loss_ce", ce).With("loss_dict.cardinality_error", CardinalityError(logits, objects, scope))
            .With("loss_dict.loss_bbox", distances).With("loss_dict.loss_giou", giou).With("logits", logits).With("pred_boxes", boxes);
    }

    // How far the number of queries that say something is from the number of objects; a measure, without gradient.
    private Tensor CardinalityError(Tensor logits, (int[] Classes, double[] Boxes)[] objects, Scope scope)
    {
        double[] best = logits.Detach().ArgMax(2).ToDoubles();
        int queries = (int)logits.Shape[1];
        double error = objects.Select((o, i) => Math.Abs(best[(i * queries)..((i + 1) * queries)].Count(c => c != Labels) - o.Classes.Length)).Average();
        return scope.From<float>([(float)error], []);
    }

    // Generalised intersection over union (Rezatofighi et al. 2019, arXiv:1902.09630) of boxes (centre, size), as numbers and as tensors (n, 4).
    private static double Giou(double[] a, double[] b)
    {
        (double overlap, double hull) = (1, 1);
        for (int d = 0; d < 2; d++)
        {
            (double lowA, double highA, double lowB, double highB) = (a[d] - a[d + 2] / 2, a[d] + a[d + 2] / 2, b[d] - b[d + 2] / 2, b[d] + b[d + 2] / 2);
            overlap *= Math.Max(0, Math.Min(highA, highB) - Math.Max(lowA, lowB));
            hull *= Math.Max(highA, highB) - Math.Min(lowA, lowB);
        }
        double union = a[2] * a[3] + b[2] * b[3] - overlap;
        return overlap / union - (hull - union) / hull;
    }

    private static Tensor Giou(Tensor a, Tensor b)
    {
        (Tensor lowA, Tensor highA, Tensor sizeA) = Corners(a);
        (Tensor lowB, Tensor highB, Tensor sizeB) = Corners(b);
        Tensor overlap = Area((Tensor.Minimum(highA, highB) - Tensor.Maximum(lowA, lowB)).Relu()), hull = Area(Tensor.Maximum(highA, highB) - Tensor.Minimum(lowA, lowB));
        Tensor union = Area(sizeA) + Area(sizeB) - overlap;
        return overlap / union - (hull - union) / hull;
    }

    private static (Tensor Low, Tensor High, Tensor Size) Corners(Tensor box)
    {
        Tensor centre = box.Slice(1, 0, 2), half = box.Slice(1, 2, 2) / 2, low = centre - half, high = centre + half;
        return (low, high, high - low);
    }

    private static Tensor Area(Tensor sides) => sides.Select(1, 0) * sides.Select(1, 1);
}

/// <summary>Three layers with relu between: the head that tells a box or a class.</summary>
public sealed class SetHead : Module
{
    private readonly Linear[] _layers;

    internal SetHead(int width, int outputs, double initStd) =>
        _layers = [.. Enumerable.Range(0, 3).Select(i => Add($"layers.{i}", new Linear(width, i == 2 ? outputs : width, initializer: Initializer.Normal(initStd))))];

    internal Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _layers[2].Forward(_layers[1].Forward(_layers[0].Forward(x, pass).Relu(), pass).Relu(), pass));
}
