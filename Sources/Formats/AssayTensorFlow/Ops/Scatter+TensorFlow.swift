import AssayBase
import AssayGraph
import AssayTensor

let scatterReaders: [String: TFReader] = {
  var readers: [String: TFReader] = ["ScatterNd": readScatterNd]
  let reductions: [String: ScatterReduction] = [
    "TensorScatterUpdate": .replace, "TensorScatterAdd": .add, "TensorScatterMax": .maximum,
    "TensorScatterMin": .minimum,
  ]
  for (name, reduction) in reductions {
    readers[name] = { call, into in
      let ids = try into.tensors(call)
      guard ids.count == 3 else { throw call.missingInput(ids.count) }
      return try into.emit(call, ScatterND(reduction), ids)
    }
  }
  return readers
}()

/// ScatterNd: updates added up in a tensor of zeros.
private func readScatterNd(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let (indices, updates) = (try into.tensor(call, 0), try into.tensor(call, 1))
  let zero = into.addNumber(0, like: updates)
  let zeros = try into.filled(call, zero, try into.integers(call, 2))
  return try into.emit(call, ScatterND(.add), [zeros, indices, updates])
}

// MARK: - Export

extension ScatterND: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let names: [ScatterReduction: String] = [
      .replace: "TensorScatterUpdate", .add: "TensorScatterAdd", .maximum: "TensorScatterMax",
      .minimum: "TensorScatterMin",
    ]
    guard let name = names[reduction] else { throw node.unsupported("products") }
    return [
      file.add(
        name,
        node.name,
        [file.input(node, 0), file.indices(node, 1), file.input(node, 2)],
        ["T": node.type, "Tindices": .type(file.indexType(node, 1))]
      )
    ]
  }
}
