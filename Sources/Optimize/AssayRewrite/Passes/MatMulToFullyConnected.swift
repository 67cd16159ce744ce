import AssayGraph
import AssayTensor

/// A product with a constant matrix is a dense layer.
struct MatMulToFullyConnected: LocalPass {
  func rewrite(_ index: Int, of graph: GraphIndex, into patch: inout GraphPatch) {
    let node = graph.graph.nodes[index]
    guard let op = node.op as? MatMul, !op.transposesA, let x = node.inputs[0],
      let b = node.inputs[1], graph.isFloat(x), graph.graph[b].type.shape.rank == 2,
      let matrix = graph.graph[b].constant, matrix.dtype == .float32, matrix.quantization == nil
    else { return }
    let weights = op.transposesB ? matrix : transposed(matrix)
    let id = patch.add(Value(name: graph.graph[b].name, type: weights.type, constant: weights))
    patch.replace(
      index,
      with: [Node(name: node.name, op: FullyConnected(), inputs: [x, id], outputs: node.outputs)]
    )
  }

  private func transposed(_ matrix: Tensor) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    let source = matrix.elements(as: Float.self)
    var result = [Float](repeating: 0, count: source.count)
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = source[row * columns + column] }
    }
    return Tensor(result, [columns, rows])
  }
}
