import AssayBase
import AssayCodec

/// The content of a .tflite file (schema version 3), without meaning: what the tables hold.
struct ModelRecord {
  var version: UInt32 = 3
  var description: String?
  var codes: [CodeRecord] = []
  var subgraphs: [SubgraphRecord] = []
  /// The bytes of each buffer; `nil` for an empty one.
  var buffers: [ByteView?] = []
  var metadata: [MetadataRecord] = []
  var signatures: [SignatureRecord] = []
}

/// Which operator, in which version, the operators with one index are.
struct CodeRecord {
  var builtin: BuiltinOperator
  var custom: String?
  var version: Int32
}

/// Bytes beside the network, by name.
struct MetadataRecord {
  var name: String
  var buffer: Int
}

/// Names of a subgraph's inputs and outputs, as a caller knows them.
struct SignatureRecord {
  var key: String
  var inputs: [(name: String, tensor: Int)]
  var outputs: [(name: String, tensor: Int)]
  var subgraph: Int
}

/// A network or a part of one.
struct SubgraphRecord {
  var name: String?
  var tensors: [TensorRecord] = []
  var inputs: [Int32] = []
  var outputs: [Int32] = []
  var operators: [OperatorRecord] = []
}

/// A value of a subgraph.
struct TensorRecord {
  var name: String
  var shape: [Int32]
  /// The shape with -1 for what is open; `nil` where nothing is.
  var signature: [Int32]?
  var type: Int8
  var buffer: Int
  var quantization: QuantizationRecord?
  var isVariable = false
  /// How the elements of a sparse constant lie in its buffer.
  var sparsity: SparsityRecord?
  /// Whether its elements lie in another file.
  var isExternal = false
}

/// Scales and zero points; without scales it says nothing.
struct QuantizationRecord {
  var scales: [Float]
  var zeroPoints: [Int64]
  var axis: Int32
  /// The table of a kind of scales other than one for each slice: its number in the union
  /// QuantizationDetails, and the fields of the blockwise kind.
  var kind: UInt8 = 0
  var blockwise: BlockwiseRecord?
}

/// Scales for each block of some elements of the last axis, which lie in tensors of their own.
struct BlockwiseRecord {
  var scales: Int
  /// -1 where every zero point is 0.
  var zeroPoints: Int
  var blockSize: Int
}

/// The layout of a sparse constant: the order in which its axes (and those within a block) are
/// walked, and for each whether it is dense or lists the indices that are there.
struct SparsityRecord {
  var traversalOrder: [Int]
  /// The axis of the tensor that each axis of a block belongs to.
  var blockMap: [Int]
  var dimensions: [Dimension]

  enum Dimension {
    case dense(Int)
    case sparse(segments: [Int], indices: [Int])
  }
}

/// An application of an operator.
struct OperatorRecord {
  var code: Int
  /// Tensors read; -1 for an absent one.
  var inputs: [Int32]
  var outputs: [Int32]
  var optionsType: UInt8 = 0
  /// Options as a file holds them.
  var options: FlatTable?
  /// The second union of options, which newer operators use.
  var secondOptionsType: UInt8 = 0
  var secondOptions: FlatTable?
  /// Options to be written, in the first union or in the second.
  var newOptions: FlatObject?
  /// A custom operator's options.
  var customOptions: ByteView?
  /// Tensors within the operator, which only carry quantization.
  var intermediates: [Int32] = []
}
