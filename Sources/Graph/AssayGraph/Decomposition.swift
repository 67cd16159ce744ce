import AssayBase
import AssayTensor

/// An operator that equals a few simpler ones, for formats that have no counterpart of it.
public protocol DecomposableOperator: Operator {
  /// Adds the nodes that compute `node`, whose operator this is; the last one by
  /// `Decomposition.finish`.
  ///
  /// - Throws: `Diagnostic` GRF003 when these inputs have no simpler form, other GRF… for a fault.
  func decompose(_ node: Node, into graph: inout Decomposition) throws
}

/// A Graph in which one node is being replaced by simpler ones.
public struct Decomposition {
  private var graph: Graph
  private var node: Node
  fileprivate private(set) var nodes: [Node] = []

  /// What nodes read and what leaves the graph.
  private let used: Set<ValueID>

  fileprivate init(_ graph: Graph, _ node: Node, used: Set<ValueID>) {
    self.graph = graph
    self.node = node
    self.used = used
  }

  /// Whether anything reads an output of the node.
  public func isUsed(_ output: Int, of node: Node) -> Bool {
    node.outputs.indices.contains(output) && used.contains(node.outputs[output])
  }

  /// The graph with what was added to its values; its nodes are the caller's to set.
  fileprivate var result: Graph { graph }

  /// The type of a value.
  public func type(_ id: ValueID) -> TensorType { graph[id].type }

  /// The elements of a value, when they are known.
  public func constant(_ id: ValueID) -> Tensor? { graph[id].constant }

  /// An input that must be there.
  public func input(_ index: Int, of node: Node) throws -> ValueID {
    guard node.inputs.indices.contains(index), let id = node.inputs[index] else {
      throw Diagnostic("GRF001", "input \(index) of \(node.op.name) is missing")
    }
    return id
  }

  /// Adds a Constant.
  public mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    graph.addConstant("\(node.name)/\(name)", tensor)
  }

  /// Adds a node within the decomposition.
  ///
  /// - Parameter like: gives the element type and quantization of its outputs; by default those of
  ///   its first input for an operator that keeps the element type.
  /// - Returns: its first output.
  public mutating func add(
    _ op: any Operator,
    _ inputs: [ValueID?],
    like model: TensorType? = nil
  ) throws -> ValueID {
    guard let result = try addAll(op, inputs, like: model).first else {
      throw Diagnostic("GRF001", "\(op.name) has no output")
    }
    return result
  }

  /// Adds a node of several outputs within the decomposition.
  public mutating func addAll(
    _ op: any Operator,
    _ inputs: [ValueID?],
    like model: TensorType? = nil
  ) throws -> [ValueID] {
    let types = inputs.map { $0.map { graph[$0].type } }
    let first = types.first ?? nil
    let outputs = try op.inferTypes(types).map { inferred in
      var type = inferred
      if let model {
        type.dtype = model.dtype
        type.quantization = model.quantization
      } else if let first, type.dtype == first.dtype, type.quantization == nil,
        first.quantization?.isPerChannel != true
      {
        type.quantization = first.quantization
      }
      return graph.add(Value(name: "\(node.name)/\(op.name)", type: type))
    }
    nodes.append(
      Node(name: "\(node.name)/\(op.name)", op: op, inputs: inputs, outputs: outputs)
    )
    return outputs
  }

  /// Adds the node that makes an output of the decomposed one.
  ///
  /// - Throws: `Diagnostic` GRF012 when the shape is not the output's.
  public mutating func finish(
    _ op: any Operator,
    _ inputs: [ValueID?],
    _ node: Node,
    output: Int = 0
  ) throws {
    guard node.outputs.indices.contains(output) else {
      throw Diagnostic("GRF001", "\(node.op.name) has no output \(output)")
    }
    let id = node.outputs[output]
    let types = try op.inferTypes(inputs.map { $0.map { graph[$0].type } })
    guard types.count == 1, types[0].shape == graph[id].type.shape else {
      throw Diagnostic("GRF012", "\(op.name) does not make the shape of '\(graph[id].name)'")
    }
    nodes.append(Node(name: node.name, op: op, inputs: inputs, outputs: [id]))
  }
}

extension Graph {
  /// The graph with simpler operators in the place of those that `isWanted` names and that can be
  /// decomposed, and again in theirs; others stay.
  ///
  /// - Throws: `Diagnostic` GRF… located at the node that cannot be decomposed.
  public func decomposed(where isWanted: (any Operator) -> Bool) throws -> Graph {
    var graph = self
    // A decomposition uses simpler operators, so that few rounds are enough; the bound stops a circle.
    for _ in 0..<8 {
      var nodes: [Node] = []
      var isChanged = false
      var used = Set(graph.outputs)
      for node in graph.nodes { for case let input? in node.inputs { used.insert(input) } }
      for node in graph.nodes {
        guard let op = node.op as? any DecomposableOperator, isWanted(op) else {
          nodes.append(node)
          continue
        }
        var fragment = Decomposition(graph, node, used: used)
        do {
          try locating("node '\(node.name)' (\(node.op.name))") {
            try op.decompose(node, into: &fragment)
          }
        } catch let fault as Diagnostic where fault.code == "GRF003" {
          nodes.append(node)
          continue
        }
        graph = fragment.result
        nodes += fragment.nodes
        isChanged = true
      }
      guard isChanged else { return graph }
      graph.nodes = nodes
      graph = graph.uniquelyNamed()
    }
    return graph
  }
}
