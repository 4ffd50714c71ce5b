using System.Globalization;

namespace Banyan.Training.Logging;

/// <summary>
/// The three summaries of TensorBoard's plugin <c>hparams</c>: what is compared, the values of this run, how it ended. Values are
/// <c>google.protobuf.Value</c> (2 number, 3 text).
/// </summary>
internal static class HyperparameterProtos
{
    private const int StringType = 1;
    private const int Float64Type = 3;

    public static ProtoMessage Experiment(IEnumerable<KeyValuePair<string, object>> hyperparameters, IEnumerable<string> metricTags)
    {
        var experiment = new ProtoMessage();
        foreach ((string name, object value) in hyperparameters)
        {
            experiment.Message(4, new ProtoMessage().Text(1, name).Integer(4, value is string ? StringType : Float64Type));
        }
        foreach (string tag in metricTags)
        {
            experiment.Message(5, new ProtoMessage().Message(1, new ProtoMessage().Text(2, tag)));
        }
        return Summary("_hparams_/experiment", 2, experiment);
    }

    public static ProtoMessage SessionStart(IEnumerable<KeyValuePair<string, object>> hyperparameters)
    {
        var session = new ProtoMessage();
        foreach ((string name, object value) in hyperparameters)
        {
            session.Message(1, new ProtoMessage().Text(1, name).Message(2, Value(name, value)));
        }
        return Summary("_hparams_/session_start_info", 3, session);
    }

    public static ProtoMessage SessionEnd(bool succeeded) =>
        Summary("_hparams_/session_end_info", 4, new ProtoMessage().Integer(1, succeeded ? 1 : 2));

    private static ProtoMessage Summary(string tag, int field, ProtoMessage content)
    {
        ProtoMessage data = new ProtoMessage().Text(1, "hparams").Message(2, new ProtoMessage().Message(field, content));
        return new ProtoMessage().Text(1, tag).Message(9, EventProtos.Plugin(data));
    }

    private static ProtoMessage Value(string name, object value) => value switch
    {
        string text => new ProtoMessage().Text(3, text),
        bool or int or long or float or double => new ProtoMessage().Double(2, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        _ => throw new ArgumentException($"hyperparameter \"{name}\" is a {value.GetType().Name}; expected bool, int, long, float, double or string"),
    };
}
