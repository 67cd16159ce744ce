import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

extension LocalResponseNorm: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let shape = node.input(0).shape
    let whole = withUnitBias
    let op = whole?.op ?? self
    let attributes: [ONNXAttribute] = [
      .int("size", size), .float("alpha", op.alpha * Float(size)), .float("beta", beta),
      .float("bias", op.bias),
    ]
    var input = file.real(node, 0)
    if shape.rank == 4 {
      if let whole {
        let result = file.add("LRN", [input], attributes, for: node)
        file.finish(node, "Mul", [result, file.constant(whole.factor)])
      } else {
        file.finish(node, "LRN", [input], attributes)
      }
      return
    }
    // ONNX has the channels on axis 1 of an image.
    let rows = shape.dims.dropLast().reduce(1, *)
    let dims = [rows, shape[-1], 1, 1]
    input = file.add(
      "Reshape",
      [input, file.constant(ints: dims)],
      file.reshapeAttributes(dims),
      for: node
    )
    var result = file.add("LRN", [input], attributes, for: node)
    if let whole {
      result = file.add("Mul", [result, file.constant(whole.factor)], for: node)
    }
    file.finishReshape(node, result)
  }
}

// MARK: - Import

let localResponseNormReaders: [String: ONNXReader] = [
  "LRN": { call, into in
    let size = call.int("size", default: 0)
    guard size > 0 else { throw call.unsupported("size \(size)") }
    let op = LocalResponseNorm(
      size: size,
      alpha: (call.float("alpha") ?? 1e-4) / Float(size),
      beta: call.float("beta") ?? 0.75,
      bias: call.float("bias") ?? 1
    )
    let shape = try into.type(call.input(0)).shape
    if shape.rank == 4 {
      try into.defineImage(call, op, [try into.image(call.input(0))])
      return
    }
    guard shape.rank >= 2 else { throw call.unsupported("\(shape)") }
    let last = [0] + Array(2..<shape.rank) + [1]
    let source = try into.plain(call.input(0))
    let turned = try into.turned(call, source, last)
    let result = try into.step(call, "normalized", op, [turned])
    let back = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
    into.conclude(call, try into.turned(call, result, back))
  }
]
