import AssayBase
import AssayGraph
import AssayTensor

/// One TensorFlow node as the operators' readers see it.
struct TFCall {
  /// The node.
  let node: TFNode
  /// What it reads, without control inputs.
  let inputs: [TFValue]
  /// The name that its nodes and results get in the Graph.
  let name: String

  /// An integer attribute.
  func int(_ key: String, default value: Int = 0) -> Int {
    if case .int(let number) = node.attributes[key] { return Int(number) }
    return value
  }

  /// A float attribute.
  func float(_ key: String, default value: Float) -> Float {
    if case .float(let number) = node.attributes[key] { return number }
    return value
  }

  /// A truth value.
  func bool(_ key: String, default value: Bool = false) -> Bool {
    if case .bool(let flag) = node.attributes[key] { return flag }
    return value
  }

  /// A text attribute.
  func string(_ key: String, default value: String = "") -> String {
    if case .string(let text) = node.attributes[key] { return text }
    return value
  }

  /// A list of integers; `nil` when it is absent, empty when it has no elements.
  func ints(_ key: String) -> [Int]? {
    switch node.attributes[key] {
    case .ints(let numbers): numbers.map { Int($0) }
    case .emptyList: []
    default: nil
    }
  }

  /// An element type; `nil` when it is absent or no Tensor has it.
  func dtype(_ key: String) -> DType? {
    if case .type(let type) = node.attributes[key] { return type.dtype }
    return nil
  }

  /// The name of a function.
  func function(_ key: String) throws -> String {
    guard case .function(let name) = node.attributes[key] else {
      throw unsupported("a call without '\(key)'")
    }
    return name
  }

  /// Whether images are NCHW.
  var isChannelsFirst: Bool { string("data_format").hasPrefix("NC") }

  /// The fault of a node that no graph can hold.
  func unsupported(_ what: String, remedy: String? = nil) -> Diagnostic {
    Diagnostic("TFG022", "\(node.op): \(what) is not supported", remedy: remedy)
  }

  /// The fault of a node with the wrong number of inputs.
  func missingInput(_ index: Int) -> Diagnostic {
    Diagnostic("TFG006", "\(node.op): input \(index) is missing")
  }
}

/// Turns one TensorFlow node into nodes of a Graph, and says what its outputs are.
typealias TFReader = @Sendable (TFCall, inout TensorFlowImporter) throws -> [TFValue]
