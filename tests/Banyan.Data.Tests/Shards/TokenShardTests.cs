using System.Buffers.Binary;
using Banyan.Data.Corpora;
using Banyan.Data.Shards;
using Banyan.Data.Tests.Corpora;
using Banyan.Testing;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Shards;

public sealed class TokenShardTests : IDisposable
{
    private const string Fingerprint = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Property(MaxTest = 60)]
    public void What_was_written_is_read(ulong seed, bool wide)
    {
        int vocabulary = wide ? 100_000 : 65_536;
        int[][] documents = RandomDocuments.Draw(seed, vocabulary);
        string path = Write("a.tokens", vocabulary, documents);
        using TokenShard shard = TokenShard.Open(path, Fingerprint);
        Assert.Equal(documents, shard.Documents().Select(d => d.ToArray()));
        Assert.Equal((vocabulary, Fingerprint), (shard.VocabularySize, shard.TokenizerFingerprint));
        Assert.Equal(96 + ((shard.TokenCount * (wide ? 4 : 2)) + 7) / 8 * 8 + (8 * (documents.Length + 1)), new FileInfo(path).Length);
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        byte[] bytes = File.ReadAllBytes(Write("a.tokens", 300, [[1, 258], [], [5]]));
        Assert.Equal("BNYANTOK"u8.ToArray(), bytes[..8]);
        Assert.Equal(Convert.FromHexString("0100000002000000" + "0300000000000000" + "0300000000000000" + "2C01000000000000" + Fingerprint), bytes[8..72]);
        Assert.Equal(Convert.FromHexString("0100" + "0201" + "0500" + "0000"), bytes[96..104]);
        Assert.Equal([0, 2, 2, 3], Enumerable.Range(0, 4).Select(i => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(104 + (8 * i)))));
        Assert.Equal(136, bytes.Length);
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(96, 6)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(72)));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(104)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(76)));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(0, 92)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(92)));
    }

    [Fact]
    public void More_tokens_than_one_block()
    {
        int[][] documents = [.. Enumerable.Range(0, 40).Select(d => Enumerable.Range(d, 5000).Select(i => i * 7 % 1000).ToArray())];
        using TokenShard shard = TokenShard.Open(Write("a.tokens", 1000, documents));
        Assert.Equal(documents, shard.Documents().Select(d => d.ToArray()));
    }

    [Fact]
    public void A_folder_reads_as_one_corpus_in_the_order_of_names()
    {
        Write("b.tokens", 300, [[3], [4, 5]]);
        Write("a.tokens", 300, [[1, 2]]);
        _folder.Write("notes.txt", "no shard");
        using TokenCorpus corpus = TokenShard.OpenFolder(_folder.Path);
        Assert.Equal([[1, 2], [3], [4, 5]], corpus.Documents().Select(d => d.ToArray()));
        Assert.Contains("holds no .tokens file", Assert.Throws<InvalidDataException>(
            () => TokenShard.OpenFolder(Directory.CreateDirectory(_folder["empty"]).FullName)).Message);
    }

    [Fact]
    public void Another_tokenizer_is_refused()
    {
        string path = Write("a.tokens", 300, [[1]]);
        string other = new('1', 64);
        Assert.Contains($"made by tokenizer {Fingerprint}, expected {other}",
            Assert.Throws<InvalidDataException>(() => TokenShard.Open(path, other)).Message);
        using (var writer = new ShardWriter(_folder["b.tokens"], 300, other))
        {
            writer.Complete();
        }
        Assert.Throws<InvalidDataException>(() => TokenShard.OpenFolder(_folder.Path)); // two shards of two tokenizers
    }

    [Fact]
    public void Without_completion_nothing_changes()
    {
        string path = Write("a.tokens", 300, [[1]]);
        byte[] before = File.ReadAllBytes(path);
        using (var writer = new ShardWriter(path, 300))
        {
            writer.Add([7]);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add([1, 300]));
            Assert.Equal((1, 1), (writer.TokenCount, writer.DocumentCount));
        }
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Arguments_of_the_writer_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShardWriter(_folder["x"], 0));
        Assert.Contains("expected 64 hexadecimal digits", Assert.Throws<ArgumentException>(() => new ShardWriter(_folder["x"], 10, "abc")).Message);
        Assert.Throws<DirectoryNotFoundException>(() => new ShardWriter(_folder["no/such/folder/x"], 10));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_disposed_shard_refuses_to_read()
    {
        TokenShard shard = TokenShard.Open(Write("a.tokens", 300, [[1]]));
        shard.Dispose();
        Assert.Throws<ObjectDisposedException>(() => shard.Read(0, new int[1]));
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_is_found()
    {
        byte[] good = File.ReadAllBytes(Write("a.tokens", 300, [[1, 258], [], [5]]));
        for (int length = 0; length < good.Length; length++)
        {
            Refused(good[..length]);
        }
        Refused([.. good, 0]);
        int[] gap = [102, 103]; // the bytes that no checksum covers
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            if (!gap.Contains(bit / 8))
            {
                Refused(bad);
            }
        }
    }

    // A hostile writer computes right checksums: whatever the counts and offsets say, the reader answers or refuses, and never crashes.
    [Fact]
    public void Mutations_with_right_checksums_are_refused_or_read()
    {
        byte[] good = File.ReadAllBytes(Write("a.tokens", 300, [[1, 258], [], [5], [2, 3, 4, 5, 6]]));
        var random = new CounterRandom(42);
        long[] evil = [-1, long.MinValue, long.MaxValue, 0, 1, int.MaxValue, 1L << 32, 1L << 62, 7];
        int read = 0;
        for (int i = 0; i < Fuzz.Many; i++)
        {
            byte[] bad = [.. good];
            for (int changes = 1 + random.NextInt(3); changes > 0; changes--)
            {
                int at = random.NextInt(bad.Length - 8);
                if (random.NextInt(2) == 0)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(bad.AsSpan(at & ~7), evil[random.NextInt(evil.Length)]);
                }
                else
                {
                    bad[at] = (byte)random.NextUInt();
                }
            }
            bad = random.NextInt(8) == 0 ? bad[..random.NextInt(bad.Length)] : bad;
            read += Refused(Resign(bad), isAllowedToPass: true) ? 0 : 1;
        }
        Assert.InRange(read, 1, Fuzz.Many * 9 / 10); // some mutations are harmless, most are not
    }

    private static byte[] Resign(byte[] file)
    {
        if (file.Length < 96)
        {
            return file;
        }
        long tokens = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(16));
        long bytes = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(12)) * Math.Clamp(tokens, 0, file.Length);
        int end = (int)Math.Clamp(96 + bytes, 96, file.Length), offsets = (int)Math.Clamp((96 + bytes + 7) & ~7L, 96, file.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(72), Crc32C.Compute(file.AsSpan(96..end)));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(76), Crc32C.Compute(file.AsSpan(offsets)));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(92), Crc32C.Compute(file.AsSpan(0, 92)));
        return file;
    }

    private bool Refused(byte[] file, bool isAllowedToPass = false)
    {
        string path = _folder.Write("fuzz.tokens", file);
        try
        {
            using TokenShard shard = TokenShard.Open(path);
            Assert.True(isAllowedToPass, "a damaged shard was accepted");
            Assert.Equal(shard.TokenCount, shard.Documents().Sum(d => (long)d.Length));
            Assert.All(shard.Documents().SelectMany(d => d.ToArray()), t => Assert.InRange(t, 0, shard.VocabularySize - 1));
            return false;
        }
        catch (InvalidDataException e)
        {
            Assert.StartsWith(path, e.Message);
            return true;
        }
    }

    private string Write(string name, int vocabularySize, int[][] documents)
    {
        using var writer = new ShardWriter(_folder[name], vocabularySize, Fingerprint);
        foreach (int[] document in documents)
        {
            writer.Add(document);
        }
        writer.Complete();
        return _folder[name];
    }
}
