import AssayBase

/// One ONNX node as the operators' readers see it.
struct OperatorCall: Sendable {
  /// The node; its inputs and outputs are the importer's names.
  let node: ONNXNode
  /// The version of ONNX's operator set that the file speaks.
  let opset: Int64
  /// What names in the node's inner graphs mean that these do not make themselves.
  var scope = Scope()

  /// The names of a graph or function inside of the file, as the importer knows them.
  struct Scope: Sendable {
    /// The importer's name of each name that is made inside.
    var names: [String: String] = [:]
    /// Versions of the operator sets by domain.
    var opsets: [String: Int64] = [:]
    /// Functions and graphs around this one, outermost first.
    var path: [String] = []

    /// The importer's name.
    func resolve(_ name: String) -> String { names[name] ?? name }
  }

  /// The graph in an attribute.
  func graph(_ name: String) throws -> ONNXGraph {
    if case .graph(let graph) = payload(name) { return graph }
    throw unsupported("an absent \(name)")
  }

  /// The name of an input; "" when it is absent.
  func input(_ index: Int) -> String {
    node.inputs.indices.contains(index) ? node.inputs[index] : ""
  }

  /// Whether an optional input is there.
  func has(_ index: Int) -> Bool { !input(index).isEmpty }

  /// The name of the first output.
  var output: String { node.outputs.first ?? "" }

  private func payload(_ name: String) -> ONNXAttribute.Payload? {
    node.attributes.first { $0.name == name }?.payload
  }

  /// An integer attribute.
  func int(_ name: String, default value: Int) -> Int {
    if case .int(let number) = payload(name) { return Int(number) }
    return value
  }

  /// An integer attribute, or `nil` when it is absent.
  func int(_ name: String) -> Int? {
    if case .int(let number) = payload(name) { return Int(number) }
    return nil
  }

  /// A float attribute, or `nil` when it is absent.
  func float(_ name: String) -> Float? {
    if case .float(let number) = payload(name) { return number }
    return nil
  }

  /// A text attribute.
  func string(_ name: String, default value: String) -> String {
    if case .string(let text) = payload(name) { return text }
    return value
  }

  /// A list of integers, or `nil` when it is absent.
  func ints(_ name: String) -> [Int]? {
    if case .ints(let numbers) = payload(name) { return numbers.map { Int($0) } }
    return nil
  }

  /// A list of floats, or `nil` when it is absent.
  func floats(_ name: String) -> [Float]? {
    if case .floats(let numbers) = payload(name) { return numbers }
    return nil
  }

  /// A constant, or `nil` when it is absent.
  func tensor(_ name: String) -> ONNXTensor? {
    if case .tensor(let tensor) = payload(name) { return tensor }
    return nil
  }

  /// A list of texts, or `nil` when it is absent.
  func strings(_ name: String) -> [String]? {
    if case .strings(let texts) = payload(name) { return texts }
    return nil
  }

  /// A sparse constant, or `nil` when it is absent.
  func sparseTensor(_ name: String) -> ONNXSparseTensor? {
    if case .sparse(let tensor) = payload(name) { return tensor }
    return nil
  }

  /// The fault of a node whose attribute has a value that no graph can hold.
  func unsupported(_ what: String, remedy: String? = nil) -> Diagnostic {
    Diagnostic("ONX022", "\(node.opType): \(what) is not supported", remedy: remedy)
  }
}

/// Turns one ONNX node into nodes of a Graph.
typealias ONNXReader = @Sendable (OperatorCall, inout GraphImporter) throws -> Void
