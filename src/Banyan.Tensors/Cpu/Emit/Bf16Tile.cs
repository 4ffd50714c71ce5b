namespace Banyan.Cpu.Emit;

/// <summary>The arguments of <see cref="Bf16Tile"/>; strides in bytes.</summary>
internal unsafe struct Bf16TileArgs
{
    /// <summary>Pairs of k.</summary>
    public long Pairs;

    /// <summary>For each pair, 14 rows of two bfloat16.</summary>
    public uint* A;

    /// <summary>For each pair, 32 columns of two bfloat16.</summary>
    public uint* B;

    /// <summary>Where the sums start, or null for zero.</summary>
    public float* From;
    public long FromRow;

    /// <summary>The result.</summary>
    public float* To;
    public long ToRow;
}

/// <summary>
/// The inner loop of the bfloat16 matrix product: a tile of up to 14 rows by 32 columns of float32 in registers, two values of k at a time
/// (<c>vdpbf16ps</c>, which .NET does not offer). The managed twin is <see cref="Bf16Reference"/>.
/// </summary>
internal static unsafe class Bf16Tile
{
    public const int MaxRows = 14;

    private static readonly delegate* unmanaged<Bf16TileArgs*, void>[]? s_code = Publish();

    /// <summary>Whether the processor has the instruction and the platform lets code be written.</summary>
    public static bool IsAvailable => s_code is not null;

    /// <summary>Multiplies a tile of 1 to 14 rows.</summary>
    public static void Run(int rows, Bf16TileArgs* args) => s_code![rows - 1](args);

    private static delegate* unmanaged<Bf16TileArgs*, void>[]? Publish()
    {
        if (!EmitFeatures.Current.Bf16)
        {
            return null;
        }
        var code = new delegate* unmanaged<Bf16TileArgs*, void>[MaxRows];
        for (int rows = 1; rows <= MaxRows; rows++)
        {
            code[rows - 1] = (delegate* unmanaged<Bf16TileArgs*, void>)CodeMemory.Publish(Emit(rows, OperatingSystem.IsWindows()));
            if (code[rows - 1] == null)
            {
                return null;
            }
        }
        return code;
    }

    // 28 accumulators, two vectors of B, and two for the broadcast values of A, taken in turns.
    private static Zmm C(int row, int half) => new(2 * row + half);

    private static Zmm B(int half) => new(28 + half);

    private static Zmm X(int row) => new(30 + row % 2);

    /// <summary>The code for a number of rows.</summary>
    public static byte[] Emit(int rows, bool windows)
    {
        var asm = new Assembler();
        const Reg Args = Reg.Rdi, Pairs = Reg.Rcx, APointer = Reg.Rsi, BPointer = Reg.Rdx, Line = Reg.R8, Stride = Reg.R9;
        asm.Enter(windows);
        asm.Mov(Pairs, new Mem(Args, 0));
        asm.Mov(APointer, new Mem(Args, 8));
        asm.Mov(BPointer, new Mem(Args, 16));
        asm.Mov(Line, new Mem(Args, 24));
        asm.Mov(Stride, new Mem(Args, 32));
        asm.Test(Line);
        int fromZero = asm.JumpIfZero();
        for (int row = 0; row < rows; row++)
        {
            asm.Load(C(row, 0), new Mem(Line));
            asm.Load(C(row, 1), new Mem(Line, 64));
            asm.Add(Line, Stride);
        }
        int start = asm.JumpAhead();
        asm.Bind(fromZero);
        for (int row = 0; row < rows; row++)
        {
            asm.Zero(C(row, 0));
            asm.Zero(C(row, 1));
        }
        asm.Bind(start);
        asm.Test(Pairs);
        int nothing = asm.JumpIfZero();
        int loop = asm.Here;
        asm.Load(B(0), new Mem(BPointer));
        asm.Load(B(1), new Mem(BPointer, 64));
        for (int row = 0; row < rows; row++)
        {
            asm.Broadcast(X(row), new Mem(APointer, 4 * row));
            asm.DotBf16(C(row, 0), X(row), B(0));
            asm.DotBf16(C(row, 1), X(row), B(1));
        }
        asm.Add(APointer, 4 * MaxRows);
        asm.Add(BPointer, 128);
        asm.Sub(Pairs, 1);
        asm.JumpIfNotZero(loop);
        asm.Bind(nothing);
        asm.Mov(Line, new Mem(Args, 40));
        asm.Mov(Stride, new Mem(Args, 48));
        for (int row = 0; row < rows; row++)
        {
            asm.Store(new Mem(Line), C(row, 0));
            asm.Store(new Mem(Line, 64), C(row, 1));
            asm.Add(Line, Stride);
        }
        asm.Leave(windows);
        return asm.ToArray();
    }
}
