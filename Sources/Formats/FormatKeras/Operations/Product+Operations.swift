import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Products, convolutions and pools of `keras.ops`.
  static let productOperations: [String: KerasLayerKind] = {
    func pool(_ kind: Pool2D.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "inputs"))
        let axes = context.shape(x).rank - 2
        let name = kind == .max ? "MaxPooling" : "AveragePooling"
        guard let pool = table["\(name)\(axes)D"] else {
          throw Diagnostic("KER006", "pools over \(axes) axes are not imported")
        }
        return try pool.emit(&context, [x])[0]
      })
    }
    return [
      "Matmul": KerasLayerKind(emit: { context, _ in
        let pair = try context.pair()
        return try context.product(pair[0], pair[1])
      }),
      "Dot": KerasLayerKind(emit: { context, _ in
        let pair = try context.pair()
        guard context.shape(pair[1]).rank <= 2 else {
          throw Diagnostic("KER006", "the dot product of more than matrices")
        }
        return try context.product(pair[0], pair[1])
      }),
      "Einsum": KerasLayerKind(emit: { context, _ in
        let operands = try context.call.arguments.indices.map { try context.operand($0, "x") }
        let sum = try Einsum(context.layer.string("subscripts", default: ""))
        return try context.einsum(sum, context.promoted(operands))
      }),
      "MaxPool": pool(.max), "AveragePool": pool(.average),
      "Conv": KerasLayerKind(emit: { context, _ in try context.convolutionOperation(false) }),
      "DepthwiseConv": KerasLayerKind(emit: { context, _ in
        try context.convolutionOperation(true)
      }),
      "Resize": KerasLayerKind(
        check: { layer in
          try layer.require("antialias", toBe: false)
          try layer.require("crop_to_aspect_ratio", toBe: false)
          try layer.require("pad_to_aspect_ratio", toBe: false)
        },
        emit: { context, _ in
          try context.onImage(context.float(context.operand(0, "images"))) { context, x in
            let size = try context.layer.ints("size", count: 2)
            let name = try context.layer.string("interpolation", default: "bilinear")
            guard let kind = Resize2D.Kind(rawValue: name) else {
              throw context.layer.unsupported("interpolation", "'\(name)' is not imported")
            }
            let op = Resize2D(kind, size: Size2D(size[0], size[1]), usesHalfPixels: true)
            return try context.node("resize", op, [x])
          }
        }
      ),
    ]
  }()
}

extension KerasContext {
  /// NumPy's `matmul`.
  fileprivate mutating func product(_ a: ValueID, _ b: ValueID) throws -> ValueID {
    let (first, second) = (shape(a).dims, shape(b).dims)
    guard let rows = first.last, !second.isEmpty else {
      throw Diagnostic("KER006", "a product of numbers is no product of matrices")
    }
    // A dense layer, which exporters know best, where the second matrix is known.
    if second.count == 2, let matrix = graph[b].constant, matrix.dtype == .float32,
      second[0] == rows
    {
      let turned = try matrix.permutedWeight([1, 0])
      let weights = graph.addConstant(unique(callName + "/weights"), turned)
      return try node("matmul", FullyConnected(), [a, weights])
    }
    let left = first.count > 1 ? a : try node("row", Reshape([1] + first), [a])
    let right = second.count > 1 ? b : try node("column", Reshape(second + [1]), [b])
    let y = try node("matmul", MatMul(), [left, right])
    var dims = shape(y).dims
    if second.count == 1 { dims.removeLast() }
    if first.count == 1 { dims.remove(at: dims.count - (second.count == 1 ? 1 : 2)) }
    return dims == shape(y).dims ? y : try node("vector", Reshape(dims), [y])
  }

  /// A convolution whose kernel is an operand, in the layout of Keras's layers.
  fileprivate mutating func convolutionOperation(_ isDepthwise: Bool) throws -> ValueID {
    let x = try float(operand(0, "inputs"))
    let kernel = try operand(1, "kernel")
    let axes = shape(x).rank - 2
    let dims = shape(kernel).dims
    guard (1...3).contains(axes), dims.count == axes + 2, type(kernel).dtype == .float32,
      let tensor = graph[kernel].constant
    else { throw Diagnostic("KER006", "a convolution whose kernel is not known is not imported") }
    let className = (isDepthwise ? "DepthwiseConv" : "Conv") + "\(axes)D"
    guard let kind = KerasLayerKind.table[className] else {
      throw Diagnostic("KER006", "convolutions over \(axes) axes are not imported")
    }
    // The layer of this operation, its weight being the operand.
    let outer = (layer, read)
    defer { (layer, read) = outer }
    layer.config = layer.config
      .setting("kernel_size", .array(dims.prefix(axes).map { JSON($0) }))
      .setting("use_bias", false)
    layer.path = callName
    read = { _, _ in tensor }
    return try kind.emit(&self, [x])[0]
  }
}
