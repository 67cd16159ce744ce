import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Conv2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CONV_2D"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let filter = try node.type(1)
    let taps = Size2D(filter.shape[1], filter.shape[2])
    let window = try exporter.window(
      node,
      window: taps,
      strides: strides,
      dilations: dilations,
      padding: padding
    )
    var options = FlatObject()
    options.set(0, window.padding)
    options.set(1, Int32(clamping: strides.width))
    options.set(2, Int32(clamping: strides.height))
    options.set(3, FusedActivation(activation).rawValue)
    let distances = written(dilations, window: taps)
    options.set(4, Int32(clamping: distances.width), default: 1)
    options.set(5, Int32(clamping: distances.height), default: 1)
    let bias = try exporter.bias(node, count: filter.shape[0])
    exporter.add(
      "CONV_2D",
      version: try version(of: node),
      inputs: [window.image, exporter.tensor(node.input(1)), bias],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.conv2D, options)
    )
  }

  private func version(of node: ExportedNode) throws -> Int {
    let (image, filter) = (try node.type(0), try node.type(1))
    if filter.shape[3] != image.shape[3] { return 6 }
    switch (image.dtype, filter.dtype) {
    case (.int8, .int8): return 3
    case (.int8, .int4): return 7
    case (.int16, _): return 4
    default: return try isHybrid(node) ? (isPerChannel(filter) ? 5 : 2) : 1
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(3)
    let op = Conv2D(
      strides: Size2D(try options.int(2), try options.int(1)),
      dilations: Size2D(try options.int(5, default: 1), try options.int(4, default: 1)),
      padding: try options.padding(0),
      activation: activation.activation ?? .none
    )
    let inputs = [
      try importer.input(0, of: source), try importer.input(1, of: source),
      try importer.bias(2, of: source),
    ]
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, trimmed(inputs), source, then: after)
  }
}

/// The inputs without absent ones at the end.
func trimmed(_ inputs: [ValueID?]) -> [ValueID?] {
  var inputs = inputs
  while let last = inputs.last, last == nil { inputs.removeLast() }
  return inputs
}
