import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// ONNX has the channels of volumes on axis 1: volumes are turned around each operator. Runtimes join
// the turns of neighbours.

extension GraphExporter {
  /// A volume with its channels on axis 1.
  fileprivate mutating func volume(_ view: NodeView) -> String {
    add("Transpose", [real(view, 0)], [.ints("perm", [0, 4, 1, 2, 3])], for: view)
  }

  /// Ends a node with a result whose channels lie on axis 1.
  fileprivate mutating func finishVolume(
    _ view: NodeView,
    _ opType: String,
    _ inputs: [String],
    _ attributes: [ONNXAttribute],
    _ activation: Activation
  ) {
    let result = add(opType, inputs, attributes, for: view)
    finish(
      view,
      "Transpose",
      [result],
      [.ints("perm", [0, 2, 3, 4, 1])],
      activation: activation
    )
  }
}

extension Padding3D {
  /// ONNX's `pads`: before each axis, then after.
  fileprivate func onnxPads(
    _ extents: [Int],
    _ window: Size3D,
    _ strides: Size3D,
    _ dilations: Size3D
  ) -> [Int] {
    let amounts = (0..<3).map { axis in
      self.amounts(
        axis: axis,
        extent: extents[axis],
        window: window.all[axis],
        stride: strides.all[axis],
        dilation: dilations.all[axis]
      )
    }
    return amounts.map(\.before) + amounts.map(\.after)
  }
}

extension Conv3D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let (shape, filter) = (node.input(0).shape, node.input(1).shape)
    let kernel = Size3D(filter[1], filter[2], filter[3])
    let extents = Array(shape.dims[1..<4])
    var inputs = [file.volume(node), file.filter(node, 1, permutation: [0, 4, 1, 2, 3])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    let attributes: [ONNXAttribute] = [
      .ints("kernel_shape", kernel.all), .ints("strides", strides.all),
      .ints("dilations", dilations.all),
      .ints("pads", padding.onnxPads(extents, kernel, strides, dilations)),
      .int("group", shape[4] / max(filter[4], 1)),
    ]
    file.finishVolume(node, "Conv", inputs, attributes, activation)
  }
}

extension TransposeConv3D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let (shape, filter) = (node.input(0).shape, node.input(1).shape)
    let kernel = Size3D(filter[1], filter[2], filter[3])
    let pads = padding.onnxPads(outputSize.all, kernel, strides, dilations)
    // What the strides leave over of the output comes behind.
    let extra = (0..<3).map { axis in
      outputSize.all[axis] + pads[axis] + pads[axis + 3]
        - (shape[axis + 1] - 1) * strides.all[axis] - (kernel.all[axis] - 1) * dilations.all[axis]
        - 1
    }
    guard extra.allSatisfy({ $0 >= 0 }), zip(extra, strides.all).allSatisfy({ $0 < $1 }) else {
      throw Diagnostic("ONX114", "the border of this transposed convolution has no form in ONNX")
    }
    var inputs = [file.volume(node), file.filter(node, 1, permutation: [4, 0, 1, 2, 3])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    let attributes: [ONNXAttribute] = [
      .ints("kernel_shape", kernel.all), .ints("strides", strides.all),
      .ints("dilations", dilations.all), .ints("pads", pads), .ints("output_padding", extra),
    ]
    file.finishVolume(node, "ConvTranspose", inputs, attributes, activation)
  }
}

extension Pool3D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let extents = Array(node.input(0).shape.dims[1..<4])
    var attributes: [ONNXAttribute] = [
      .ints("kernel_shape", window.all), .ints("strides", strides.all),
      .ints("pads", padding.onnxPads(extents, window, strides, .one)),
    ]
    if kind == .average { attributes.append(.int("count_include_pad", 0)) }
    let opType = kind == .max ? "MaxPool" : "AveragePool"
    file.finishVolume(node, opType, [file.volume(node)], attributes, activation)
  }
}
