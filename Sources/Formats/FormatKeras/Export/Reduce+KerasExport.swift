import AssayBase
import AssayGraph
import AssayTensor

extension Reduce: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let shape = node.shape(0)
    let normalized = axes.compactMap { shape.normalized(axis: $0) }.sorted()
    let isImage = shape.rank == 4 && normalized == [1, 2]
    let isSeries = shape.rank == 3 && normalized == [1]
    if kind == .mean || kind == .max, isImage || isSeries {
      let stem = kind == .mean ? "GlobalAveragePooling" : "GlobalMaxPooling"
      let result = model.add(
        stem + (isImage ? "2D" : "1D"),
        [x],
        [("data_format", "channels_last"), ("keepdims", .bool(keepsAxes))],
        output: node.outputs[0],
        for: node
      )
      model.finish(node, result)
      return
    }
    let name =
      switch kind {
      case .mean: "Mean"
      case .sum: "Sum"
      case .max: "Max"
      case .min: "Min"
      case .product: "Prod"
      case .any: "Any"
      case .all: "All"
      }
    let result = try model.function(
      name,
      [.tensor(x)],
      [("axis", ints(normalized)), ("keepdims", .bool(keepsAxes))],
      for: node
    )
    model.finish(node, result)
  }
}

extension Softmax: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    var x = try model.input(node)
    if beta != 1 { x = model.rescaled(x, Double(beta), 0, for: node) }
    let axis = node.shape(0).normalized(axis: axis) ?? 0
    let isLast = axis == node.shape(0).rank - 1
    model.finish(
      node,
      model.add("Softmax", [x], [("axis", isLast ? -1 : JSON(axis))], for: node)
    )
  }
}

extension Resize2D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let image = node.shape(0)
    let factors = [size.height / max(image[1], 1), size.width / max(image[2], 1)]
    let isWhole = factors[0] * image[1] == size.height && factors[1] * image[2] == size.width
    let method: JSON = kind == .nearest ? "nearest" : "bilinear"
    // Keras takes pixels by their centres; by a whole factor the nearest one is the same anyway.
    let isSame =
      size == Size2D(image[1], image[2]) || usesHalfPixels && !alignsCorners && kind == .bilinear
      || isWhole && kind == .nearest && !alignsCorners
    guard isSame else {
      throw Diagnostic("KER113", "Keras resizes by the centres of pixels only")
    }
    let result =
      isWhole
      ? model.add(
        "UpSampling2D",
        [x],
        [
          ("size", ints(factors)), ("data_format", "channels_last"), ("interpolation", method),
        ],
        output: node.outputs[0],
        for: node
      )
      : model.add(
        "Resizing",
        [x],
        [
          ("height", JSON(size.height)), ("width", JSON(size.width)), ("interpolation", method),
        ],
        output: node.outputs[0],
        for: node
      )
    model.finish(node, result)
  }
}
