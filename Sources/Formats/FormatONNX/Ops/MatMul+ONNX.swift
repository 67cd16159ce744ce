import AssayFormat
import AssayGraph
import AssayTensor

extension MatMul: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let a = operand(node, 0, isTransposed: transposesA, &file)
    let b = operand(node, 1, isTransposed: transposesB, &file)
    file.finish(node, "MatMul", [a, b])
  }

  private func operand(
    _ node: NodeView,
    _ index: Int,
    isTransposed: Bool,
    _ file: inout GraphExporter
  ) -> String {
    guard isTransposed else { return file.real(node, index) }
    var permutation = Array(0..<node.input(index).shape.rank)
    permutation.swapAt(permutation.count - 1, permutation.count - 2)
    return file.filter(node, index, permutation: permutation)
  }
}

// MARK: - Import

let matMulReaders: [String: ONNXReader] = ["MatMul": readMatMul]

private func readMatMul(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let (a, b) = (try into.type(call.input(0)).shape, try into.type(call.input(1)).shape)
  if b.rank == 2, a.rank >= 1, into.constant(call.input(1)) != nil {
    let weights = try into.parameter(call.input(1), [1, 0], call)
    try into.define(call, FullyConnected(), [try into.plain(call.input(0)), weights, nil])
    return
  }
  guard a.rank >= 1, b.rank >= 1 else { throw call.unsupported("\(a) by \(b)") }
  let inputs = [try into.plain(call.input(0)), try into.plain(call.input(1))]
  if a.rank >= 2, b.rank >= 2 {
    try into.define(call, MatMul(), inputs)
    return
  }
  // A vector is a row on the left and a column on the right; that axis leaves again.
  let row = a.rank == 1 ? try into.reshaped(call, inputs[0], [1, a[0]]) : inputs[0]
  let column = b.rank == 1 ? try into.reshaped(call, inputs[1], [b[0], 1]) : inputs[1]
  let product = try into.product(call, row, column)
  var dims = into.shape(product).dims
  if b.rank == 1 { dims.removeLast() }
  if a.rank == 1 { dims.remove(at: dims.count - (b.rank == 1 ? 1 : 2)) }
  into.conclude(call, try into.reshaped(call, product, dims))
}
