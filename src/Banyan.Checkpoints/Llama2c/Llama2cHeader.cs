using System.Buffers.Binary;
using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary>The 7 numbers (int32, little-endian) at the beginning of a llama2.c file. A negative vocabulary means a separate output matrix.</summary>
internal sealed record Llama2cHeader(
    int HiddenSize, int IntermediateSize, int NumHiddenLayers, int NumAttentionHeads, int NumKeyValueHeads, int VocabSize, bool TieWordEmbeddings,
    int MaxPositionEmbeddings)
{
    public const int ByteCount = 28;
    private const int LaterMagic = 0x616b3432; // "ak42": versions 1 and 2 of the format begin with it

    public int HeadDim => HiddenSize / NumAttentionHeads;

    public int KeyValueSize => HeadDim * NumKeyValueHeads;

    public static Llama2cHeader Read(MappedFile file)
    {
        if (file.Length < ByteCount)
        {
            throw new CheckpointException(file.Path, $"{file.Length} bytes are too few for a llama2.c file, which begins with {ByteCount} bytes of header");
        }
        using TensorBytes bytes = file.Window(0, ByteCount);
        var n = new int[7];
        for (int i = 0; i < n.Length; i++)
        {
            n[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes.Slice(4 * i, 4));
        }
        if (n[0] == LaterMagic)
        {
            throw new CheckpointException(file.Path, $"is a llama2.c file of version {n[1]}; expected the legacy format without magic number (export.py --version 0)");
        }
        CheckRanges(file.Path, n);
        return new Llama2cHeader(n[0], n[1], n[2], n[3], n[4], Math.Abs(n[5]), n[5] > 0, n[6]);
    }

    // Hugging Face's keys; what llama2.c fixes in its code (epsilon, rotary base, activation, special tokens) is written out.
    public ConfigReader ToConfig(string path)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("model_type", "llama");
            foreach ((string key, int value) in Numbers())
            {
                json.WriteNumber(key, value);
            }
            json.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
            json.WriteBoolean("attention_bias", false);
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("rms_norm_eps", 1e-5);
            json.WriteNumber("rope_theta", 10000.0);
            json.WriteString("torch_dtype", "float32");
            json.WriteEndObject();
        }
        return ConfigReader.Parse(bytes.ToArray(), path);
    }

    private (string Key, int Value)[] Numbers() =>
    [
        ("vocab_size", VocabSize), ("hidden_size", HiddenSize), ("intermediate_size", IntermediateSize), ("num_hidden_layers", NumHiddenLayers),
        ("num_attention_heads", NumAttentionHeads), ("num_key_value_heads", NumKeyValueHeads), ("max_position_embeddings", MaxPositionEmbeddings),
        ("bos_token_id", 1), ("eos_token_id", 2),
    ];

    private static void CheckRanges(string path, int[] n)
    {
        Check(n[0] > 0 && n[1] > 0 && n[5] is not (0 or int.MinValue) && n[6] > 0, "dim, hidden_dim, vocab_size and seq_len that are not 0");
        Check(n[2] is > 0 and <= 4096, "n_layers from 1 to 4096");
        Check(n[3] > 0 && n[0] % n[3] == 0 && n[0] / n[3] % 2 == 0, "n_heads that divide dim into heads of even size");
        Check(n[4] > 0 && n[3] % n[4] == 0, "n_kv_heads that divide n_heads");

        void Check(bool ok, string expected)
        {
            if (!ok)
            {
                throw new CheckpointException(path, $"the header has dim {n[0]}, hidden_dim {n[1]}, n_layers {n[2]}, n_heads {n[3]}, n_kv_heads {n[4]}, "
                    + $"vocab_size {n[5]}, seq_len {n[6]}; expected {expected} (is this a llama2.c file?)");
            }
        }
    }
}
