import AssayBase
import AssayGraph
import AssayTensor

extension Pool2D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let image = node.shape(0)
    let shape = KerasExportWindow(size: window, strides: strides)
    let className = kind == .max ? "MaxPooling2D" : "AveragePooling2D"
    func config(_ padding: JSON) -> [(name: String, value: JSON)] {
      [
        ("pool_size", pair(window)), ("strides", pair(strides)), ("padding", padding),
        ("data_format", "channels_last"),
      ]
    }
    if let name = shape.name(padding, image: image) {
      let result = model.add(
        className,
        [try model.input(node)],
        config(name),
        output: node.outputs[0],
        for: node
      )
      model.finish(node, result, activation: activation)
      return
    }
    // A border that the layer cannot make is added before; it must not take part.
    let border = shape.border(padding, image: image)
    let dims = [
      image[0], image[1] + border[0].before + border[0].after,
      image[2] + border[1].before + border[1].after, image[3],
    ]
    let padded = try model.function(
      "Pad",
      [.tensor(try model.input(node))],
      [
        (
          "pad_width",
          [
            [0, 0], [JSON(border[0].before), JSON(border[0].after)],
            [JSON(border[1].before), JSON(border[1].after)], [0, 0],
          ]
        ), ("mode", "constant"),
      ],
      named: [
        ("constant_values", kind == .max ? JSON(-Double(Float.greatestFiniteMagnitude)) : 0)
      ],
      outputs: [TensorType(.float32, Shape(dims))],
      for: node
    )
    var result = model.add(
      className,
      [padded],
      config("valid"),
      output: node.outputs[0],
      for: node
    )
    if kind == .average {
      let factors = corrections(image, border, node.outputs[0].shape)
      result = try model.function("Multiply", [.tensor(result), .array(factors)], for: node)
    }
    model.finish(node, result, activation: activation)
  }

  /// Elements of a window over those of them that are inside the image.
  private func corrections(
    _ image: Shape,
    _ border: [(before: Int, after: Int)],
    _ output: Shape
  ) -> Tensor {
    func inside(_ position: Int, _ stride: Int, _ window: Int, _ axis: Int) -> Int {
      let start = position * stride - border[axis].before
      return max(min(start + window, image[axis + 1]) - max(start, 0), 1)
    }
    var factors: [Float] = []
    for row in 0..<output[1] {
      for column in 0..<output[2] {
        let count =
          inside(row, strides.height, window.height, 0)
          * inside(column, strides.width, window.width, 1)
        factors.append(Float(window.height * window.width) / Float(count))
      }
    }
    return Tensor(factors, [1, output[1], output[2], 1])
  }
}
