import AssayBase
import AssayGraph
import AssayTensor

let concatReaders: [String: TFReader] = [
  "ConcatV2": { call, into in
    let axis = try into.integer(call, call.inputs.count - 1)
    return try readConcat(call, &into, Array(try into.tensors(call).dropLast()), axis)
  },
  "Concat": { call, into in
    let axis = try into.integer(call, 0)
    return try readConcat(call, &into, Array(try into.tensors(call).dropFirst()), axis)
  },
  "Pack": readPack,
]

private func readConcat(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ parts: [ValueID],
  _ axis: Int
) throws -> [TFValue] {
  if parts.count == 1 { return [.tensor(parts[0])] }
  return try into.emit(call, Concat(axis: axis), parts)
}

private func readPack(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let parts = try into.tensors(call)
  return [.tensor(try into.stacked(call, parts, axis: call.int("axis")))]
}

extension TensorFlowImporter {
  /// Tensors of one shape joined along a new axis.
  mutating func stacked(_ call: TFCall, _ parts: [ValueID], axis: Int) throws -> ValueID {
    guard let first = parts.first else { throw call.missingInput(0) }
    var dims = graph[first].type.shape.dims
    let position = axis < 0 ? axis &+ dims.count &+ 1 : axis
    guard (0...dims.count).contains(position) else { throw call.unsupported("axis \(axis)") }
    dims.insert(1, at: position)
    let rows = try parts.enumerated().map { index, part in
      guard graph[part].type.shape == graph[first].type.shape else {
        throw call.unsupported("parts of different shapes")
      }
      return try reshaped(call, part, to: dims, as: parts.count == 1 ? nil : "part\(index)")
    }
    if rows.count == 1 { return rows[0] }
    return try add(call.name, Concat(axis: position), rows)[0]
  }
}

// MARK: - Export

extension Concat: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let parts = node.inputs.indices.map { file.input(node, $0) }
    // TensorFlow joins at least two.
    guard parts.count > 1 else {
      return [file.add("Identity", node.name, parts, ["T": node.type])]
    }
    return [
      file.add(
        "ConcatV2",
        node.name,
        parts + [file.integers([axis], [])],
        ["T": node.type, "N": .int(Int64(parts.count)), "Tidx": .type(.int32)]
      )
    ]
  }
}
