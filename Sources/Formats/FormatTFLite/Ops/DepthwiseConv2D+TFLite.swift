import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension DepthwiseConv2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["DEPTHWISE_CONV_2D"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (image, filter) = (try node.type(0), try node.type(1))
    let taps = Size2D(filter.shape[1], filter.shape[2])
    let window = try exporter.window(
      node,
      window: taps,
      strides: strides,
      dilations: dilations,
      padding: padding
    )
    guard image.shape[3] > 0 else { throw Diagnostic("TFL103", "the image has no channels") }
    var options = FlatObject()
    options.set(0, window.padding)
    options.set(1, Int32(clamping: strides.width))
    options.set(2, Int32(clamping: strides.height))
    options.set(3, Int32(clamping: filter.shape[3] / image.shape[3]))
    options.set(4, FusedActivation(activation).rawValue)
    let distances = written(dilations, window: taps)
    options.set(5, Int32(clamping: distances.width), default: 1)
    options.set(6, Int32(clamping: distances.height), default: 1)
    let bias = try exporter.bias(node, count: filter.shape[3])
    exporter.add(
      "DEPTHWISE_CONV_2D",
      version: try version(of: node),
      inputs: [window.image, exporter.tensor(node.input(1)), bias],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.depthwiseConv2D, options)
    )
  }

  private func version(of node: ExportedNode) throws -> Int {
    let (image, filter) = (try node.type(0), try node.type(1))
    switch (image.dtype, filter.dtype) {
    case (.int8, .int8): return 3
    case (.int8, .int4): return 7
    case (.int16, _): return 5
    default:
      if try isHybrid(node) { return isPerChannel(filter) ? 6 : 4 }
      return dilations == .one ? 1 : 2
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(4)
    let op = DepthwiseConv2D(
      strides: Size2D(try options.int(2), try options.int(1)),
      dilations: Size2D(try options.int(6, default: 1), try options.int(5, default: 1)),
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
