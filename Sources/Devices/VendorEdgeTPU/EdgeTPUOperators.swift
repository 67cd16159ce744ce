/// What the Edge TPU's operators can do, as data: the maker's table of supported operators, in the
/// terms of the files.
struct EdgeTPUOperator: Sendable {
  /// One thing that an application of an operator must keep.
  enum Limit: Sendable, Equatable {
    /// No activation may be fused into it.
    case noFusedActivation
    /// A constant input only as a padding with zeros, with two inputs in all.
    case constantOnlyAsZeroPad
    /// The same dilation in both directions.
    case equalDilation
    /// No dilation.
    case noDilation
    /// Weights in the order in which converters write them.
    case plainWeights
    /// All extents of the output but the last are 1.
    case vectorOutput
    /// All extents of the input but the last are 1, and there are at most so many elements.
    case vectorInput(Int)
    /// Does not work along the batch.
    case notAlongBatch
    /// Works along rows and columns only.
    case alongRowsAndColumnsOnly
    /// Where it works along the channels, their number is a multiple of this.
    case channelsMultiple(of: Int)
    /// A slope for each channel only.
    case slopePerChannel
    /// Extents of 1 may only go from the front.
    case onlyLeadingOnes
    /// Upsampling by a whole factor.
    case wholeFactor
    /// Steps of 1.
    case unitSteps
    /// No mask for new axes or an ellipsis.
    case plainMasks
  }

  /// The schema's name.
  var kind: String
  /// Versions of the runtime for which this row holds.
  var runtimes: ClosedRange<Int>
  /// What an application must keep.
  var limits: [Limit]

  init(_ kind: String, _ runtimes: ClosedRange<Int> = all, _ limits: [Limit] = []) {
    self.kind = kind
    self.runtimes = runtimes
    self.limits = limits
  }

  /// The row for an operator and a runtime; `nil` when it is not supported.
  static func row(_ kind: String, runtime: Int) -> EdgeTPUOperator? {
    table.first { $0.kind == kind && $0.runtimes.contains(runtime) }
  }

  /// The first runtime that has an operator; `nil` when none has.
  static func firstRuntime(of kind: String) -> Int? {
    table.filter { $0.kind == kind }.map(\.runtimes.lowerBound).min()
  }

  /// Versions of the runtime that the compiler can make files for; the newest is the default.
  static let runtimes = 10...14
  /// Rows that hold for every runtime.
  static let all = 10...99
  private static let to12 = 10...12
  private static let from13 = 13...99
  private static let from14 = 14...99

