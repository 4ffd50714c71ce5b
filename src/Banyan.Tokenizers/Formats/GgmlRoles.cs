using System.Text.Json.Nodes;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// Which tokens begin, end, separate and fill texts, and whether they are added, as llama.cpp's converter finds out: from the template of the post-processor, then from
/// tokenizer_config.json (where tokenizer.json gives the ids), then from config.json.
/// </summary>
internal sealed class GgmlRoles
{
    private static readonly string[] s_types = ["bos", "eos", "unk", "sep", "pad", "cls", "mask", "eot", "eom"];

    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<string, bool> _added = [];
    private readonly Dictionary<string, string> _texts = [];

    public GgmlRoles(JsonObject? json, JsonObject config, IReadOnlyDictionary<string, int> configIds, int size)
    {
        foreach (string type in s_types)
        {
            JsonNode? token = config[type + "_token"];
            if ((token is JsonObject o ? o["content"] : token) is JsonValue text && text.TryGetValue(out string? content))
            {
                _texts[type] = content;
            }
        }
        foreach (JsonObject processor in Processors(json))
        {
            Read(processor);
        }
        foreach (string type in s_types)
        {
            if (config[$"add_{type}_token"] is JsonValue flag && flag.TryGetValue(out bool add))
            {
                _added[type] = add;
            }
            if (_texts.TryGetValue(type, out string? text) && IdOf(json, text) is { } id && id < size)
            {
                _ids.TryAdd(type, id);
            }
        }
        foreach ((string type, int id) in configIds)
        {
            if (id >= 0 && id < size)
            {
                _ids.TryAdd(type, id);
            }
        }
    }

    public GgmlVocabulary Apply(GgmlVocabulary vocabulary) => vocabulary with
    {
        BosId = Id("bos"), EosId = Id("eos"), UnkId = Id("unk"), SepId = Id("sep"), PadId = Id("pad"), MaskId = Id("mask"), EotId = Id("eot"), EomId = Id("eom"),
        AddBos = Flag("bos"), AddEos = Flag("eos"), AddSep = Flag("sep"),
    };

    private int? Id(string type) => _ids.TryGetValue(type, out int id) ? id : null;

    private bool? Flag(string type) => _added.TryGetValue(type, out bool add) ? add : null;

    private static int? IdOf(JsonObject? json, string text) => (json?["added_tokens"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(t => t["content"]?.GetValue<string>() == text)?["id"]?.GetValue<int>();

    private static IEnumerable<JsonObject> Processors(JsonObject? json) => json?["post_processor"] is not JsonObject processor ? [] : processor["processors"] is JsonArray several ? several.OfType<JsonObject>() : [processor];

    private void Read(JsonObject processor)
    {
        switch (processor["type"]?.GetValue<string>())
        {
            case "RobertaProcessing":
                foreach (string type in new[] { "bos", "eos", "sep" })
                {
                    _added[type] = true;
                }
                _texts.TryAdd("bos", processor["cls"]![0]!.GetValue<string>());
                _texts.TryAdd("eos", processor["sep"]![0]!.GetValue<string>());
                break;
            case "TemplateProcessing":
                ReadTemplate([.. (processor["single"] as JsonArray ?? []).OfType<JsonObject>()], [.. (processor["pair"] as JsonArray ?? []).OfType<JsonObject>()]);
                break;
        }
    }

    private void ReadTemplate(JsonObject[] single, JsonObject[] pair)
    {
        string? first = single.Length > 1 ? Special(single[0]) : null, last = single.Length > 1 ? Special(single[^1]) : null;
        if (first is not null)
        {
            _texts.TryAdd("bos", first);
            _added["bos"] = first == _texts["bos"] || first == _texts.GetValueOrDefault("cls");
        }
        if (last is not null)
        {
            if (_texts.TryGetValue("eos", out string? eos) && eos != last)
            {
                _texts.TryAdd(_texts.ContainsKey("eot") ? "eom" : "eot", eos); // what ends a turn, where another token ends the text
            }
            _texts["eos"] = last;
            _added["eos"] = true;
        }
        if (pair.Length == 0)
        {
            return;
        }
        int start = first is not null && Special(pair[0]) == first ? 1 : 0, stop = last is not null && Special(pair[^1]) == last ? pair.Length - 1 : pair.Length;
        JsonObject[] inner = pair[start..stop];
        if (inner.Length > 2 && inner[0]["Sequence"]?["id"]?.GetValue<string>() == "A" && inner[^1]["Sequence"]?["id"]?.GetValue<string>() == "B")
        {
            string?[] between = [.. inner[1..^1].Select(Special)];
            _added["sep"] = (IsEnd(between[0]) && last is null) || (between.Length == 2 && IsEnd(between[1]));
        }
    }

    private bool IsEnd(string? token) => token is not null && (token == _texts.GetValueOrDefault("sep") || token == _texts.GetValueOrDefault("eos"));

    private static string? Special(JsonObject part) => part["SpecialToken"]?["id"]?.GetValue<string>();
}
