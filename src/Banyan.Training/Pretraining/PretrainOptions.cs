using Banyan.Checkpoints;

namespace Banyan.Training;

/// <summary>Everything that a pretraining run is told: the keys of a recipe, section by section.</summary>
public sealed record PretrainOptions
{
    /// <summary>The model: <c>type</c> and <c>depth</c>, keys of <c>config.json</c>, or <c>path</c> of a model to go on from.</summary>
    public required ConfigReader Model { get; init; }

    /// <summary>What is read.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>Steps, batches, evaluation, samples.</summary>
    public TrainOptions Train { get; init; } = new();

    /// <summary>How weights are updated.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>The learning rate over the steps.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>What happens when the loss is no number, or jumps.</summary>
    public GuardOptions Guard { get; init; } = new();

    /// <summary>Where the run lives.</summary>
    public RunOptions Run { get; init; } = new();

    /// <summary>Seed of weights, batches, dropout and samples. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Threads that compute; 0: all processors. Results do not depend on it. Default: 0.</summary>
    public int Threads { get; init; }

    /// <summary>Reads a recipe.</summary>
    /// <exception cref="CheckpointException">A key is unknown, missing or out of its range; the message names it.</exception>
    public static PretrainOptions Read(ConfigReader c)
    {
        var options = new PretrainOptions
        {
            Model = c.GetObject("model"),
            Data = DataOptions.Read(c.GetObject("data")),
            Train = TrainOptions.Read(Section(c, "train")),
            Optimizer = OptimizerOptions.Read(Section(c, "optimizer")),
            Schedule = ScheduleOptions.Read(Section(c, "schedule")),
            Guard = GuardOptions.Read(Section(c, "guard")),
            Run = RunOptions.Read(Section(c, "run")),
            Seed = c.GetLong("seed", 0),
            Threads = c.GetInt("threads", 0, min: 0, max: 1024),
        };
        // The model's keys are config.json's: the architecture reads them later.
        foreach (string key in options.Model.Keys)
        {
            options.Model.Has(key);
        }
        c.RefuseUnreadKeys();
        return options;
    }

    private static ConfigReader Section(ConfigReader c, string key) => c.GetOptionalObject(key) ?? ConfigReader.Parse("{}"u8, c.Source);
}

/// <summary>The section <c>data</c>.</summary>
public sealed record DataOptions
{
    /// <summary>Files, folders and patterns (.txt, .jsonl, .csv, gzipped or not).</summary>
    public required IReadOnlyList<string> Train { get; init; }

    /// <summary>The same for validation; empty: a part of the training data, by <see cref="Split"/>.</summary>
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>The share of the data that trains, where there are no validation files. Default: 0.9.</summary>
    public double Split { get; init; } = 0.9;

    /// <summary>True holds whole documents out, chosen by the seed; false the end of the text. Default: false.</summary>
    public bool SplitDocuments { get; init; }

    /// <summary><c>char</c>, <c>bpe</c> (trained on the data), or the path of a tokenizer. Default: bpe.</summary>
    public string Tokenizer { get; init; } = "bpe";

    /// <summary>Tokens of a trained tokenizer. Default: 4096.</summary>
    public int VocabSize { get; init; } = 4096;

    /// <summary><c>random</c>: blocks at random places, documents run together; <c>blocks</c>: neighbouring blocks, documents apart; <c>documents</c>: whole documents packed. Default: blocks.</summary>
    public string Packing { get; init; } = "blocks";

    /// <summary>How files are read.</summary>
    public Data.Readers.DocumentReaderOptions Reader { get; init; } = new();

    internal static DataOptions Read(ConfigReader c) => new()
    {
        Train = c.GetStrings("train") is { Length: > 0 } train ? train : throw new CheckpointException(c.Source, "\"data.train\" is missing; expected a file, a folder, a pattern, or a list of them"),
        Validation = c.GetStrings("validation"),
        Split = c.GetDouble("split", 0.9, min: 0.01, max: 0.9999),
        SplitDocuments = c.GetBool("split_documents", false),
        Tokenizer = c.GetString("tokenizer", "bpe"),
        VocabSize = c.GetInt("vocab_size", 4096, min: 257, max: 1 << 20),
        Packing = c.GetChoice("packing", ["random", "blocks", "documents"], "blocks"),
        Reader = new Data.Readers.DocumentReaderOptions
        {
            TextKey = c.GetString("text_key", "text"),
            Separator = c.Has("separator") ? c.GetString("separator") : null,
            Strict = c.GetBool("strict", false),
        },
    };
}

