namespace Banyan.Cpu;

/// <summary>The idle workspaces of a pool: a call takes one and brings it back, so that calls at the same time never share.</summary>
internal sealed class AttentionWorkspaces : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<AttentionWorkspace> _idle = [];

    public AttentionWorkspace Take()
    {
        lock (_lock)
        {
            return _idle.TryPop(out AttentionWorkspace? workspace) ? workspace : new AttentionWorkspace();
        }
    }

    public void Return(AttentionWorkspace workspace)
    {
        lock (_lock)
        {
            _idle.Push(workspace);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            while (_idle.TryPop(out AttentionWorkspace? workspace))
            {
                workspace.Dispose();
            }
        }
    }
}
