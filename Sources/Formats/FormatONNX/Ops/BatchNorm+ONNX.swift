import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension BatchNorm: ONNXExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule { .window }

  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let x = node.input(0).shape
    let count = x[-1]
    func statistic(_ index: Int, absent: Float) -> String {
      guard let id = node.node.inputs[index] else {
        return file.constant(
          Tensor([Float](repeating: absent, count: count), [count]),
          hint: "const/\(absent)"
        )
      }
      return file.parameters.contains(id)
        ? file.parameter(id, shape: node.input(index).shape.rank == 1 ? nil : [count])
        : file.real(node, index)
    }
    let statistics = [
      statistic(1, absent: 1), statistic(2, absent: 0), statistic(3, absent: 0),
      statistic(4, absent: 1),
    ]
    let attributes = [ONNXAttribute.float("epsilon", epsilon)]
    let input = file.real(node, 0)
    if x.rank == 2 || x.rank == 4 {
      file.finish(node, "BatchNormalization", [input] + statistics, attributes)
      return
    }
    // ONNX has the channels on axis 1.
    let rows = file.addRows(of: input, x, for: node)
    let result = file.add("BatchNormalization", [rows] + statistics, attributes, for: node)
    file.finishReshape(node, result)
  }
}

// MARK: - Import

let batchNormReaders: [String: ONNXReader] = ["BatchNormalization": readBatchNorm]

private func readBatchNorm(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  guard call.int("training_mode", default: 0) == 0, call.int("spatial", default: 1) == 1 else {
    throw call.unsupported("training_mode or spatial=0")
  }
  let parameters = try (1..<5).map { try into.plain(call.input($0)) }
  let op = BatchNorm(epsilon: call.float("epsilon") ?? 1e-5)
  let shape = try into.type(call.input(0)).shape
  switch shape.rank {
  case 2: try into.define(call, op, [try into.plain(call.input(0))] + parameters)
  case 4: try into.defineImage(call, op, [try into.image(call.input(0))] + parameters)
  case 3:
    let source = try into.plain(call.input(0))
    let turned = try into.step(call, "turned", Transpose([0, 2, 1]), [source])
    let result = try into.step(call, "normalized", op, [turned] + parameters)
    try into.define(call, Transpose([0, 2, 1]), [result])
  default: throw call.unsupported("\(shape)")
  }
}
