
namespace Banyan.Tokenizers.Formats;

/// <summary>What a piece of a SentencePiece model is for.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

internal sealed record SentencePiece(string Text, float Score, PieceType Type);

/// <summary>The parts of a SentencePiece <c>ModelProto</c> (sentencepiece_model.proto) that encoding and decoding need, with the defaults of the format.</summary>
internal sealed class SentencePieceProto
{
    public const int Unigram = 1, Bpe = 2, Word = 3, Char = 4;

    public List<SentencePiece> Pieces { get; } = [];

    public int ModelType { get; private set; } = Unigram;

    public bool WhitespaceAsSuffix { get; private set; }

    public bool ByteFallback { get; set; }

    public string UnkSurface { get; private set; } = " \u2047 ";

    public string BosPiece { get; private set; } = "<s>";

    public string EosPiece { get; private set; } = "</s>";

    public string PadPiece { get; private set; } = "<pad>";

    public byte[] CharsMap { get; private set; } = [];

    public bool AddDummyPrefix { get; private set; } = true;

    public bool RemoveExtraWhitespaces { get; set; } = true;

    public bool EscapeWhitespaces { get; private set; } = true;

    /// <summary>A model without a file, for formats that hold pieces and scores only.</summary>
    public static SentencePieceProto Of(
        int modelType, IEnumerable<SentencePiece> pieces, bool byteFallback = true, bool addDummyPrefix = true, bool removeExtraWhitespaces = false, byte[]? charsMap = null)
    {
        SentencePieceProto proto = new()
        {
            ModelType = modelType, ByteFallback = byteFallback, AddDummyPrefix = addDummyPrefix, RemoveExtraWhitespaces = removeExtraWhitespaces, CharsMap = charsMap ?? [],
        };
        proto.Pieces.AddRange(pieces);
        return proto;
    }

    /// <exception cref="InvalidDataException">The bytes are no such message.</exception>
    public static SentencePieceProto Parse(ReadOnlySpan<byte> bytes)
    {
        SentencePieceProto proto = new();
        ProtoReader reader = new(bytes);
        while (reader.Next())
        {
            switch (reader.Type, reader.Field)
            {
                case (ProtoReader.Wire.Bytes, 1):
                    proto.Pieces.Add(ReadPiece(reader.Bytes));
                    break;
                case (ProtoReader.Wire.Bytes, 2):
                    proto.ReadTrainer(reader.Bytes);
                    break;
                case (ProtoReader.Wire.Bytes, 3):
                    proto.ReadNormalizer(reader.Bytes);
                    break;
            }
        }
        return proto;
    }

    private static SentencePiece ReadPiece(ReadOnlySpan<byte> bytes)
    {
        SentencePiece piece = new("", 0, PieceType.Normal);
        ProtoReader reader = new(bytes);
        while (reader.Next())
        {
            piece = (reader.Type, reader.Field) switch
            {
                (ProtoReader.Wire.Bytes, 1) => piece with { Text = System.Text.Encoding.UTF8.GetString(reader.Bytes) },
                (ProtoReader.Wire.Fixed32, 2) => piece with { Score = reader.Float },
                (ProtoReader.Wire.Varint, 3) when reader.Value is >= 1 and <= 6 => piece with { Type = (PieceType)reader.Value },
                _ => piece,
            };
        }
        return piece;
    }

    private void ReadTrainer(ReadOnlySpan<byte> bytes)
    {
        ProtoReader reader = new(bytes);
        while (reader.Next())
        {
            switch (reader.Type, reader.Field)
            {
                case (ProtoReader.Wire.Varint, 3) when reader.Value is >= Unigram and <= Char:
                    ModelType = (int)reader.Value;
                    break;
                case (ProtoReader.Wire.Varint, 24):
                    WhitespaceAsSuffix = reader.Bool;
                    break;
                case (ProtoReader.Wire.Varint, 35):
                    ByteFallback = reader.Bool;
                    break;
                case (ProtoReader.Wire.Bytes, 44):
                    UnkSurface = System.Text.Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case (ProtoReader.Wire.Bytes, 46):
                    BosPiece = System.Text.Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case (ProtoReader.Wire.Bytes, 47):
                    EosPiece = System.Text.Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case (ProtoReader.Wire.Bytes, 48):
                    PadPiece = System.Text.Encoding.UTF8.GetString(reader.Bytes);
                    break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> bytes)
    {
        ProtoReader reader = new(bytes);
        while (reader.Next())
        {
            switch (reader.Type, reader.Field)
            {
                case (ProtoReader.Wire.Bytes, 2):
                    CharsMap = reader.Bytes.ToArray();
                    break;
                case (ProtoReader.Wire.Varint, 3):
                    AddDummyPrefix = reader.Bool;
                    break;
                case (ProtoReader.Wire.Varint, 4):
                    RemoveExtraWhitespaces = reader.Bool;
                    break;
                case (ProtoReader.Wire.Varint, 5):
                    EscapeWhitespaces = reader.Bool;
                    break;
            }
        }
    }
}
