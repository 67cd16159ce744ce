import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor
import AssayTensorFlow

extension TFLiteImporter {
  /// Reads an operator that the converter left to TensorFlow (Select TF operators): its options are a
  /// FlexBuffer of the operator's name and its NodeDef.
  ///
  /// What TensorFlow's reader does not know is kept for description.
  mutating func readFlex(_ source: ImportedOperator) throws {
    guard let options = source.record.customOptions,
      let parts = try FlexBuffer(options).elements, parts.count >= 2, let bytes = try parts[1].data
    else {
      throw Diagnostic("TFL017", "its options are not those of a TensorFlow operator")
    }
    let node = try TFNode(bytes)
    let inputs = try inputs(source)
    let before = graph.values.count
    var reader = TensorFlowImporter(graph)
    let results: [ValueID]
    do {
      results = try reader.add(node, inputs: inputs)
    } catch let fault as Diagnostic {
      return try addOpaque(source, because: fault.summary)
    } catch let faults as Diagnostics {
      return try addOpaque(source, because: faults.all.first?.summary ?? "it is not known")
    }
    guard results.count >= source.record.outputs.count else {
      return try addOpaque(source, because: "some of its results are not computed")
    }
    graph = reader.graph
    diagnostics += reader.notes
    for (position, index) in source.record.outputs.enumerated() {
      let id = results[position]
      let tensor = try record(Int(index))
      if id.index >= before, !tensor.name.isEmpty {
        graph[id].name = uniqueName(tensor.name, or: node.name)
      }
      try bind(id, output: position, of: source)
    }
  }
}
