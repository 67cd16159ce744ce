import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Gather: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["GATHER"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, Int32(clamping: axis))
    let (x, indices) = (try node.type(0), try node.type(1))
    let version =
      switch (x.dtype, indices.dtype) {
      case (.int4, _): 7
      case (_, .int16): 6
      case (.int16, _): 4
      case (.bool, _): 3
      default: integerVersion(of: x)
      }
    exporter.add("GATHER", version: version, node, options: (OptionsType.gather, options))
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let (x, indices) = (try importer.input(0, of: source), try importer.input(1, of: source))
    let batchAxes = try source.options.int(1)
    guard batchAxes != 0 else {
      let op = Gather(axis: try source.options.int(0))
      return try importer.add(op, [x, indices], source)
    }
    // Axes of batches that both share: coordinates of one number each, within their batch.
    let (data, places) = (importer.type(x), importer.type(indices))
    let batch = batchAxes < 0 ? batchAxes + places.shape.rank : batchAxes
    guard let axis = data.shape.normalized(axis: try source.options.int(0)), batch > 0,
      batch <= axis, batch <= places.shape.rank
    else { throw Diagnostic("TFL017", "\(batchAxes) axes of batches of \(data.shape)") }
    guard axis == batch else {
      return try importer.addOpaque(source, because: "its axis lies behind those of batches")
    }
    let coordinates = try importer.intermediate(
      Reshape(places.shape.dims + [1]),
      [indices],
      source,
      like: places
    )
    try importer.add(GatherND(batchAxes: batch), [x, coordinates], source)
  }
}
