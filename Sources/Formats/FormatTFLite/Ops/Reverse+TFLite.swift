import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Reverse: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["REVERSE_V2"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let type = try node.type(0)
    let axes = try axes.map { axis in
      guard let axis = type.shape.normalized(axis: axis) else {
        throw Diagnostic("TFL103", "axis \(axis) of \(type.shape)")
      }
      return axis
    }
    // Older kernels reverse one axis only.
    var input = exporter.tensor(node.input(0))
    for (index, axis) in axes.enumerated() {
      let isLast = index == axes.count - 1
      let result =
        isLast
        ? exporter.tensor(node.outputs.first)
        : exporter.temporary("\(node.name)/reversed\(index)", type)
      exporter.add(
        "REVERSE_V2",
        version: type.dtype == .bool ? 2 : integerVersion(of: type, int8: 3),
        inputs: [input, try exporter.constant("\(node.name)/axis\(index)", [axis])],
        outputs: [result],
        options: (OptionsType.reverse, FlatObject())
      )
      input = result
    }
    guard axes.isEmpty else { return }
    exporter.add(
      "RESHAPE",
      inputs: [input, try exporter.constant("\(node.name)/shape", type.shape.dims)],
      outputs: node.outputs.map { exporter.tensor($0) }
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let axes = try importer.integers(1, of: source)
    try importer.add(Reverse(axes: axes), [try importer.input(0, of: source)], source)
  }
}

extension ReverseSequence: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["REVERSE_SEQUENCE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let shape = try node.type(0).shape
    guard let batch = shape.normalized(axis: batchAxis), let time = shape.normalized(axis: timeAxis)
    else { throw Diagnostic("TFL103", "axes \(batchAxis) and \(timeAxis) of \(shape)") }
    var options = FlatObject()
    options.set(0, Int32(clamping: time))
    options.set(1, Int32(clamping: batch))
    exporter.add("REVERSE_SEQUENCE", node, options: (OptionsType.reverseSequence, options))
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = ReverseSequence(
      batchAxis: try source.options.int(1),
      timeAxis: try source.options.int(0)
    )
    try importer.add(
      op,
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}
