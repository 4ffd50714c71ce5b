using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Decision Transformer (Chen et al. 2021, arXiv:2106.01345): reinforcement learning as sequence modelling. Each step of an episode is three tokens, the return still to be had, the state and
// the action, and a GPT-2 without positions of its own predicts the action from what came before. B episodes of T steps, C width.

/// <summary>Decision Transformer: <c>DecisionTransformerModel</c>.</summary>
public sealed class DecisionTransformer : Model
{
    private const int TokensPerStep = 3;

    private readonly int _actions;
    private readonly Gpt2Model _model;
    private readonly Embedding _steps;
    private readonly Linear _return, _state, _action, _predictState, _predictAction, _predictReturn;
    private readonly LayerNorm _norm;
    private readonly bool _bounded;

    /// <summary>A model without weights; initialise or load it.</summary>
    public DecisionTransformer(ConfigReader config) : base(config)
    {
        Config = Gpt2Config.Read(config, "hidden_size", 128, positions: 1024, heads: 1, layers: 3, vocabulary: 1) with { ActivationFunction = config.GetChoice("activation_function", Activations.Names, "relu") };
        int width = Config.NEmbd, states = config.GetInt("state_dim", 17, min: 1, max: 1 << 20);
        _actions = config.GetInt("act_dim", 4, min: 1, max: 1 << 20);
        _bounded = config.GetBool("action_tanh", true);
        Initializer init = Initializer.Normal(Config.InitializerRange);
        _model = Add("encoder", new Gpt2Model(Config));
        _steps = Add("embed_timestep", new Embedding(config.GetInt("max_ep_len", 4096, min: 1, max: 1 << 24), width, init));
        _return = Add("embed_return", new Linear(1, width, initializer: init));
        _state = Add("embed_state", new Linear(states, width, initializer: init));
        _action = Add("embed_action", new Linear(_actions, width, initializer: init));
        _norm = Add("embed_ln", new LayerNorm(width));
        _predictState = Add("predict_state", new Linear(width, states, initializer: init));
        _predictAction = Add("predict_action.0", new Linear(width, _actions, initializer: init));
        _predictReturn = Add("predict_return", new Linear(width, 1, initializer: init));
    }

    /// <summary>What the stack was built from.</summary>
    public Gpt2Config Config { get; }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Decoder("encoder.drop", "encoder.h", Config.NLayer, "encoder.ln_f");

    /// <summary>
    /// <c>states</c> (B, T, S), <c>actions</c> (B, T, A), <c>returns_to_go</c> (B, T, 1), <c>timesteps</c> (B, T) and perhaps <c>attention_mask</c> (B, T) to predictions of each; the loss is the
    /// mean squared error of the actions over the steps that are real.
    /// </summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor Given(string name) => pass.Scope.Use(inputs.Require(name));
        Tensor actions = Given("actions"), steps = _steps.Forward(Given("timesteps"), pass);
        Tensor? mask = inputs.Find("attention_mask");
        (long episodes, long length, int width) = (actions.Shape[0], actions.Shape[1], Config.NEmbd);
        Tensor[] parts = [_return.Forward(Given("returns_to_go"), pass) + steps, _state.Forward(Given("states"), pass) + steps, _action.Forward(actions, pass) + steps];
        _ = inputs.Find("rewards");   // accepted, as in the reference, which does not look at them either
        inputs.CheckAllRead();

        Tensor x = _norm.Forward(Tensor.Stack(parts, 2).Reshape(episodes * length * TokensPerStep, width), pass);
        Tensor none = pass.Scope.Zeros([episodes, length * TokensPerStep], DType.Int64);
        TokenBatch batch = TokenBatch.Rectangle(none, mask is null ? null : pass.Scope.Use(mask).RepeatInterleave(TokensPerStep, 1), none, pass.Scope);
        Tensor hidden = _model.Forward(x, batch, pass), of = hidden.Reshape(episodes, length, TokensPerStep, width);
        Tensor afterState = of.Select(2, 1), afterAction = of.Select(2, 2), predicted = _predictAction.Forward(afterState, pass);
        predicted = _bounded ? predicted.Tanh() : predicted;
        return new ModelOutputs().With("loss", Error(predicted, actions, mask, pass.Scope)).With("state_preds", _predictState.Forward(afterAction, pass)).With("action_preds", predicted)
            .With("return_preds", _predictReturn.Forward(afterAction, pass)).With("last_hidden_state", hidden.Reshape(episodes, length * TokensPerStep, width));
    }

    private static Tensor Error(Tensor predicted, Tensor actions, Tensor? mask, Scope scope)
    {
        Tensor squares = (predicted - actions).Square();
        Tensor? real = mask is null ? null : scope.Use(mask).To(DType.Float32).Unsqueeze(-1);
        return real is null ? squares.Mean() : (squares * real).Sum() / (real.Sum() * actions.Shape[-1]);
    }
}
