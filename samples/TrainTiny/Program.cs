// Trains a tiny language model on a text and lets it write: dotnet run -- text.txt
using System.Text;
using Banyan.Checkpoints;
using Banyan.Inference;
using Banyan.Training;

string text = args.Length > 0 ? args[0] : "text.txt";
string run = Path.Combine(Path.GetTempPath(), $"banyan-sample-{Guid.NewGuid():N}");
PretrainOptions recipe = PretrainOptions.Read(ConfigReader.Parse(Encoding.UTF8.GetBytes($$"""
    {
      "model": { "type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128 },
      "data": { "train": {{System.Text.Json.JsonSerializer.Serialize(text)}}, "tokenizer": "char", "packing": "random" },
      "train": { "steps": 100, "batch": 8, "sequence": 64, "eval_every": 50 },
      "optimizer": { "learning_rate": 0.003 },
      "run": { "dir": {{System.Text.Json.JsonSerializer.Serialize(run)}} }
    }
    """), "sample"));

PretrainResult result = Pretraining.Run(recipe);
Console.WriteLine($"training loss {result.TrainLoss:F3}, held-out loss {result.ValidationLoss:F3}");

LanguageModel lm = LanguageModel.Load(result.Model);
await foreach (GeneratedToken token in lm.GenerateAsync("The ", new GenerationOptions { MaxNewTokens = 40, Temperature = 0.8 }))
{
    Console.Write(token.Text);
}
Console.WriteLine();
