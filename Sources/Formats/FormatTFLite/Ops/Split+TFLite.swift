import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Split: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SPLIT", "SPLIT_V"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let type = try node.type(0)
    let axis = try exporter.constant("\(node.name)/axis", [axis], shape: [])
    var options = FlatObject()
    options.set(0, Int32(clamping: sizes.count))
    let outputs = node.outputs.map { exporter.tensor($0) }
    let input = exporter.tensor(node.input(0))
    if sizes.allSatisfy({ $0 == sizes.first }) {
      let version =
        switch type.dtype {
        case .int16: 4
        case .int32: 3
        case .int8: 2
        default: 1
        }
      exporter.add(
        "SPLIT",
        version: version,
        inputs: [axis, input],
        outputs: outputs,
        options: (OptionsType.split, options)
      )
    } else {
      let sizes = try exporter.constant("\(node.name)/sizes", sizes)
      exporter.add(
        "SPLIT_V",
        version: integerVersion(of: type),
        inputs: [input, sizes, axis],
        outputs: outputs,
        options: (OptionsType.splitV, options)
      )
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let isEven = source.builtin == "SPLIT"
    let x = try importer.input(isEven ? 1 : 0, of: source)
    let shape = importer.type(x).shape
    let parts = source.record.outputs.count
    guard let axis = try importer.integers(isEven ? 0 : 2, of: source).first,
      let normalized = shape.normalized(axis: axis), parts > 0
    else { throw Diagnostic("TFL017", "\(shape) cannot be split") }
    let extent = shape.dims[normalized]
    var sizes: [Int]
    if isEven {
      guard extent % parts == 0 else {
        throw Diagnostic("TFL017", "\(extent) elements in \(parts) parts")
      }
      sizes = [Int](repeating: extent / parts, count: parts)
    } else {
      sizes = try importer.integers(1, of: source)
      // One size may be -1: what the others leave.
      if let open = sizes.firstIndex(of: -1) {
        sizes[open] = 0
        sizes[open] = extent &- sizes.reduce(0, &+)
      }
    }
    try importer.add(Split(axis: axis, sizes: sizes), [x], source)
  }
}
