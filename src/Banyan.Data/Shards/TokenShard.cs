using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Banyan.Data.Corpora;
using Microsoft.Win32.SafeHandles;
using static Banyan.Data.Shards.ShardHeader;

namespace Banyan.Data.Shards;

/// <summary>
/// A file of token ids with document boundaries, mapped into memory: opening costs no reading beyond the checks, and the system keeps in memory
/// what is used. The format is described in docs/formats/shards.md.
/// </summary>
/// <remarks>Who shortens a file while it is mapped crashes its readers; <see cref="ShardWriter"/> always replaces files by renaming.</remarks>
public sealed class TokenShard : TokenCorpus
{
    /// <summary>The extension of shard files.</summary>
    public const string Extension = ".tokens";

    private readonly SafeMemoryMappedViewHandle _view;
    private readonly ShardHeader _header;

    private TokenShard(string path, SafeMemoryMappedViewHandle view, in ShardHeader header) => (Path, _view, _header) = (path, view, header);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public override long TokenCount => _header.TokenCount;

    /// <inheritdoc/>
    public override long DocumentCount => _header.DocumentCount;

    /// <summary>Token ids are below this.</summary>
    public int VocabularySize => _header.VocabularySize;

    /// <summary>SHA-256 of what made the ids (by convention of the tokenizer's file), 64 lower-case hexadecimal digits.</summary>
    public string TokenizerFingerprint => _header.Fingerprint;

    /// <summary>Opens one shard.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tokenizerFingerprint">What the ids must have been made with; null accepts every tokenizer.</param>
    /// <param name="verifyTokens">
    /// True reads the whole file once: the checksum of the tokens, and that every id lies in the vocabulary. Header and document offsets are
    /// always checked.
    /// </param>
    /// <exception cref="InvalidDataException">The file is damaged, or made by another tokenizer.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TokenShard Open(string path, string? tokenizerFingerprint = null, bool verifyTokens = true)
    {
        (SafeMemoryMappedViewHandle view, ShardHeader header) = Map(path);
        var shard = new TokenShard(path, view, header);
        try
        {
            Check(tokenizerFingerprint is null || string.Equals(tokenizerFingerprint, header.Fingerprint, StringComparison.OrdinalIgnoreCase), path,
                $"its tokens were made by tokenizer {header.Fingerprint}, expected {tokenizerFingerprint}: tokenize again, or use that tokenizer");
            shard.VerifyOffsets();
            if (verifyTokens)
            {
                shard.VerifyTokens();
            }
            return shard;
        }
        catch
        {
            shard.Dispose();
            throw;
        }
    }

    /// <summary>Opens every *.tokens file directly in a folder, in the order of their names, as one corpus.</summary>
    /// <inheritdoc cref="Open"/>
    public static TokenCorpus OpenFolder(string folder, string? tokenizerFingerprint = null, bool verifyTokens = true)
    {
        string[] paths = Directory.GetFiles(folder, "*" + Extension);
        Check(paths.Length > 0, folder, $"holds no {Extension} file");
        var shards = new List<TokenShard>();
        try
        {
            foreach (string path in paths.Order(StringComparer.Ordinal))
            {
                shards.Add(Open(path, tokenizerFingerprint ?? shards.FirstOrDefault()?.TokenizerFingerprint, verifyTokens));
            }
            return Concat(shards);
        }
        catch
        {
            shards.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <inheritdoc/>
    public override long DocumentStart(long document)
    {
        CheckDocument(document);
        return _view.Read<long>((ulong)(_header.OffsetsAt + (document * 8)));
    }

    /// <inheritdoc/>
    public override void Read(long start, Span<int> tokens)
    {
        CheckRead(start, tokens.Length);
        ulong at = (ulong)(Size + (start * _header.TokenBytes));
        if (_header.TokenBytes == 4)
        {
            _view.ReadSpan(at, tokens);
            return;
        }
        // The narrow ids go to the end of their own destination and are widened from the front: each is read before it is overwritten.
        Span<ushort> narrow = MemoryMarshal.Cast<int, ushort>(tokens)[tokens.Length..];
        _view.ReadSpan(at, narrow);
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = narrow[i];
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _view.Dispose();

    private static (SafeMemoryMappedViewHandle View, ShardHeader Header) Map(string path)
    {
        // Sharing everything takes no lock: a writer may rename a new file over this one.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        byte[] start = new byte[Size];
        int read = stream.ReadAtLeast(start, Size, throwOnEndOfStream: false);
        ShardHeader header = ShardHeader.Read(start.AsSpan(0, read), stream.Length, path);
        using var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return (file.CreateViewAccessor(0, header.FileLength, MemoryMappedFileAccess.Read).SafeMemoryMappedViewHandle, header);
    }

    private void VerifyOffsets()
    {
        Check(Checksum(_header.OffsetsAt, (DocumentCount + 1) * 8) == _header.OffsetsCrc, Path,
            "the checksum of the document offsets does not fit: the file is damaged, write it again");
        long last = 0;
        for (long i = 0; i <= DocumentCount; i++)
        {
            long start = DocumentStart(i);
            Check(start >= last && start <= TokenCount && (i > 0 || start == 0) && (i < DocumentCount || start == TokenCount), Path,
                $"document offset {i} is {start} behind {last}, in a shard of {TokenCount} tokens: offsets rise from 0 to the number of tokens");
            last = start;
        }
    }

    private void VerifyTokens()
    {
        Check(Checksum(Size, TokenCount * _header.TokenBytes) == _header.TokensCrc, Path,
            "the checksum of the tokens does not fit: the file is damaged, write it again");
        int[] block = new int[Math.Min(TokenCount, 1 << 15)];
        for (long start = 0; start < TokenCount; start += block.Length)
        {
            Span<int> tokens = block.AsSpan(0, (int)Math.Min(block.Length, TokenCount - start));
            Read(start, tokens);
            foreach (int token in tokens)
            {
                if ((uint)token >= (uint)VocabularySize)
                {
                    throw new InvalidDataException($"{Path}: token id {(uint)token} in a vocabulary of {VocabularySize}");
                }
            }
        }
    }

    private uint Checksum(long start, long length)
    {
        byte[] block = new byte[Math.Min(length, 1 << 17)];
        uint crc = 0;
        for (long end = start + length; start < end; start += block.Length)
        {
            Span<byte> bytes = block.AsSpan(0, (int)Math.Min(block.Length, end - start));
            _view.ReadSpan((ulong)start, bytes);
            crc = Crc32C.Append(crc, bytes);
        }
        return crc;
    }
}
