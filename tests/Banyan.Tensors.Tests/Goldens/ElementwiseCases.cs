namespace Banyan.Tensors.Tests.Goldens;

internal static class ElementwiseCases
{
    public static void Register(OpTable t)
    {
        t["torch.add"] = c => c.X + c.Y;
        t["torch.sub"] = c => c.X - c.Y;
        t["torch.mul"] = c => c.X * c.Y;
        t["torch.div"] = c => c.X / c.Y;
        t["torch.exp"] = c => c.X.Exp();
    }
}
