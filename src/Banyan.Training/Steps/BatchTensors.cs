using Banyan.Data.Batches;

namespace Banyan.Training;

/// <summary>A loaded batch as the tensors of one pass. Its buffers are used again by the next batch.</summary>
internal sealed class BatchTensors
{
    private readonly SequenceLayout _layout = new();
    private long[] _ids = [], _positions = [], _targets = [];

    /// <summary>The tokens and their targets (tokens), both in the scope.</summary>
    public (Models.TokenBatch Tokens, Tensor Targets) Of(TrainingBatch batch, Scope scope)
    {
        int n = batch.InputIds.Length;
        if (_ids.Length != n)
        {
            (_ids, _positions, _targets) = (new long[n], new long[n], new long[n]);
        }
        long longest = 0;
        for (int i = 0; i < n; i++)
        {
            (_ids[i], _positions[i], _targets[i]) = (batch.InputIds[i], batch.Positions[i], batch.Targets[i]);
            longest = Math.Max(longest, batch.Positions[i]);
        }
        Tensor ids = scope.From<long>(_ids, [n]), positions = scope.From<long>(_positions, [n]);
        return (new Models.TokenBatch(ids, positions, longest, Documents(batch)), scope.From<long>(_targets, [n]));
    }

    // Each stretch of equal document numbers is a sequence of its own.
    private SequenceLayout Documents(TrainingBatch batch)
    {
        _layout.Clear();
        int[] documents = batch.DocumentIds;
        for (int start = 0, end; start < documents.Length; start = end)
        {
            for (end = start + 1; end < documents.Length && documents[end] == documents[start]; end++)
            {
            }
            _layout.Add(new SequenceSpan(start, end - start, start, end - start, 0));
        }
        return _layout;
    }
}
