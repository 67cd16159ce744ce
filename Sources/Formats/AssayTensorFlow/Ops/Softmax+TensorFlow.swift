import AssayBase
import AssayGraph
import AssayTensor

let softmaxReaders: [String: TFReader] = [
  "Softmax": { call, into in try into.emit(call, Softmax(), [try into.tensor(call, 0)]) },
  "LogSoftmax": { call, into in
    try into.emit(call, LogSoftmax(), [try into.tensor(call, 0)])
  },
]

// MARK: - Export

extension Softmax: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    var x = file.input(node, 0)
    if beta != 1 {
      let factor = file.scalar(beta, node.outputs[0].dtype)
      x = file.step(node, "scaled", "Mul", [x, factor], ["T": node.type])
    }
    return file.alongLastAxis(node, x, axis, "Softmax")
  }
}

extension LogSoftmax: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.alongLastAxis(node, file.input(node, 0), axis, "LogSoftmax")
  }
}

extension TensorFlowExporter {
  /// Adds an operator of the last axis; another axis changes place with it.
  fileprivate mutating func alongLastAxis(
    _ node: TFNodeView,
    _ value: String,
    _ axis: Int,
    _ op: String
  ) -> [String] {
    let rank = node.outputs[0].shape.rank
    let axis = axis < 0 ? axis + rank : axis
    let type = ["T": node.type]
    guard axis != rank - 1 else { return [add(op, node.name, [value], type)] }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    let turning = ["T": node.type, "Tperm": TFAttribute.type(.int32)]
    let turned = step(node, "turned", "Transpose", [value, integers(order)], turning)
    let result = step(node, op, op, [turned], type)
    return [add("Transpose", node.name, [result, integers(order)], turning)]
  }
}
