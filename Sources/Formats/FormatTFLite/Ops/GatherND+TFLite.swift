import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension GatherND: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["GATHER_ND"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, indices) = (try node.type(0), try node.type(1))
    guard batchAxes == 0 else {
      // With coordinates of one number it is a gather along the axis behind the batches.
      guard indices.shape[-1] == 1 else {
        throw Diagnostic("TFL107", "\(batchAxes) axes of batches have no counterpart")
      }
      let dims = Array(indices.shape.dims.dropLast())
      let places = exporter.temporary("\(node.name)/places", TensorType(indices.dtype, Shape(dims)))
      exporter.add(
        "RESHAPE",
        inputs: [
          exporter.tensor(node.input(1)), try exporter.constant("\(node.name)/shape", dims),
        ],
        outputs: [places]
      )
      var options = FlatObject()
      options.set(0, Int32(clamping: batchAxes))
      options.set(1, Int32(clamping: batchAxes))
      exporter.add(
        "GATHER",
        version: 5,
        inputs: [exporter.tensor(node.input(0)), places],
        outputs: node.outputs.map { exporter.tensor($0) },
        options: (OptionsType.gather, options)
      )
      return
    }
    let version =
      switch (x.dtype, indices.dtype) {
      case (.bool, _): 5
      case (_, .int16): 4
      case (.int16, _): 3
      default: 1
      }
    exporter.add("GATHER_ND", version: version, node, options: (OptionsType.gatherND, FlatObject()))
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    try importer.add(
      GatherND(),
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}
