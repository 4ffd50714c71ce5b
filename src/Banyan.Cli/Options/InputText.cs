using System.Text;

namespace Banyan.Cli.Options;

/// <summary>The text that a verb works on: <c>--text</c>, or the contents of <c>--file</c>.</summary>
internal static class InputText
{
    public static string Read(SettingReader s)
    {
        if (s.Has("text") == s.Has("file"))
        {
            throw new UsageException("give either --text or --file");
        }
        if (s.Has("text"))
        {
            return s.Text("text");
        }
        string path = s.Text("file");
        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            if (s.Flag("strict"))
            {
                throw new InvalidDataException($"{path}: not valid UTF-8 at byte {e.Index}", e);
            }
            string text = Encoding.UTF8.GetString(bytes);
            Console.Error.WriteLine($"{path}: {text.Count(c => c == '\uFFFD')} invalid UTF-8 sequences were replaced (--strict refuses them)");
            return text;
        }
    }
}
