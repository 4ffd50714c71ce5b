namespace Banyan.Tensors.Tests;

public class EinsumTests
{
    private static Tensor R(Shape shape, int seed = 1) => FiniteDifferences.Random(shape, seed);

    [Fact]
    public void DifferentiatesThroughDiagonalsBroadcastsAndSums()
    {
        FiniteDifferences.Check(x => Tensor.Einsum("iij,jk->ik", x), R([2, 2, 3]), R([3, 2], 2));
        FiniteDifferences.Check(x => Tensor.Einsum("...ij,...jk->...ik", x), R([2, 1, 2, 3]), R([3, 3, 2], 2));
        FiniteDifferences.Check(x => Tensor.Einsum("iii->i", x), R([2, 2, 2]));
        FiniteDifferences.Check(x => Tensor.Einsum("abc,cd,bd->ad", x), R([2, 3, 4]), R([4, 2], 2), R([3, 2], 3));
        FiniteDifferences.Check(x => x[0].TensorDot(x[1], [0, -1], [1, 0]), R([2, 3, 4]), R([4, 2, 3], 2));
        FiniteDifferences.Check(x => x[0].Kron(x[1]), R([2, 3]), R([2], 2));
    }

    [Fact]
    public void DimensionsOfSizeOneBroadcast()
    {
        Tensor x = R([1, 3]), y = R([2, 3], 2);
        Assert.Equal((x * y).Sum(1).ToDoubles(), Tensor.Einsum("ij,ij->i", x, y).ToDoubles());
    }

    [Fact]
    public void EquationsThatDoNotFitAreNamed()
    {
        Tensor x = R([2, 3]);
        Assert.Contains("names 2 operands", Assert.Throws<ArgumentException>(() => Tensor.Einsum("ij,jk->ik", x)).Message);
        Assert.Contains("names 3 dimensions", Assert.Throws<ArgumentException>(() => Tensor.Einsum("ijk->i", x)).Message);
        Assert.Contains("'j'", Assert.Throws<ArgumentException>(() => Tensor.Einsum("ij,jk->ik", x, x)).Message);
        Assert.Contains("'z'", Assert.Throws<ArgumentException>(() => Tensor.Einsum("ij->z", x)).Message);
        Assert.Contains("letters", Assert.Throws<ArgumentException>(() => Tensor.Einsum("i1->i", x)).Message);
    }
}
