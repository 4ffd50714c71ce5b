using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Testing;
using Microsoft.Extensions.AI;

namespace Banyan.Inference.Tests;

/// <summary>The real all-MiniLM-L6-v2 against sentence-transformers: every element within 1e-5.</summary>
[Trait("Category", "Golden")]
public sealed class TextEmbedderTests
{
    private static string Folder(params string[] names) => SharedFolder.Get(["goldens", "embeddings", .. names]);

    [GoldenFact]
    public void Sentences()
    {
        using var embedder = TextEmbedder.Load(Folder("all-MiniLM-L6-v2"));
        JsonElement[] sentences = [.. Case("sentences").GetProperty("sentences").EnumerateArray()];
        using SafetensorsFile data = SafetensorsFile.Open(Path.Combine(Folder("sentences"), "data.safetensors"));
        Close(data.LoadTensor("embeddings").ToDoubles(), embedder.Embed([.. sentences.Select(s => s.GetProperty("text").GetString()!)]));
    }

    [GoldenFact]
    public void Ranking()
    {
        using var embedder = TextEmbedder.Load(Folder("all-MiniLM-L6-v2"));
        JsonElement c = Case("retrieval");
        using SafetensorsFile data = SafetensorsFile.Open(Path.Combine(Folder("retrieval"), "data.safetensors"));
        Close(data.LoadTensor("query_embeddings").ToDoubles(), embedder.Embed(Texts(c, "queries")));
        Close(data.LoadTensor("doc_embeddings").ToDoubles(), embedder.Embed(Texts(c, "docs")));
    }

    [GoldenFact]
    public async Task Embedding_generator()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = TextEmbedder.Load(Folder("all-MiniLM-L6-v2"));
        GeneratedEmbeddings<Embedding<float>> two = await generator.GenerateAsync(["A red ball.", "Ein roter Ball, sehr weit von allem anderen entfernt."]);
        Assert.Equal(384, two[0].Vector.Length);
        Assert.True(two.Usage!.InputTokenCount > 10);
        // Alone and beside a longer text: the same bits.
        Assert.Equal((await generator.GenerateAsync(["A red ball."]))[0].Vector.ToArray(), two[0].Vector.ToArray());
        Assert.Equal(384, generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
        await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["x"], new() { Dimensions = 100 }));
    }

    private static JsonElement Case(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(name), "case.json"))).RootElement;

    private static string[] Texts(JsonElement c, string name) => [.. c.GetProperty(name).EnumerateArray().Select(t => t.GetString()!)];

    private static void Close(double[] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Sum(a => a.Length));
        Assert.True(expected.Zip(actual.SelectMany(a => a), (e, a) => Math.Abs(e - a)).Max() <= 1e-5);
    }
}
