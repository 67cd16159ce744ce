import AssayBase
import AssayGraph
import AssayTensor

/// The nodes of a graph or of one call of a function, and what was found of them so far.
final class TFScope {
  let nodes: [String: TFNode]
  /// Whether references name outputs (`node:output:0`) or count them (`node:0`).
  let isFunction: Bool
  var results: [String: [TFValue]]

  init(nodes: [String: TFNode], isFunction: Bool, results: [String: [TFValue]] = [:]) {
    self.nodes = nodes
    self.isFunction = isFunction
    self.results = results
  }

  /// The node that a reference names, and which of its outputs.
  func locate(_ reference: String) throws -> (name: String, output: Int) {
    let parts = reference.split(separator: ":", omittingEmptySubsequences: false)
    let name = String(parts[0])
    if parts.count == 1 { return (name, 0) }
    if parts.count == 2, let index = Int(parts[1]) { return (name, index) }
    guard isFunction, parts.count <= 3, let node = nodes[name] else {
      throw Diagnostic("TFG005", "'\(reference)' names no value")
    }
    let index = parts.count == 3 ? Int(parts[2]) ?? -1 : 0
    guard (0..<1 << 20).contains(index) else {
      throw Diagnostic("TFG005", "'\(reference)' names no value")
    }
    let outputs = namedOutputs[node.op] ?? []
    return (name, (outputs.firstIndex(of: String(parts[1])) ?? 0) + index)
  }

  /// A value that was found already.
  func value(_ reference: String) throws -> TFValue {
    let (name, output) = try locate(reference)
    guard let values = results[name] else {
      throw Diagnostic("TFG005", "there is no node '\(name)'")
    }
    if values.indices.contains(output) { return values[output] }
    // A node that did not run has one value that stands for all.
    if values.count == 1 {
      switch values[0] {
      case .dead, .missing: return values[0]
      default: break
      }
    }
    throw Diagnostic("TFG005", "node '\(name)' has no output \(output)")
  }
}

/// The names of outputs of operators that have several, as references in functions give them.
private let namedOutputs: [String: [String]] = [
  "FusedBatchNorm": batchNormOutputs,
  "FusedBatchNormV2": batchNormOutputs,
  "FusedBatchNormV3": batchNormOutputs,
  "Switch": ["output_false", "output_true"],
  "Merge": ["output", "value_index"],
  "TopKV2": ["values", "indices"],
  "TopK": ["values", "indices"],
  "Unique": ["y", "idx"],
  "ListDiff": ["out", "idx"],
  "MaxPoolWithArgmax": ["output", "argmax"],
  "TensorListPopBack": ["output_handle", "tensor"],
  "NonMaxSuppressionV4": ["selected_indices", "valid_outputs"],
  "NonMaxSuppressionV5": ["selected_indices", "selected_scores", "valid_outputs"],
]

private let batchNormOutputs = [
  "y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3",
]

extension TensorFlowImporter {
  /// How deep functions may call one another.
  private static let deepestCall = 48

  /// Reads all that is needed for these values; what is found is kept in the scope.
  ///
  /// Only data flows: nodes that merely have to run before (assertions, assignments) are not read.
  mutating func resolve(_ references: [String], in scope: TFScope) throws {
    var stack = try references.reversed().map { try scope.locate($0).name }
    var open: Set<String> = []
    while let name = stack.last {
      if scope.results[name] != nil {
        stack.removeLast()
        continue
      }
      guard let node = scope.nodes[name] else {
        throw Diagnostic("TFG005", "there is no node '\(name)'")
      }
      open.insert(name)
      var isReady = true
      for reference in node.dataInputs {
        let source = try scope.locate(reference).name
        if scope.results[source] != nil { continue }
        guard !open.contains(source) else {
          throw Diagnostic(
            "TFG009",
            "'\(name)' and '\(source)' read each other",
            remedy: scope.nodes.values.contains { $0.op == "NextIteration" }
              ? "loops of TensorFlow 1 are not supported: save the network unrolled" : nil
          )
        }
        stack.append(source)
        isReady = false
      }
      guard isReady else { continue }
      stack.removeLast()
      open.remove(name)
      scope.results[name] = try results(of: node, in: scope)
    }
  }

  /// What a node makes of inputs that are known.
  private mutating func results(of node: TFNode, in scope: TFScope) throws -> [TFValue] {
    var inputs = try node.dataInputs.map { try scope.value($0) }
    if !["Merge", "RefMerge"].contains(node.op) {
      for input in inputs { if case .dead = input { return [.dead] } }
    }
    for input in inputs { if case .missing = input { return [.missing] } }
    do {
      if node.op != "Identity" { inputs = try inputs.map { try loaded($0) } }
      return try read(TFCall(node: node, inputs: inputs, name: node.name))
    } catch let fault as Diagnostic {
      try note(fault.inside("node '\(node.name)' (\(node.op))"))
    } catch let several as Diagnostics {
      for fault in several.all { try note(fault.inside("node '\(node.name)' (\(node.op))")) }
    } catch let fault as ByteView.OutOfBounds {
      try note(Diagnostic("TFG001", "\(fault)", at: ["node '\(node.name)' (\(node.op))"]))
    }
    return [.missing]
  }

  /// A value of the checkpoint as a Constant; any other value as it is.
  private mutating func loaded(_ value: TFValue) throws -> TFValue {
    guard case .saved(let name) = value else { return value }
    guard let tensor = try checkpoint?(name) else { return .missing }
    return .tensor(addConstant(name, tensor))
  }

  /// Keeps a fault; unrolled loops repeat theirs, which are kept once.
  private mutating func note(_ fault: Diagnostic) throws {
    if faults.contains(where: { $0.summary == fault.summary && $0.location == fault.location }) {
      return
    }
    faults.append(fault)
    if faults.count > 200 || fault.code == "TFG008" { throw Diagnostics(faults) }
  }

  /// The results of a function of the library.
  mutating func call(_ name: String, _ arguments: [TFValue]) throws -> [TFValue] {
    guard let function = functions[name] else {
      throw Diagnostic("TFG010", "there is no function '\(name)'")
    }
    guard function.arguments.count == arguments.count else {
      throw Diagnostic(
        "TFG010",
        "function '\(name)' takes \(function.arguments.count) arguments, not \(arguments.count)"
      )
    }
    guard callDepth < Self.deepestCall else {
      throw Diagnostic("TFG011", "functions call one another more than \(Self.deepestCall) deep")
    }
    callDepth += 1
    defer { callDepth -= 1 }
    if functionNodes[name] == nil {
      functionNodes[name] = Dictionary(
        function.nodes.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
      )
    }
    var results: [String: [TFValue]] = [:]
    for (name, value) in zip(function.arguments, arguments) { results[name] = [value] }
    let scope = TFScope(nodes: functionNodes[name] ?? [:], isFunction: true, results: results)
    let references = try function.results.map { result in
      guard let reference = function.returns[result] else {
        throw Diagnostic("TFG010", "function '\(name)' does not say what '\(result)' is")
      }
      return reference
    }
    try resolve(references, in: scope)
    return try references.map { try scope.value($0) }
  }
}
