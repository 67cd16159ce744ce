import AssayBase
import AssayGraph
import AssayTensor

let poolReaders: [String: TFReader] = [
  "MaxPool": { try readPool($0, &$1, .max) },
  "MaxPoolV2": { try readPool($0, &$1, .max) },
  "AvgPool": { try readPool($0, &$1, .average) },
]

private func readPool(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Pool2D.Kind
) throws -> [TFValue] {
  var call = call
  if call.node.op == "MaxPoolV2" {
    var node = call.node
    node.attributes["ksize"] = .ints(try into.integers(call, 1).map(Int64.init))
    node.attributes["strides"] = .ints(try into.integers(call, 2).map(Int64.init))
    call = TFCall(node: node, inputs: call.inputs, name: call.name)
  }
  let image = try into.image(call, 0)
  let op = Pool2D(
    kind,
    window: try TFWindow.pair(call, "ksize"),
    strides: try TFWindow.pair(call, "strides"),
    padding: try TFWindow.padding(call)
  )
  return [try into.emitImage(call, op, [image])]
}

// MARK: - Export

extension Pool2D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    var image = file.input(node, 0)
    var attributes: [String: TFAttribute] = [
      "T": node.type, "ksize": .pair(window), "strides": .pair(strides),
      "data_format": .string("NHWC"),
    ]
    let name = kind == .max ? "MaxPool" : "AvgPool"
    guard case .explicit(let top, let bottom, let left, let right) = padding else {
      attributes.merge(padding.tensorFlow) { $1 }
      return file.finish(node, name, [image], attributes, activation: activation)
    }
    // The border never takes part: the least number does not win, and sums are divided anew.
    let dtype = node.outputs[0].dtype
    let least = file.scalar(kind == .max ? -.greatestFiniteMagnitude : 0, dtype)
    let amounts = [0, 0, top, bottom, left, right, 0, 0]
    image = file.step(
      node,
      "padded",
      "PadV2",
      [image, file.integers(amounts, [4, 2]), least],
      ["T": node.type, "Tpaddings": .type(.int32)]
    )
    attributes["padding"] = .string("VALID")
    if kind == .max {
      return file.finish(node, name, [image], attributes, activation: activation)
    }
    let sums = file.step(node, "means", name, [image], attributes)
    let factors = file.constant(
      node,
      "factors",
      borderFactors(node).converted(to: dtype) ?? borderFactors(node)
    )
    return file.finish(node, "Mul", [sums, factors], ["T": node.type], activation: activation)
  }

  /// Elements of a window by elements of it that lie inside the image, `[1, H, W, 1]`.
  private func borderFactors(_ node: TFNodeView) -> Tensor {
    let (input, output) = (node.input(0).shape, node.outputs[0].shape)
    func inside(_ axis: Int, _ extent: Int, _ stride: Int, _ before: Int) -> [Int] {
      (0..<output[axis]).map { position in
        let first = position * stride - before
        return min(first + extent, input[axis]) - max(first, 0)
      }
    }
    guard case .explicit(let top, _, let left, _) = padding else {
      return Tensor([Float(1)], [1, 1, 1, 1])
    }
    let rows = inside(1, window.height, strides.height, top)
    let columns = inside(2, window.width, strides.width, left)
    let area = Float(window.height * window.width)
    let factors = rows.flatMap { row in columns.map { area / Float(max(row * $0, 1)) } }
    return Tensor(factors, [1, rows.count, columns.count, 1])
  }
}
