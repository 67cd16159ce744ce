import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Reshape: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["RESHAPE", "SQUEEZE", "EXPAND_DIMS"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var inputs = [exporter.tensor(node.input(0))]
    let outputs = node.outputs.map { exporter.tensor($0) }
    var options: (type: UInt8, table: FlatObject)?
    if shape.isEmpty {
      // A tensor without elements would count as computed; an option of one zero means a scalar.
      var table = FlatObject()
      table.set(0, [Int32(0)])
      options = (OptionsType.reshape, table)
    } else {
      inputs.append(try exporter.constant("\(node.name)/shape", shape))
    }
    exporter.add("RESHAPE", inputs: inputs, outputs: outputs, options: options)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: source)
    let shape = importer.type(x).shape
    switch source.builtin {
    case "SQUEEZE":
      var axes = try source.options.ints(0).map { shape.normalized(axis: $0) ?? -1 }
      if axes.isEmpty { axes = shape.dims.indices.filter { shape.dims[$0] == 1 } }
      guard axes.allSatisfy({ shape.dims.indices.contains($0) && shape.dims[$0] == 1 }) else {
        throw Diagnostic("TFL017", "axes of \(shape) cannot be dropped")
      }
      let kept = shape.dims.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
      try importer.add(Reshape(kept), [x], source)
    case "EXPAND_DIMS":
      guard let axis = try importer.integers(1, of: source).first,
        axis <= shape.rank, axis >= -shape.rank - 1
      else { throw Diagnostic("TFL017", "an axis is added to \(shape)") }
      var dims = shape.dims
      dims.insert(1, at: axis < 0 ? axis + shape.rank + 1 : axis)
      try importer.add(Reshape(dims), [x], source)
    default:
      try importer.add(Reshape(try target(source, of: shape, importer)), [x], source)
    }
  }

  /// The shape as an input or an option has it; where it is computed, the one that the file declares
  /// for the result.
  private static func target(
    _ source: ImportedOperator,
    of shape: Shape,
    _ importer: TFLiteImporter
  ) throws -> [Int] {
    if let index = importer.tensorIndex(1, of: source) {
      if let known = try importer.knownIntegers(index) { return known.integers() }
    } else {
      let given = try source.options.ints(0)
      if given == [0], shape.elementCount == 1 { return [] }
      if !given.isEmpty { return given }
    }
    var dims = try importer.declaredType(0, of: source).shape.dims
    if Shape(dims).elementCount != shape.elementCount, !dims.isEmpty { dims[0] = -1 }
    return dims
  }
}
