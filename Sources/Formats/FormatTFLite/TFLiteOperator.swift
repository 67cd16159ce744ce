import AssayBase
import AssayGraph

/// How an operator of ours lies in a .tflite file, in both directions.
///
/// A conformance stands in `Ops/<Operator>+TFLite.swift` and has a row in `TFLiteOperators.all`.
protocol TFLiteOperator: Operator {
  /// The file's operators that `read` understands.
  static var builtins: [BuiltinOperator] { get }

  /// Writes one node.
  ///
  /// - Throws: `Diagnostic` TFL1… when the format cannot hold it.
  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws

  /// Reads one operator of a file, of one of the kinds in `builtins`, into the graph.
  ///
  /// - Throws: `Diagnostic` TFL0… or GRF… when it is not understood.
  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws
}

/// The operators that the format holds.
enum TFLiteOperators {
  /// One row for each operator of ours.
  static let all: [any TFLiteOperator.Type] = [
    ArgReduce.self, BatchNorm.self, BatchToSpace.self, Binary.self, BroadcastTo.self, Cast.self,
    Concat.self, Conv2D.self, Conv3D.self, CumulativeSum.self, DepthToSpace.self,
    DepthwiseConv2D.self, Dequantize.self, FullyConnected.self, Gather.self, GatherND.self,
    LeakyReLU.self, LocalResponseNorm.self, LogSoftmax.self, MatMul.self, NonMaxSuppression.self,
    OneHot.self, PReLU.self, Pad.self, Pool2D.self, Quantize.self, Reduce.self, Reshape.self,
    Resize2D.self, Reverse.self, ReverseSequence.self, ScatterND.self, SegmentReduce.self,
    Select.self, Slice.self, Softmax.self, SpaceToBatch.self, SpaceToDepth.self, Split.self,
    Tile.self, TopK.self, Transpose.self, TransposeConv2D.self, TransposeConv3D.self, Unary.self,
  ]

  /// The reader of each operator of a file.
  static let readers: [BuiltinOperator: any TFLiteOperator.Type] = {
    var readers: [BuiltinOperator: any TFLiteOperator.Type] = [:]
    for type in all { for builtin in type.builtins { readers[builtin] = type } }
    return readers
  }()
}
