import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension TransposeConv2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["TRANSPOSE_CONV"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (image, filter, output) = (try node.type(0), try node.type(1), try node.outputType)
    let final = exporter.tensor(node.outputs.first)
    var size = outputSize
    var result = final
    var crop: Slice?
    if case .explicit(let top, let bottom, let left, let right) = padding, !isSame(filter.shape) {
      // The format makes the whole result, of which the padding is cut off.
      size = Size2D(size.height + top + bottom, size.width + left + right)
      if size != outputSize {
        crop = Slice(begin: [0, top, left, 0], sizes: output.shape.dims)
        var whole = output
        whole.shape = [output.shape[0], size.height, size.width, output.shape[3]]
        result = exporter.temporary("\(node.name)/whole", whole)
      }
    }
    var options = FlatObject()
    options.set(0, Int8(isSame(filter.shape) ? 0 : 1))
    options.set(1, Int32(clamping: strides.width))
    options.set(2, Int32(clamping: strides.height))
    options.set(3, FusedActivation(activation).rawValue)
    let shape = [image.shape[0], size.height, size.width, filter.shape[0]]
    var inputs = [
      try exporter.constant("\(node.name)/shape", shape), exporter.tensor(node.input(1)),
      exporter.tensor(node.input(0)),
    ]
    if let bias = node.input(2) { inputs.append(exporter.tensor(bias)) }
    exporter.add(
      "TRANSPOSE_CONV",
      version: activation != .none ? 4 : inputs.count == 4 ? 3 : integerVersion(of: filter),
      inputs: inputs,
      outputs: [result],
      options: (OptionsType.transposeConv, options)
    )
    if let crop {
      try exporter.addSlice(crop, name: node.name, of: output, from: result, to: final)
    }
  }

  /// Whether the padding is SAME, by name or by its amounts.
  private func isSame(_ filter: Shape) -> Bool {
    switch padding {
    case .same: true
    case .valid: false
    case .explicit(let top, let bottom, let left, let right):
      Padding.same.amounts(
        extent: outputSize.height,
        window: filter[1],
        stride: strides.height,
        dilation: 1,
        isHeight: true
      ) == (top, bottom)
        && Padding.same.amounts(
          extent: outputSize.width,
          window: filter[2],
          stride: strides.width,
          dilation: 1,
          isHeight: false
        ) == (left, right)
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(3)
    let image = try importer.input(2, of: source)
    let known = try? importer.integers(0, of: source)
    let shape = try known ?? importer.declaredType(0, of: source).shape.dims
    guard shape.count == 4 else { throw Diagnostic("TFL017", "the output's shape is \(shape)") }
    let op = TransposeConv2D(
      strides: Size2D(try options.int(2), try options.int(1)),
      padding: try options.padding(0),
      outputSize: Size2D(shape[1], shape[2]),
      activation: activation.activation ?? .none
    )
    let inputs = [image, try importer.input(1, of: source), try importer.bias(3, of: source)]
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, trimmed(inputs), source, then: after)
  }
}
