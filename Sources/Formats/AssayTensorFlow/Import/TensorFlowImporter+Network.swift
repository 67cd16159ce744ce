import AssayBase
import AssayGraph
import AssayTensor

/// A value of a TensorFlow graph that the user feeds or gets.
public struct TFPort: Sendable {
  /// The name under which the Graph has it.
  public var name: String
  /// The value in the file's graph: `node` or `node:1`.
  public var reference: String
  /// Its type; for inputs only.
  public var type: TensorType?

  /// Makes a port.
  public init(name: String, reference: String, type: TensorType? = nil) {
    self.name = name
    self.reference = reference
    self.type = type
  }
}

extension TensorFlowImporter {
  /// Reads a whole network.
  ///
  /// - Parameters:
  ///   - source: the file's graph.
  ///   - inputs: what the user feeds; whatever lies before is not read.
  ///   - outputs: what the user gets; whatever they do not need is not read.
  ///   - saver: how the graph says that its variables are restored.
  ///   - checkpoint: the value of a checkpointed variable by its name there.
  ///   - savedNames: names in the checkpoint by variables' handles, where more is known of them than
  ///     the saver tells.
  /// - Returns: the graph with notes of what was taken for granted.
  /// - Throws: `Diagnostics` TFG0xx with every node that cannot be read.
  public static func network(
    _ source: TFGraph,
    name: String,
    inputs: [TFPort],
    outputs: [TFPort],
    saver: TFSaver? = nil,
    checkpoint: ((String) throws -> Tensor?)? = nil,
    savedNames: [String: String] = [:]
  ) throws -> (graph: Graph, notes: [Diagnostic]) {
    var importer = TensorFlowImporter(Graph(name: name), functions: source.functions)
    importer.checkpoint = checkpoint
    let nodes = try Dictionary(source.nodes.map { ($0.name, $0) }) { first, _ in
      throw Diagnostic("TFG015", "two nodes are named '\(first.name)'")
    }
    let scope = TFScope(nodes: nodes, isFunction: false)
    for port in inputs {
      guard let type = port.type else { continue }
      let (node, output) = try scope.locate(port.reference)
      guard output == 0, scope.results[node] == nil else {
        throw Diagnostic("TFG016", "'\(port.reference)' cannot be an input")
      }
      let id = importer.graph.addInput(importer.uniqueName(port.name), type)
      scope.results[node] = [.tensor(id)]
    }
    if checkpoint != nil {
      // The name that TensorFlow 1 gives the node, where the file does not tell.
      let restore = saver?.restore ?? (nodes["save/restore_all"] == nil ? "" : "save/restore_all")
      if !restore.isEmpty { try importer.restore(by: restore, in: scope) }
      for (handle, key) in savedNames { importer.savedNames[handle] = key }
    }
    try importer.resolve(outputs.map(\.reference), in: scope)
    try Diagnostics(importer.faults).throwIfErrors()
    for port in outputs {
      guard case .tensor(let id) = try scope.value(port.reference) else {
        throw Diagnostic("TFG017", "output '\(port.name)' is no tensor", at: [port.reference])
      }
      try importer.addOutput(id, named: port.name)
    }
    return (importer.graph.withoutUnusedNodes(), importer.notes)
  }

  /// Lets a value leave the graph under a name.
  private mutating func addOutput(_ id: ValueID, named name: String) throws {
    var id = id
    let isTaken = graph.outputs.contains(id) || graph.inputs.contains(id)
    if isTaken || graph[id].constant != nil {
      // A node of its own gives the value a name of its own.
      let dims = graph[id].type.shape.dims
      id = try graph.addNode(uniqueName("\(name)/copy"), Reshape(dims), [id])[0]
    }
    let old = graph[id].name
    if old != name {
      // The name is that of another value only where a node of the file happens to have it.
      if let other = graph.values.firstIndex(where: { $0.name == name }) {
        graph[ValueID(other)].name = uniqueName("\(name)/value")
      }
      graph[id].name = name
      _ = uniqueName(name)
    }
    graph.outputs.append(id)
  }

  // MARK: - Variables

  /// Finds which variable each value of the checkpoint belongs to: by the assignments that the graph's
  /// own restore would make.
  private mutating func restore(by node: String, in scope: TFScope) throws {
    let start = try scope.locate(node).name
    var waiting = [start]
    var seen = Set(waiting)
    while let name = waiting.popLast() {
      guard let node = scope.nodes[name] else { continue }
      try assign(node, in: scope)
      for next in node.controlInputs where seen.insert(next).inserted { waiting.append(next) }
    }
    // A restore that cannot be followed is no fault: its variables are looked up by their own names.
    faults = []
  }

  /// Keeps what a node assigns to variables, itself or in the function that it calls.
  private mutating func assign(_ node: TFNode, in scope: TFScope) throws {
    let inputs = node.dataInputs
    switch node.op {
    case "Assign", "AssignVariableOp":
      guard inputs.count == 2 else { return }
      try resolve([inputs[1]], in: scope)
      let variable: String
      if node.op == "Assign" {
        variable = try scope.locate(inputs[0]).name
      } else {
        try resolve([inputs[0]], in: scope)
        guard case .variable(let name) = try scope.value(inputs[0]) else { return }
        variable = name
      }
      switch try scope.value(inputs[1]) {
      case .saved(let key): savedNames[variable] = key
      case .tensor(let id): variables[variable] = graph[id].constant
      default: break
      }
    case "PartitionedCall", "StatefulPartitionedCall":
      guard case .function(let name) = node.attributes["f"], let function = functions[name] else {
        return
      }
      try resolve(inputs, in: scope)
      guard inputs.count == function.arguments.count, callDepth < 8 else { return }
      var arguments: [String: [TFValue]] = [:]
      for (argument, input) in zip(function.arguments, inputs) {
        arguments[argument] = [try scope.value(input)]
      }
      let nodes = Dictionary(function.nodes.map { ($0.name, $0) }) { first, _ in first }
      let inner = TFScope(nodes: nodes, isFunction: true, results: arguments)
      callDepth += 1
      defer { callDepth -= 1 }
      for node in function.nodes { try assign(node, in: inner) }
    default: break
    }
  }
}

extension Graph {
  /// The graph without nodes whose results nobody reads.
  fileprivate func withoutUnusedNodes() -> Graph {
    var wanted = Set(outputs)
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { wanted.contains($0) }) {
      kept.append(node)
      for case let input? in node.inputs { wanted.insert(input) }
    }
    var result = self
    result.nodes = kept.reversed()
    return result.compacted()
  }
}
