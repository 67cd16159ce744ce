import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Resize2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let type = try node.type(0)
    let isNearest = kind == .nearest
    var options = FlatObject()
    // The bilinear table has two withdrawn fields in front.
    options.set(isNearest ? 0 : 2, alignsCorners)
    options.set(isNearest ? 1 : 3, usesHalfPixels)
    let isAligned = usesHalfPixels || isNearest && alignsCorners
    exporter.add(
      isNearest ? "RESIZE_NEAREST_NEIGHBOR" : "RESIZE_BILINEAR",
      version: type.dtype == .int16 ? 4 : isAligned ? 3 : integerVersion(of: type),
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/size", [size.height, size.width]),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (isNearest ? OptionsType.resizeNearest : OptionsType.resizeBilinear, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let isNearest = source.builtin == "RESIZE_NEAREST_NEIGHBOR"
    let size = try importer.integers(1, of: source)
    guard size.count == 2 else { throw Diagnostic("TFL017", "a size of \(size.count) extents") }
    let op = Resize2D(
      isNearest ? .nearest : .bilinear,
      size: Size2D(size[0], size[1]),
      alignsCorners: try source.options.bool(isNearest ? 0 : 2),
      usesHalfPixels: try source.options.bool(isNearest ? 1 : 3)
    )
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
