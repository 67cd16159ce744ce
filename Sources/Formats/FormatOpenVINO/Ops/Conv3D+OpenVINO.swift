import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Volumes are turned to channels first around each operator; turns that meet take one another back.

extension IRExporter {
  /// Input 0, a volume, with its channels first.
  fileprivate mutating func volume(_ view: NodeView) -> IRValue {
    transposed(real(view, 0), [0, 4, 1, 2, 3])
  }

  /// Ends a node with a volume whose channels are first.
  fileprivate mutating func finishVolume(
    _ view: NodeView,
    _ result: IRValue,
    _ activation: Activation
  ) {
    var result = result
    let isInside = activation == .relu && !view.outputs[0].isQuantizedInteger
    if isInside { result = add("ReLU", [result], for: view) }
    finish(
      view,
      transposed(result, [0, 2, 3, 4, 1]),
      activation: isInside ? .none : activation
    )
  }

  /// The type of a node's output with its channels first.
  fileprivate func volumeOutput(_ view: NodeView) -> TensorType {
    let shape = view.outputs[0].shape
    return TensorType(.float32, [shape[0], shape[4], shape[1], shape[2], shape[3]])
  }
}

/// Borders of a window over three axes as attributes.
private func borders(
  _ padding: Padding3D,
  _ volume: Shape,
  _ window: Size3D,
  _ strides: Size3D,
  _ dilations: Size3D
) -> (attributes: [(name: String, value: String)], before: [Int], after: [Int]) {
  let amounts = (0..<3).map { axis in
    padding.amounts(
      axis: axis,
      extent: volume[axis + 1],
      window: window.all[axis],
      stride: strides.all[axis],
      dilation: dilations.all[axis]
    )
  }
  let (before, after) = (amounts.map(\.before), amounts.map(\.after))
  return (
    [
      ("strides", ir(strides.all)), ("pads_begin", ir(before)), ("pads_end", ir(after)),
      ("auto_pad", "explicit"),
    ], before, after
  )
}

extension Conv3D: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let (volume, filter) = (node.input(0).shape, node.input(1).shape)
    let groups = volume[4] / max(filter[4], 1)
    let window = Size3D(filter[1], filter[2], filter[3])
    let attributes =
      borders(padding, volume, window, strides, dilations).attributes
      + [("dilations", ir(dilations.all))]
    let shape = [groups, filter[0] / max(groups, 1), filter[4]] + window.all
    let weights = file.filter(
      node,
      1,
      permutation: [0, 4, 1, 2, 3],
      shape: groups == 1 ? nil : shape
    )
    let sums = file.add(
      groups == 1 ? "Convolution" : "GroupConvolution",
      [file.volume(node), weights],
      attributes,
      outputs: [file.volumeOutput(node)],
      for: node
    )
    file.finishVolume(node, file.biased(sums, node, 2, axis: 1), activation)
  }
}

extension TransposeConv3D: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let (volume, filter) = (node.input(0).shape, node.input(1).shape)
    let window = Size3D(filter[1], filter[2], filter[3])
    let forward = Shape([volume[0]] + outputSize.all + [filter[0]])
    let border = borders(padding, forward, window, strides, dilations)
    let extra = (0..<3).map { axis in
      outputSize.all[axis] - (volume[axis + 1] - 1) * strides.all[axis]
        - (window.all[axis] - 1) * dilations.all[axis] - 1 + border.before[axis]
        + border.after[axis]
    }
    guard extra.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic("OVI110", "an output of \(outputSize.text) cannot be written")
    }
    let sums = file.add(
      "ConvolutionBackpropData",
      [file.volume(node), file.filter(node, 1, permutation: [4, 0, 1, 2, 3])],
      border.attributes + [("dilations", ir(dilations.all)), ("output_padding", ir(extra))],
      outputs: [file.volumeOutput(node)],
      for: node
    )
    file.finishVolume(node, file.biased(sums, node, 2, axis: 1), activation)
  }
}

extension Pool3D: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .max && activation == .none }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    var attributes = borders(padding, node.input(0).shape, window, strides, .one).attributes
    attributes += [("kernel", ir(window.all)), ("rounding_type", "floor")]
    if kind == .average { attributes.append(("exclude-pad", "true")) }
    let result = file.add(
      kind == .max ? "MaxPool" : "AvgPool",
      [file.volume(node)],
      attributes,
      outputs: [file.volumeOutput(node)],
      for: node
    )
    file.finishVolume(node, result, activation)
  }
}
