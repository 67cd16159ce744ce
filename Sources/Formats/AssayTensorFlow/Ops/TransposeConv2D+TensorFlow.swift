import AssayBase
import AssayGraph
import AssayTensor

let transposeConvolutionReaders: [String: TFReader] = [
  "Conv2DBackpropInput": readTransposeConvolution
]

/// Conv2DBackpropInput: the output's shape, a filter `[KH, KW, O, C]` and the image.
private func readTransposeConvolution(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  let image = try into.image(call, 2)
  let filter = try into.transposed(call, try into.filter(call, 1), [2, 0, 1, 3], as: "ohwi")
  let window = try TFWindow(call, image: into.graph[image].type.shape)
  guard window.dilations == .one else {
    throw call.unsupported("a dilation of \(window.dilations.text)")
  }
  let given = try into.integers(call, 0)
  // Either the whole shape or, since TensorFlow 2.9, height and width alone.
  let sizes =
    given.count == 2
    ? given : given.count == 4 ? Array(given[call.isChannelsFirst ? 2...3 : 1...2]) : []
  guard sizes.count == 2 else { throw call.unsupported("an output of shape \(given)") }
  let op = TransposeConv2D(
    strides: window.strides,
    padding: window.padding,
    outputSize: Size2D(sizes[0], sizes[1])
  )
  return [try into.emitImage(call, op, [image, filter])]
}

// MARK: - Export

extension TransposeConv2D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let filter = file.weight(node, 1, permutation: [1, 2, 0, 3])
    let window = ConvolutionWindow(strides: strides, dilations: .one, padding: padding)
    let inputs = [
      file.integers(node.outputs[0].shape.dims), filter, file.input(node, 0),
    ]
    let attributes = window.attributes(node.type)
    guard node.has(2) else {
      return file.finish(
        node,
        "Conv2DBackpropInput",
        inputs,
        attributes,
        activation: activation
      )
    }
    let result = file.step(node, "transposed", "Conv2DBackpropInput", inputs, attributes)
    return file.addBias(node, result, activation)
  }
}
