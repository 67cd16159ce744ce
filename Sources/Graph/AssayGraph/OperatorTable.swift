import AssayTensor

/// Every operator that a Graph may hold, except `Opaque`, which stands for the others.
///
/// One row for each name that `Operator.name` can have, in alphabetical order: what
/// docs/operators.md is generated from, and what tests walk to find an operator that was forgotten.
public enum OperatorTable {
  /// An operator by name.
  public struct Row: Sendable {
    /// The operator's name.
    public var name: String
    /// The stem that its files have in every module.
    public var stem: String
    /// An instance with plain attributes, to ask modules whether they know its type.
    public var example: any Operator
  }

  /// The rows.
  public static let rows: [Row] = {
    var rows = single.map { Row(name: $0.1.name, stem: $0.0, example: $0.1) }
    rows += Unary.Kind.allCases.map {
      Row(name: $0.rawValue, stem: "Elementwise", example: Unary($0))
    }
    rows += Binary.Kind.allCases.map {
      Row(name: $0.rawValue, stem: "Elementwise", example: Binary($0))
    }
    return rows.sorted { $0.name < $1.name }
  }()

  private static let single: [(String, any Operator)] = [
    ("ArgReduce", ArgReduce(.max, axis: 0)),
    ("ArgReduce", ArgReduce(.min, axis: 0)),
    ("BandPart", BandPart(lowest: 0, highest: nil)),
    ("BatchNorm", BatchNorm(epsilon: 1e-3)),
    ("Concat", Concat(axis: -1)),
    ("Conv2D", Conv2D()),
    ("Conv3D", Conv3D()),
    ("CumulativeSum", CumulativeSum(axis: 0)),
    ("DepthToSpace", DepthToSpace(blockSize: 2)),
    ("DepthToSpace", SpaceToDepth(blockSize: 2)),
    ("DepthwiseConv2D", DepthwiseConv2D()),
    ("Elementwise", LeakyReLU(alpha: 0.1)),
    ("Elementwise", PReLU()),
    ("Elementwise", Select()),
    ("FullyConnected", FullyConnected()),
    ("Gather", Gather(axis: 0)),
    ("GatherElements", GatherElements(axis: 0)),
    ("GatherND", GatherND()),
    ("GridSample", GridSample()),
    ("LocalResponseNorm", LocalResponseNorm(size: 5, alpha: 1, beta: 0.5, bias: 1)),
    ("LayerNorm", LayerNorm(epsilon: 1e-5)),
    ("MatMul", MatMul()),
    ("NonMaxSuppression", NonMaxSuppression(count: 1, overlapThreshold: 0.5)),
    ("OneHot", OneHot(depth: 1)),
    ("Pad", Pad(before: [], after: [])),
    ("Pool2D", Pool2D(.max, window: .one, strides: .one)),
    ("Pool2D", Pool2D(.average, window: .one, strides: .one)),
    ("Pool3D", Pool3D(.max, window: .one, strides: .one)),
    ("Pool3D", Pool3D(.average, window: .one, strides: .one)),
    ("Quantize", Quantize(.int8, Quantization(scale: 1, zeroPoint: 0))),
    ("Quantize", Dequantize()),
    ("Quantize", Cast(.float32)),
    ("Recurrent", Recurrent(.lstm)),
    ("Recurrent", Recurrent(.gru)),
    ("Recurrent", Recurrent(.simple)),
    ("Reduce", Reduce(.mean, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.sum, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.max, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.min, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.product, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.any, axes: [], keepsAxes: true)),
    ("Reduce", Reduce(.all, axes: [], keepsAxes: true)),
    ("Reshape", Reshape([])),
    ("Resize2D", Resize2D(.nearest, size: .one)),
    ("Resize2D", Resize2D(.bilinear, size: .one)),
    ("Reverse", Reverse(axes: [])),
    ("Reverse", ReverseSequence(batchAxis: 0, timeAxis: 1)),
    ("RoIAlign", RoIAlign(size: .one, scale: 1)),
    ("Scatter", ScatterElements(axis: 0)),
    ("Scatter", ScatterND()),
    ("SegmentReduce", SegmentReduce(.sum, count: 1)),
    ("SegmentReduce", SegmentReduce(.product, count: 1)),
    ("SegmentReduce", SegmentReduce(.max, count: 1)),
    ("SegmentReduce", SegmentReduce(.min, count: 1)),
    ("Slice", Slice(begin: [], sizes: [])),
    ("Slice", Split(axis: 0, sizes: [])),
    ("Softmax", LogSoftmax()),
    ("Softmax", Softmax()),
    ("SpaceToBatch", SpaceToBatch(block: [1], before: [0], after: [0])),
    ("SpaceToBatch", BatchToSpace(block: [1], before: [0], after: [0])),
    ("Tile", BroadcastTo([])),
    ("Tile", Tile([])),
    ("TopK", TopK(1)),
    ("Transpose", Transpose([])),
    ("TransposeConv2D", TransposeConv2D(strides: .one, padding: .same, outputSize: .one)),
    ("TransposeConv3D", TransposeConv3D(strides: .one, padding: .same, outputSize: .one)),
  ]
}