  static let table: [EdgeTPUOperator] = [
    EdgeTPUOperator("ADD"),
    EdgeTPUOperator("AVERAGE_POOL_2D", all, [.noFusedActivation]),
    EdgeTPUOperator("CONCATENATION", all, [.noFusedActivation, .constantOnlyAsZeroPad]),
    EdgeTPUOperator("CONV_2D", all, [.equalDilation]),
    EdgeTPUOperator("DEPTHWISE_CONV_2D", to12, [.noDilation]),
    EdgeTPUOperator("DEPTHWISE_CONV_2D", from13, [.equalDilation]),
    EdgeTPUOperator("EXPAND_DIMS", from13),
    EdgeTPUOperator("FULLY_CONNECTED", all, [.plainWeights, .vectorOutput]),
    EdgeTPUOperator("L2_NORMALIZATION"),
    EdgeTPUOperator("LOGISTIC"),
    // Only forward layers have this operator in the files.
    EdgeTPUOperator("UNIDIRECTIONAL_SEQUENCE_LSTM", from14),
    EdgeTPUOperator("MAXIMUM"),
    EdgeTPUOperator("MAX_POOL_2D", all, [.noFusedActivation]),
    EdgeTPUOperator("MEAN", to12, [.notAlongBatch, .alongRowsAndColumnsOnly]),
    EdgeTPUOperator("MEAN", from13, [.notAlongBatch, .channelsMultiple(of: 4)]),
    EdgeTPUOperator("MINIMUM"),
    EdgeTPUOperator("MUL"),
    EdgeTPUOperator("PACK", from13, [.notAlongBatch]),
    EdgeTPUOperator("PAD", to12, [.notAlongBatch, .alongRowsAndColumnsOnly]),
    EdgeTPUOperator("PAD", from13, [.notAlongBatch]),
    EdgeTPUOperator("PRELU", from13, [.slopePerChannel]),
    EdgeTPUOperator("QUANTIZE", from13),
    EdgeTPUOperator("REDUCE_MAX", from14, [.notAlongBatch]),
    EdgeTPUOperator("REDUCE_MIN", from14, [.notAlongBatch]),
    EdgeTPUOperator("RELU"),
    EdgeTPUOperator("RELU6"),
    EdgeTPUOperator("RELU_N1_TO_1"),
    // "Certain reshapes" of large tensors are left out; the table does not say which.
    EdgeTPUOperator("RESHAPE"),
    EdgeTPUOperator("RESIZE_BILINEAR", all, [.wholeFactor]),
    EdgeTPUOperator("RESIZE_NEAREST_NEIGHBOR", all, [.wholeFactor]),
    EdgeTPUOperator("RSQRT", from14),
    EdgeTPUOperator("SLICE"),
    EdgeTPUOperator("SOFTMAX", all, [.vectorInput(16_000)]),
    EdgeTPUOperator("SPACE_TO_DEPTH"),
    EdgeTPUOperator("SPLIT", all, [.notAlongBatch]),
    EdgeTPUOperator("SQUEEZE", to12, [.onlyLeadingOnes]),
    EdgeTPUOperator("SQUEEZE", from13),
    EdgeTPUOperator("STRIDED_SLICE", all, [.unitSteps, .plainMasks]),
    EdgeTPUOperator("SUB"),
    EdgeTPUOperator("SUM", from13, [.notAlongBatch]),
    EdgeTPUOperator("SQUARED_DIFFERENCE", from14),
    EdgeTPUOperator("TANH"),
    EdgeTPUOperator("TRANSPOSE", from14),
    EdgeTPUOperator("TRANSPOSE_CONV", from13),
  ]

  /// The newest versions of operators that compiler 16 parses, where users met its limit; it refuses the
  /// whole file for a newer one.
  static let newestVersions: [String: Int] = [
    "CONV_2D": 5, "FULLY_CONNECTED": 9, "QUANTIZE": 2, "TRANSPOSE_CONV": 3, "EXP": 1,
  ]

  /// What the inputs of an operator are for.
  enum Role: Sendable {
    /// Activations, which may also be constant.
    case data
    /// Weights and slopes, which must be constant.
    case weight
    /// Biases, 32-bit, which must be constant.
    case bias
    /// Shapes, axes and the like, which must be constant.
    case parameter
  }

  /// The roles of an operator's inputs in order; further ones have the last role, operators that are
  /// not listed have data alone.
  static func roles(_ kind: String) -> [Role] {
    switch kind {
    case "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED": [.data, .weight, .bias]
    case "TRANSPOSE_CONV": [.parameter, .weight, .data, .bias]
    case "PRELU": [.data, .weight]
    case "SPLIT": [.parameter, .data]
    case "EXPAND_DIMS", "MEAN", "PAD", "REDUCE_MAX", "REDUCE_MIN", "RESHAPE", "RESIZE_BILINEAR",
      "RESIZE_NEAREST_NEIGHBOR", "SLICE", "STRIDED_SLICE", "SUM", "TRANSPOSE":
      [.data, .parameter]
    // Weights, biases of 32 bits, and two states that it keeps.
    case "UNIDIRECTIONAL_SEQUENCE_LSTM": [.data, .bias]
    default: [.data]
    }
  }
}

/// The table of operators, to look at.
public enum EdgeTPUTable {
  /// A row: the operator, the versions of the runtime (`all`, `<=12`, `>=13`), and the number of limits.
  public struct Row: Sendable, Equatable {
    /// The schema's name.
    public var kind: String
    /// The versions of the runtime that it holds for.
    public var versions: String
    /// How many limits an application must keep.
    public var limitCount: Int
  }

  /// Every row.
  public static let rows: [Row] = EdgeTPUOperator.table.map { row in
    let versions =
      row.runtimes == EdgeTPUOperator.all
      ? "all"
      : row.runtimes.lowerBound == EdgeTPUOperator.all.lowerBound
        ? "<=\(row.runtimes.upperBound)" : ">=\(row.runtimes.lowerBound)"
    return Row(kind: row.kind, versions: versions, limitCount: row.limits.count)
  }
}