/// <summary>The section <c>train</c>.</summary>
public sealed record TrainOptions
{
    /// <summary>Optimizer steps. Default: 1000.</summary>
    public long Steps { get; init; } = 1000;

    /// <summary>Sequences of a micro-batch. Default: 8.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>Tokens of a sequence. Default: 256.</summary>
    public int Sequence { get; init; } = 256;

    /// <summary>Micro-batches of a step. Default: 1.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>The largest norm of the gradients; 0 is off. Default: 1.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>True computes the inside of blocks again instead of keeping it. Default: false.</summary>
    public bool CheckpointActivations { get; init; }

    /// <summary><c>float32</c>, or <c>bfloat16</c>: the operands of matrix products are rounded; weights, sums and the optimizer stay float32. Default: float32.</summary>
    public string Precision { get; init; } = "float32";

    /// <summary>Steps between evaluations; 0: only at the end. Default: 250.</summary>
    public long EvalEvery { get; init; } = 250;

    /// <summary>Batches of an evaluation; 0: the whole validation part. Default: 50.</summary>
    public long EvalBatches { get; init; } = 50;

    /// <summary>Evaluations without a better loss after which the run ends; 0 is off. Default: 0.</summary>
    public int Patience { get; init; }

    /// <summary>Steps between lines of the logs. Default: 10.</summary>
    public long LogEvery { get; init; } = 10;

    /// <summary>Steps between samples; 0 is off. Default: 0.</summary>
    public long SampleEvery { get; init; }

    /// <summary>What samples begin with.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = ["\n"];

    /// <summary>Tokens of a sample. Default: 64.</summary>
    public int SampleTokens { get; init; } = 64;

    internal static TrainOptions Read(ConfigReader c) => new()
    {
        Steps = c.GetLong("steps", 1000, min: 1),
        Batch = c.GetInt("batch", 8, min: 1, max: 1 << 20),
        Sequence = c.GetInt("sequence", 256, min: 2, max: 1 << 20),
        Accumulation = c.GetInt("accumulation", 1, min: 1, max: 1 << 16),
        Clip = c.GetDouble("clip", 1, min: 0),
        CheckpointActivations = c.GetBool("checkpoint_activations", false),
        Precision = c.GetChoice("precision", ["float32", "bfloat16"], "float32"),
        EvalEvery = c.GetLong("eval_every", 250, min: 0),
        EvalBatches = c.GetLong("eval_batches", 50, min: 0),
        Patience = c.GetInt("patience", 0, min: 0),
        LogEvery = c.GetLong("log_every", 10, min: 1),
        SampleEvery = c.GetLong("sample_every", 0, min: 0),
        Prompts = c.GetStrings("prompts") is { Length: > 0 } prompts ? prompts : ["\n"],
        SampleTokens = c.GetInt("sample_tokens", 64, min: 1),
    };
}

/// <summary>The section <c>run</c>.</summary>
public sealed record RunOptions
{
    /// <summary>The folder of checkpoints, logs, the model and the report. Default: runs/pretrain.</summary>
    public string Dir { get; init; } = "runs/pretrain";

    /// <summary>True goes on from the newest intact checkpoint of the folder, if there is one. Default: false.</summary>
    public bool Resume { get; init; }

    /// <summary>Steps between checkpoints; 0: only at the end. Default: 500.</summary>
    public long SaveEvery { get; init; } = 500;

    /// <summary>Newest checkpoints that stay. Default: 2.</summary>
    public int KeepLast { get; init; } = 2;

    /// <summary>Best checkpoints that stay besides. Default: 1.</summary>
    public int KeepBest { get; init; } = 1;

    /// <summary>True writes TensorBoard's event files too. Default: true.</summary>
    public bool TensorBoard { get; init; } = true;

    internal static RunOptions Read(ConfigReader c) => new()
    {
        Dir = c.GetString("dir", "runs/pretrain"),
        Resume = c.GetBool("resume", false),
        SaveEvery = c.GetLong("save_every", 500, min: 0),
        KeepLast = c.GetInt("keep_last", 2, min: 1),
        KeepBest = c.GetInt("keep_best", 1, min: 0),
        TensorBoard = c.GetBool("tensorboard", true),
    };
}
