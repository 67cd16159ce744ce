import AssayBase
import AssayGraph
import AssayTensor

/// Keras's name of a padding over three axes.
///
/// - Throws: `Diagnostic` KER118 when it is neither `valid` nor `same`.
private func paddingName(
  _ padding: Padding3D,
  _ volume: Shape,
  _ window: Size3D,
  _ strides: Size3D,
  _ dilations: Size3D
) throws -> JSON {
  func amounts(_ padding: Padding3D) -> [Int] {
    (0..<3).flatMap { axis -> [Int] in
      let amount = padding.amounts(
        axis: axis,
        extent: volume[axis + 1],
        window: window.all[axis],
        stride: strides.all[axis],
        dilation: dilations.all[axis]
      )
      return [amount.before, amount.after]
    }
  }
  if amounts(padding) == amounts(.valid) { return "valid" }
  if amounts(padding) == amounts(.same) { return "same" }
  throw Diagnostic("KER118", "Keras's layer has no border of \(padding.text)")
}

extension Conv3D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let (volume, filter) = (node.shape(0), node.shape(1))
    let window = Size3D(filter[1], filter[2], filter[3])
    let padding = try paddingName(padding, volume, window, strides, dilations)
    let (fused, rest) = model.fused(activation)
    var weights = [
      (name: "kernel", tensor: try model.weight(node, 1).permutedWeight([1, 2, 3, 4, 0]))
    ]
    if node.has(2) { weights.append(("bias", try model.weight(node, 2).flattened)) }
    let result = model.add(
      "Conv3D",
      [try model.input(node)],
      [
        ("filters", JSON(filter[0])), ("kernel_size", ints(window.all)),
        ("strides", ints(strides.all)), ("padding", padding),
        ("dilation_rate", ints(dilations.all)), ("data_format", "channels_last"),
        ("groups", JSON(volume[4] / max(filter[4], 1))), ("activation", fused),
        ("use_bias", .bool(node.has(2))),
      ],
      weights: weights,
      output: node.outputs[0],
      for: node
    )
    model.finish(node, result, activation: rest)
  }
}

extension Pool3D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let padding = try paddingName(padding, node.shape(0), window, strides, .one)
    let result = model.add(
      kind == .max ? "MaxPooling3D" : "AveragePooling3D",
      [try model.input(node)],
      [
        ("pool_size", ints(window.all)), ("strides", ints(strides.all)), ("padding", padding),
        ("data_format", "channels_last"),
      ],
      output: node.outputs[0],
      for: node
    )
    model.finish(node, result, activation: activation)
  }
}
