using System.Text;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class ConfigReaderTests
{
    private const string Llama = """
        {"hidden_size": 64, "rms_norm_eps": 1e-05, "hidden_act": "silu", "tie_word_embeddings": true, "eos_token_id": [2, 3], "pad_token_id": null,
         "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}, "time_step_limit": [0.0, Infinity], "scale": NaN, "limit": {"__float__": "-Infinity"}}
        """;

    [Fact]
    public void Reads_typed_values()
    {
        ConfigReader config = Parse(Llama);
        Assert.Equal(64, config.GetInt("hidden_size", min: 1));
        Assert.Equal(1e-5, config.GetDouble("rms_norm_eps"));
        Assert.Equal("silu", config.GetChoice("hidden_act", ["silu", "gelu"]));
        Assert.True(config.GetBool("tie_word_embeddings"));
        Assert.Equal([2L, 3L], config.GetLongs("eos_token_id"));
        Assert.Equal([64L], config.GetLongs("hidden_size"));
        Assert.Equal(7, config.GetInt("pad_token_id", 7));
        Assert.False(config.Has("pad_token_id"));
        Assert.Equal(8.0, config.GetObject("rope_scaling").GetDouble("factor"));
        Assert.Null(config.GetOptionalObject("quantization_config"));
        Assert.Equal([0.0, double.PositiveInfinity], config.GetDoubles("time_step_limit"));
        Assert.Equal(double.NegativeInfinity, config.GetDouble("limit", min: double.NegativeInfinity));
        Assert.Equal(["silu"], config.GetStrings("hidden_act"));
        Assert.Equal(["scale", "rope_scaling.rope_type"], config.UnreadKeys());
    }

    [Theory]
    [InlineData("num_hidden_layer", "\"num_hidden_layers\" is missing; expected an integer of at least 1; did you mean \"num_hidden_layer\"?")]
    [InlineData("x", "\"num_hidden_layers\" is missing; expected an integer of at least 1")]
    public void A_missing_key_is_named_with_its_neighbour(string key, string expected) =>
        Assert.Equal("config.json: " + expected, Error($$"""{"{{key}}": 4}""", c => c.GetInt("num_hidden_layers", min: 1)));

    [Fact]
    public void A_wrong_value_says_what_was_found_and_expected()
    {
        Assert.Equal("config.json: \"a\" is the text \"4\"; expected an integer", Error("""{"a": "4"}""", c => c.GetInt("a")));
        Assert.Equal("config.json: \"a\" is 4.5; expected an integer", Error("""{"a": 4.5}""", c => c.GetInt("a")));
        Assert.Equal("config.json: \"a\" is 3000000000; expected an integer", Error("""{"a": 3000000000}""", c => c.GetInt("a")));
        Assert.Equal("config.json: \"a\" is 2; expected a number from 0 to 1", Error("""{"a": 2}""", c => c.GetDouble("a", min: 0, max: 1)));
        Assert.Equal("config.json: \"a\" is null; expected true or false", Error("""{"a": null}""", c => c.GetBool("a")));
        Assert.Equal("config.json: \"a\" is an array; expected an object", Error("""{"a": []}""", c => c.GetObject("a")));
        Assert.Equal("config.json: \"o.b\" is missing; expected a text", Error("""{"o": {}}""", c => c.GetObject("o").GetString("b")));
        Assert.Equal("config.json: \"a\" is the text \"sliu\"; expected one of \"silu\", \"gelu\"; did you mean \"silu\"?",
            Error("""{"a": "sliu"}""", c => c.GetChoice("a", ["silu", "gelu"])));
        Assert.Equal("config.json: \"a\" is the text \"x\"; expected a list of integers", Error("""{"a": [1, "x"]}""", c => c.GetLongs("a")));
    }

    [Theory]
    [InlineData("[1]", "an array")]
    [InlineData("{\"a\": 1", "not valid JSON")]
    [InlineData("{\"a\": 1, \"a\": 2}", "not valid JSON")]
    [InlineData("{\"a\": NaNs}", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("\"", "not valid JSON")]
    [InlineData("{\"\\ud800\": 1}", "config.json")]
    public void What_is_no_object_is_refused(string json, string message) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Parse(json)).Message);

    [GoldenTheory, MemberData(nameof(GoldenConfigs)), Trait("Category", "Golden")]
    public void Reads_every_golden_config(string file)
    {
        ConfigReader config = ConfigReader.Open(Path.Combine(SharedFolder.Get("goldens", "models"), file));
        Assert.NotEmpty(config.Keys);
        Assert.NotEmpty(config.GetString("model_type"));
    }

    public static IEnumerable<object[]> GoldenConfigs() => Golden.Files("config.json", "goldens", "models");

    private static ConfigReader Parse(string json) => ConfigReader.Parse(Encoding.UTF8.GetBytes(json), "config.json");

    private static string Error(string json, Func<ConfigReader, object> read) => Assert.Throws<CheckpointException>(() => read(Parse(json))).Message;
}
