import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension BatchNorm: ONNXExportable {
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
  guard call.int("spatial", default: 1) == 1 else { throw call.unsupported("spatial=0") }
  if call.int("training_mode", default: 0) != 0 {
    try readTraining(call, &into)
    return
  }
  let parameters = try (1..<5).map { try into.plain(call.input($0)) }
  let op = BatchNorm(epsilon: call.float("epsilon") ?? 1e-5)
  let shape = try into.type(call.input(0)).shape
  switch shape.rank {
  case 2: try into.define(call, op, [try into.plain(call.input(0))] + parameters)
  case 4: try into.defineImage(call, op, [try into.image(call.input(0))] + parameters)
  case 3...:
    let last = [0] + Array(2..<shape.rank) + [1]
    let source = try into.plain(call.input(0))
    let turned = try into.step(call, "turned", Transpose(last), [source])
    let result = try into.step(call, "normalized", op, [turned] + parameters)
    let back = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
    try into.define(call, Transpose(back), [result])
  default: throw call.unsupported("\(shape)")
  }
}

/// With the statistics of the batch, which move the running ones.
private func readTraining(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  guard shape.rank >= 2 else { throw call.unsupported("\(shape)") }
  let axes = shape.dims.indices.filter { $0 != 1 }
  let (mean, centered, variance) = try into.moments(call, x, axes)
  let epsilon = Double(call.float("epsilon") ?? 1e-5)
  let dims = shape.dims.indices.map { $0 == 1 ? shape[1] : 1 }
  let scale = try into.reshaped(call, into.plain(call.input(1)), dims)
  let offset = try into.reshaped(call, into.plain(call.input(2)), dims)
  let root = try into.unary(call, .sqrt, into.binary(call, .add, variance, epsilon))
  let normalized = try into.binary(call, .divide, centered, root)
  let scaled = try into.binary(call, .multiply, normalized, scale)
  into.conclude(call, try into.binary(call, .add, scaled, offset))
  let momentum = Double(call.float("momentum") ?? 0.9)
  for (output, statistic) in [(1, mean), (2, variance)] where into.wants(call, output) {
    let now = try into.reshaped(call, statistic, [shape[1]])
    let before = try into.plain(call.input(output + 2))
    let kept = try into.binary(call, .multiply, before, momentum)
    let moved = try into.binary(call, .multiply, now, 1 - momentum)
    into.conclude(call, try into.binary(call, .add, kept, moved), output: output)
  }
}
