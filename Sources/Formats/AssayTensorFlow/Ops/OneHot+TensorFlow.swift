import AssayBase
import AssayGraph
import AssayTensor

let oneHotReaders: [String: TFReader] = [
  "OneHot": { call, into in
    let op = OneHot(depth: try into.integer(call, 1), axis: call.int("axis", default: -1))
    let inputs = [0, 2, 3]
    return try into.emit(call, op, try inputs.map { try into.tensor(call, $0) })
  }
]

// MARK: - Export

extension OneHot: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    func single(_ index: Int) -> String {
      let value = file.input(node, index)
      guard node.input(index).shape.rank > 0 else { return value }
      return file.step(
        node,
        "number\(index)",
        "Reshape",
        [value, file.integers([])],
        ["T": node.type, "Tshape": .type(.int32)]
      )
    }
    let values = [file.indices(node, 0), file.integers([depth], []), single(1), single(2)]
    return [
      file.add(
        "OneHot",
        node.name,
        values,
        ["T": node.type, "TI": .type(file.indexType(node, 0)), "axis": .int(Int64(axis))]
      )
    ]
  }
}
