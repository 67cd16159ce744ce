import AssayGraph
import AssayTensor

/// A pass that looks at one node and its neighbours at a time.
protocol LocalPass: GraphPass {
  /// Adds to `patch` what is to be changed around the node at `index`; nothing if it does not match.
  ///
  /// A rewrite must not read nodes that `patch` already touches.
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) throws
}

/// New Constants that a patch gathers before it is applied, in bytes: what they replace is let go only
/// then, and the networks' weights shall not lie in memory twice.
private let patchBudget = 16 << 20

extension LocalPass {
  var name: String { "\(Self.self)" }

  func patch(for graph: Graph) throws -> GraphPatch {
    let graphIndex = GraphIndex(graph)
    var patch = GraphPatch(graph)
    for index in graph.nodes.indices
    where patch.constantByteCount < patchBudget && !patch.touches(index) {
      try rewrite(index, of: graphIndex, into: &patch)
    }
    return patch
  }
}

extension GraphIndex {
  /// The node that makes `id` for nobody but its only reader, if no rewrite of `patch` has it.
  func soleProducer(of id: ValueID?, _ patch: GraphPatch) -> (index: Int, node: Node)? {
    guard let id, soleReader(of: id) != nil, let index = producer(of: id), !patch.touches(index)
    else { return nil }
    return (index, graph.nodes[index])
  }

  /// The elements of a float32 Constant.
  func floats(_ id: ValueID?) -> [Float]? {
    guard let id, let tensor = graph[id].constant, tensor.dtype == .float32 else { return nil }
    return tensor.elements(as: Float.self)
  }

  /// The only element of a float32 Constant of one element.
  func scalar(_ id: ValueID?) -> Float? {
    guard let id, graph[id].constant?.count == 1 else { return nil }
    return floats(id)?.first
  }

  /// Whether a value holds plain float32 numbers.
  func isFloat(_ id: ValueID?) -> Bool {
    guard let id else { return false }
    return graph[id].type.dtype == .float32 && graph[id].type.quantization == nil
  }

  /// Removes the node at `index` and lets the readers of its only output read `source` instead.
  ///
  /// An output of the graph keeps its name: its value is then made by whoever made `source`.
  ///
  /// - Returns: whether that was possible.
  @discardableResult
  func bypass(_ index: Int, to source: ValueID, in patch: inout GraphPatch) -> Bool {
    let output = graph.nodes[index].outputs[0]
    guard graph[source].type == graph[output].type else { return false }
    if !isOutput(output) {
      patch.redirect(output, to: source)
      patch.remove(index)
      return true
    }
    guard !isOutput(source), let maker = producer(of: source), !patch.touches(maker) else {
      return false
    }
    var node = graph.nodes[maker]
    node.outputs = node.outputs.map { $0 == source ? output : $0 }
    patch.replace(maker, with: [node])
    patch.redirect(source, to: output)
    patch.remove(index)
    return true
  }
}

extension Shape {
  /// The extents without leading ones.
  var withoutLeadingOnes: [Int] { Array(dims.drop { $0 == 1 }) }
}
