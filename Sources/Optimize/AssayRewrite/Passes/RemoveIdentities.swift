import AssayGraph
import AssayTensor

/// Removes nodes whose result is their first input.
struct RemoveIdentities: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard node.outputs.count == 1 else { return }
    if let binary = node.op as? Binary {
      if let kept = identity(binary, node, graph) { graph.bypass(index, to: kept, in: &patch) }
    } else if let source = node.inputs.first ?? nil, isIdentity(node, graph.graph[source].type) {
      graph.bypass(index, to: source, in: &patch)
    }
  }

  private func isIdentity(_ node: Node, _ type: TensorType) -> Bool {
    let dims = type.shape.dims
    switch node.op {
    case is Reshape: return true  // when the types are equal, which the bypass checks
    case let op as Transpose: return op.permutation == Array(0..<dims.count)
    case let op as Cast: return op.dtype == type.dtype
    case let op as Pad: return (op.before + op.after).allSatisfy { $0 == 0 }
    case let op as Slice:
      return op.sizes == dims && op.steps.allSatisfy { $0 == 1 || $0 == -1 }
        && zip(op.steps, dims).allSatisfy { $0 == 1 || $1 == 1 }
    case is Concat: return node.inputs.count == 1
    case is Split: return true
    case let op as Pool2D:
      return op.window == .one && op.strides == .one && op.activation == .none
    case let op as Resize2D: return [op.size.height, op.size.width] == Array(dims[1...2])
    case is Reduce: return false
    default: return false
    }
  }

  /// The input that adding zero, subtracting zero, multiplying or dividing by one leaves unchanged.
  private func identity(_ op: Binary, _ node: Node, _ graph: GraphIndex) -> ValueID? {
    guard op.activation == .none, node.inputs.count == 2, let a = node.inputs[0],
      let b = node.inputs[1], graph.isFloat(a), graph.isFloat(b)
    else { return nil }
    let neutral: Float
    switch op.kind {
    case .add, .subtract: neutral = 0
    case .multiply, .divide: neutral = 1
    default: return nil
    }
    func isNeutral(_ id: ValueID) -> Bool {
      graph.floats(id)?.allSatisfy { $0 == neutral } ?? false
    }
    if isNeutral(b) { return a }
    return op.kind == .add || op.kind == .multiply ? (isNeutral(a) ? b : nil) : nil
  }
}
