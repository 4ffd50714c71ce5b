namespace Banyan.Cpu.Emit;

/// <summary>The arguments of <see cref="Int8Tile"/>; strides in bytes.</summary>
internal unsafe struct Int8TileArgs
{
    /// <summary>Groups of 32 numbers of k.</summary>
    public long Groups;

    /// <summary>For each group, an <see cref="ActivationBlock"/> of every row.</summary>
    public ActivationBlock* A;

    /// <summary>For each group, an <see cref="UnpackedGroup"/> of 32 columns.</summary>
    public byte* B;

    /// <summary>Where the sums start, or null for zero.</summary>
    public float* From;
    public long FromRow;

    /// <summary>The result.</summary>
    public float* To;
    public long ToRow;
}

/// <summary>
/// The inner loop of products with weights in blocks: a tile of up to 6 rows by 32 columns of float32 in registers. The products of a scale's numbers are summed as whole numbers
/// (<c>vpdpbusd</c>, which .NET offers for 256 bits only), then scaled and added: <c>acc = fma((float)sum, step * scale, acc)</c>, and with offsets
/// <c>acc = fma(sum of x, offset, acc)</c>. The managed twin is <see cref="Int8Reference"/>; the bits are the same.
/// </summary>
internal static unsafe class Int8Tile
{
    public const int MaxRows = 6;

    private static readonly delegate* unmanaged<Int8TileArgs*, void>[]? s_code = Publish();

    /// <summary>Whether the processor has the instruction and the platform lets code be written.</summary>
    public static bool IsAvailable => s_code is not null;

    /// <summary>Multiplies a tile of 1 to 6 rows.</summary>
    public static void Run(int rows, UnpackedGroup layout, Int8TileArgs* args) => s_code![Index(rows, layout)](args);

    private static int Index(int rows, UnpackedGroup layout) => 4 * (rows - 1) + (layout.HasOffsets ? 2 : 0) + layout.Scales - 1;

    private static delegate* unmanaged<Int8TileArgs*, void>[]? Publish()
    {
        if (!EmitFeatures.Current.Int8)
        {
            return null;
        }
        var code = new delegate* unmanaged<Int8TileArgs*, void>[4 * MaxRows];
        for (int rows = 1; rows <= MaxRows; rows++)
        {
            foreach (int group in new[] { 16, 32 })
            {
                foreach (bool offsets in new[] { false, true })
                {
                    var layout = new UnpackedGroup(group, offsets, 255);
                    void* published = CodeMemory.Publish(Emit(rows, layout, OperatingSystem.IsWindows()));
                    if (published == null)
                    {
                        return null;
                    }
                    code[Index(rows, layout)] = (delegate* unmanaged<Int8TileArgs*, void>)published;
                }
            }
        }
        return code;
    }

    // 12 sums, 12 sums of whole numbers, two vectors of weights, two of broadcast values of A taken in turns, and two for scales.
    private static Zmm Sum(int row, int half) => new(2 * row + half);

    private static Zmm Whole(int row, int half) => new(12 + 2 * row + half);

    private static Zmm W(int half) => new(24 + half);

    private static Zmm X(int row) => new(26 + row % 2);

    private static Zmm Scale(int half) => new(28 + half);

    private const Reg Args = Reg.Rdi, Groups = Reg.Rcx, A = Reg.Rsi, B = Reg.Rdx, Line = Reg.R8, Stride = Reg.R9;

    /// <summary>The code for a number of rows and a form of the weights.</summary>
    public static byte[] Emit(int rows, UnpackedGroup layout, bool windows)
    {
        var asm = new Assembler();
        asm.Enter(windows);
        asm.Mov(Groups, new Mem(Args, 0));
        asm.Mov(A, new Mem(Args, 8));
        asm.Mov(B, new Mem(Args, 16));
        asm.Mov(Line, new Mem(Args, 24));
        asm.Mov(Stride, new Mem(Args, 32));
        asm.Test(Line);
        int fromZero = asm.JumpIfZero();
        Lines(asm, rows, store: false);
        int start = asm.JumpAhead();
        asm.Bind(fromZero);
        for (int row = 0; row < rows; row++)
        {
            asm.Zero(Sum(row, 0));
            asm.Zero(Sum(row, 1));
        }
        asm.Bind(start);
        asm.Test(Groups);
        int nothing = asm.JumpIfZero();
        int loop = asm.Here;
        for (int part = 0; part < layout.Scales; part++)
        {
            Products(asm, rows, layout, part);
            Scales(asm, rows, layout, part);
        }
        asm.Add(A, 64 * rows);
        asm.Add(B, layout.Bytes);
        asm.Sub(Groups, 1);
        asm.JumpIfNotZero(loop);
        asm.Bind(nothing);
        asm.Mov(Line, new Mem(Args, 40));
        asm.Mov(Stride, new Mem(Args, 48));
        Lines(asm, rows, store: true);
        asm.Leave(windows);
        return asm.ToArray();
    }

    private static void Lines(Assembler asm, int rows, bool store)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int half = 0; half < 2; half++)
            {
                if (store)
                {
                    asm.Store(new Mem(Line, 64 * half), Sum(row, half));
                }
                else
                {
                    asm.Load(Sum(row, half), new Mem(Line, 64 * half));
                }
            }
            asm.Add(Line, Stride);
        }
    }

    // Offsets in ActivationBlock.
    private const int Step = 32, Start = 36, SumOfX = 44;

    private static void Products(Assembler asm, int rows, UnpackedGroup layout, int part)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int half = 0; half < 2; half++)
            {
                if (layout.HasOffsets)
                {
                    asm.Zero(Whole(row, half));
                }
                else
                {
                    asm.Broadcast(Whole(row, half), new Mem(A, 64 * row + Start + 4 * part));
                }
            }
        }
        for (int four = part * layout.Group / 4; four < (part + 1) * layout.Group / 4; four++)
        {
            asm.Load(W(0), new Mem(B, 128 * four));
            asm.Load(W(1), new Mem(B, 128 * four + 64));
            for (int row = 0; row < rows; row++)
            {
                asm.Broadcast(X(row), new Mem(A, 64 * row + 4 * four));
                asm.DotBytes(Whole(row, 0), W(0), X(row));
                asm.DotBytes(Whole(row, 1), W(1), X(row));
            }
        }
    }

    private static void Scales(Assembler asm, int rows, UnpackedGroup layout, int part)
    {
        int scales = UnpackedGroup.Codes + 128 * part, offsets = scales + 128 * layout.Scales;
        for (int row = 0; row < rows; row++)
        {
            asm.Broadcast(X(row), new Mem(A, 64 * row + Step));
            for (int half = 0; half < 2; half++)
            {
                asm.Multiply(Scale(half), X(row), new Mem(B, scales + 64 * half));
                asm.ToFloat(Whole(row, half), Whole(row, half));
                asm.MultiplyAdd(Sum(row, half), Whole(row, half), Scale(half));
            }
            if (layout.HasOffsets)
            {
                asm.Broadcast(X(row), new Mem(A, 64 * row + SumOfX + 4 * part));
                asm.MultiplyAdd(Sum(row, 0), X(row), new Mem(B, offsets));
                asm.MultiplyAdd(Sum(row, 1), X(row), new Mem(B, offsets + 64));
            }
        }
    }
}
