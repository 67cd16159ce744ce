import AssayBase
import AssayTensor

// The parts of an ONNX file (IR, https://onnx.ai/onnx/repo-docs/IR.html) that hold an inference
// network, as plain structs. They know the file's fields and nothing of what operators mean.

/// A file: a graph, the operator sets that it speaks, and who made it.
struct ONNXModel: Sendable {
  var irVersion: Int64 = 0
  var producerName = ""
  var producerVersion = ""
  var docString = ""
  var graph = ONNXGraph()
  /// Version of each operator set by domain; "" is ONNX's own.
  var opsets: [(domain: String, version: Int64)] = []
  /// The operators that the file itself defines.
  var functions: [ONNXFunction] = []
}

/// An operator that a file defines by nodes.
struct ONNXFunction: Sendable {
  var name = ""
  var domain = ""
  /// Tells functions of one name apart.
  var overload = ""
  var inputs: [String] = []
  var outputs: [String] = []
  /// Attributes that have a value when the caller gives none.
  var defaults: [ONNXAttribute] = []
  var nodes: [ONNXNode] = []
  var opsets: [(domain: String, version: Int64)] = []
}

/// Nodes, the constants that they read, and the boundary.
struct ONNXGraph: Sendable {
  var name = ""
  var nodes: [ONNXNode] = []
  var initializers: [ONNXTensor] = []
  var sparseInitializers: [ONNXSparseTensor] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
}

/// The declared type of a value.
struct ONNXValueInfo: Sendable {
  /// One extent: known, or named, or open.
  enum Dimension: Sendable, Equatable {
    case fixed(Int64)
    case named(String)
    case open
  }

  var name = ""
  /// `TensorProto.DataType`; 0 when the value is no tensor.
  var elementType: Int32 = 0
  /// `nil` when not even the rank is known.
  var shape: [Dimension]?
}

/// One application of an operator.
struct ONNXNode: Sendable {
  var name = ""
  var opType = ""
  var domain = ""
  /// Names; "" is an optional input that is absent.
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [ONNXAttribute] = []
  var overload = ""
}

/// A named attribute of a node.
struct ONNXAttribute: Sendable {
  /// What it holds.
  enum Payload: Sendable {
    case float(Float)
    case int(Int64)
    case string(String)
    case tensor(ONNXTensor)
    case floats([Float])
    case ints([Int64])
    case strings([String])
    indirect case graph(ONNXGraph)
    case sparse(ONNXSparseTensor)
    /// Whatever the function's caller gives under this name.
    case reference(String)
    /// Several graphs, a type: kept by name only.
    case other
  }

  var name: String
  var payload: Payload
}

/// A constant of which most elements are zero.
struct ONNXSparseTensor: Sendable {
  /// The elements that are not zero; its name is the constant's.
  var values = ONNXTensor()
  /// The position of each, or its coordinates.
  var indices = ONNXTensor()
  var dims: [Int64] = []
}

/// A constant, with its elements wherever the file has them.
struct ONNXTensor: Sendable {
  var name = ""
  var dims: [Int64] = []
  /// `TensorProto.DataType`.
  var dataType: Int32 = 0
  /// The packed elements, little-endian; pieces when they are written.
  var raw: [ByteView] = []
  var hasRaw = false
  var floatData: [Float] = []
  /// Also holds int8, uint8, int16, uint16, bool, float16 and bfloat16 (its bits).
  var int32Data: [Int64] = []
  var int64Data: [Int64] = []
  var doubleData: [Double] = []
  var uint64Data: [Int64] = []
  /// Keys `location`, `offset`, `length` when the elements lie in another file.
  var external: [String: String] = [:]
  var isExternal = false
}

extension DType {
  /// The `TensorProto.DataType` of this type.
  var onnx: Int32 {
    switch self {
    case .float32: 1
    case .uint8: 2
    case .int8: 3
    case .uint16: 4
    case .int16: 5
    case .int32: 6
    case .int64: 7
    case .string: 8
    case .bool: 9
    case .float16: 10
    case .float64: 11
    case .uint32: 12
    case .uint64: 13
    case .bfloat16: 16
    case .uint4: 21
    case .int4: 22
    case .float8E4M3FN: 17
    case .float8E4M3FNUZ: 18
    case .float8E5M2: 19
    case .float8E5M2FNUZ: 20
    case .float4E2M1: 23
    }
  }

  /// The type of a `TensorProto.DataType`, or `nil` for one that graphs do not have.
  init?(onnx: Int32) {
    guard let type = DType.allCases.first(where: { $0.onnx == onnx }) else { return nil }
    self = type
  }
}
