namespace Banyan.Cli;

/// <summary>What a setting's value may be.</summary>
internal enum SettingKind
{
    /// <summary>A number, a truth value, a list or a text, as YAML reads it.</summary>
    Value,

    /// <summary>Always a text: "007" stays "007".</summary>
    Text,

    /// <summary>On where it is named; no value needed.</summary>
    Flag,
}

/// <summary>A setting of a verb.</summary>
internal sealed record Setting(string Name, string Help, SettingKind Kind = SettingKind.Value);
