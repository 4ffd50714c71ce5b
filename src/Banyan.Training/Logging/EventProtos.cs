namespace Banyan.Training.Logging;

/// <summary>
/// The messages of TensorBoard's <c>event.proto</c> and <c>summary.proto</c>. Field numbers: Event 1 wall_time, 2 step, 3 file_version, 5 summary,
/// 7 session_log, 10 source_metadata; Value 1 tag, 2 simple_value, 8 tensor, 9 metadata.
/// </summary>
internal static class EventProtos
{
    private const string FileVersion = "brain.Event:2";

    public static ProtoMessage Version(double wallTime, string writer) =>
        new ProtoMessage().Double(1, wallTime).Text(3, FileVersion).Message(10, new ProtoMessage().Text(1, writer));

    public static ProtoMessage Version(double wallTime, long step) => At(wallTime, step).Text(3, FileVersion);

    // From this step on, TensorBoard drops the events of earlier files.
    public static ProtoMessage SessionStart(double wallTime, long step) => At(wallTime, step).Message(7, new ProtoMessage().Integer(1, 1));

    public static ProtoMessage Summary(double wallTime, long step, ProtoMessage value) =>
        At(wallTime, step).Message(5, new ProtoMessage().Message(1, value));

    // A member of a oneof is written also where it is 0.
    public static ProtoMessage Scalar(string tag, float value) => new ProtoMessage().Text(1, tag).Float(2, value);

    public static ProtoMessage Text(string tag, string text)
    {
        ProtoMessage shape = new ProtoMessage().Message(2, new ProtoMessage().Integer(1, 1)); // one dimension of size 1
        ProtoMessage tensor = new ProtoMessage().Integer(1, 7).Message(2, shape).Text(8, text); // 7: DT_STRING
        return new ProtoMessage().Text(1, tag).Message(8, tensor).Message(9, Plugin(new ProtoMessage().Text(1, "text")));
    }

    public static ProtoMessage Plugin(ProtoMessage data) => new ProtoMessage().Message(1, data);

    private static ProtoMessage At(double wallTime, long step)
    {
        ProtoMessage message = new ProtoMessage().Double(1, wallTime);
        return step == 0 ? message : message.Integer(2, step);
    }
}
