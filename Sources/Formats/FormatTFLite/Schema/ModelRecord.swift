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
  var isSparse = false
  /// Whether its elements lie in another file.
  var isExternal = false
}

/// Scales and zero points; without scales it says nothing.
struct QuantizationRecord {
  var scales: [Float]
  var zeroPoints: [Int64]
  var axis: Int32
  /// Whether the scales are of a kind other than one for each slice (blockwise, custom).
  var isExotic = false
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
  /// Options to be written.
  var newOptions: FlatObject?
  /// The length of a custom operator's options.
  var customLength = 0
}
