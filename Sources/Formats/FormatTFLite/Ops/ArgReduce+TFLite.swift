import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension ArgReduce: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["ARG_MAX", "ARG_MIN"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, output) = (try node.type(0), try node.outputType)
    guard !selectsLast else {
      throw Diagnostic("TFL107", "the last of equal elements cannot be selected")
    }
    guard let axis = x.shape.normalized(axis: axis) else {
      throw Diagnostic("TFL103", "axis \(axis) of \(x.shape)")
    }
    var options = FlatObject()
    options.set(0, dtype.tfliteNumber)
    let final = exporter.tensor(node.outputs.first)
    var result = final
    if keepsAxis {
      var dropped = output
      dropped.shape.dims.remove(at: axis)
      result = exporter.temporary("\(node.name)/dropped", dropped)
    }
    exporter.add(
      kind == .max ? "ARG_MAX" : "ARG_MIN",
      version: x.dtype == .bool ? 3 : integerVersion(of: x),
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/axis", [axis], shape: []),
      ],
      outputs: [result],
      options: (kind == .max ? OptionsType.argMax : OptionsType.argMin, options)
    )
    guard keepsAxis else { return }
    exporter.add(
      "RESHAPE",
      inputs: [result, try exporter.constant("\(node.name)/shape", output.shape.dims)],
      outputs: [final]
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard let axis = try importer.integers(1, of: source).first else {
      throw Diagnostic("TFL017", "its axis is missing")
    }
    let type = try importer.declaredType(0, of: source)
    let op = ArgReduce(
      source.builtin == "ARG_MAX" ? .max : .min,
      axis: axis,
      keepsAxis: false,
      dtype: type.dtype
    )
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
