namespace Banyan.Cpu;

/// <summary>How many rows a tile of C has, as a type: each count is compiled by itself.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

/// <summary>How the micro-kernel walks its left operand.</summary>
internal interface ILayout
{
    /// <summary>True for a packed panel, whose rows lie side by side: one pointer instead of one per row.</summary>
    static abstract bool Interleaved { get; }
}

internal readonly struct Interleaved : ILayout { static bool ILayout.Interleaved => true; }

internal readonly struct Strided : ILayout { static bool ILayout.Interleaved => false; }

internal readonly struct Rows1 : IRowCount { public static int Count => 1; }

internal readonly struct Rows2 : IRowCount { public static int Count => 2; }

internal readonly struct Rows3 : IRowCount { public static int Count => 3; }

internal readonly struct Rows4 : IRowCount { public static int Count => 4; }

internal readonly struct Rows5 : IRowCount { public static int Count => 5; }

internal readonly struct Rows6 : IRowCount { public static int Count => 6; }

internal readonly struct Rows7 : IRowCount { public static int Count => 7; }

internal readonly struct Rows8 : IRowCount { public static int Count => 8; }

internal readonly struct Rows9 : IRowCount { public static int Count => 9; }

internal readonly struct Rows10 : IRowCount { public static int Count => 10; }

internal readonly struct Rows11 : IRowCount { public static int Count => 11; }

internal readonly struct Rows12 : IRowCount { public static int Count => 12; }

internal readonly struct Rows13 : IRowCount { public static int Count => 13; }

internal readonly struct Rows14 : IRowCount { public static int Count => 14; }
