import AssayBase
import AssayGraph
import AssayTensor

let reshapeReaders: [String: TFReader] = [
  "Reshape": { call, into in
    let x = try into.tensor(call, 0)
    return [.tensor(try into.reshaped(call, x, filling: try into.integers(call, 1)))]
  },
  "Squeeze": readSqueeze,
  "ExpandDims": readExpandDims,
]

private func readSqueeze(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let shape = into.graph[x].type.shape
  let given = call.ints("squeeze_dims") ?? call.ints("axis") ?? []
  let axes = try given.map { axis in
    guard let normalized = shape.normalized(axis: axis), shape[normalized] == 1 else {
      throw call.unsupported("axis \(axis) of \(shape)")
    }
    return normalized
  }
  let dims = shape.dims.enumerated().filter { axis, dim in
    axes.isEmpty ? dim != 1 : !axes.contains(axis)
  }
  return [.tensor(try into.reshaped(call, x, to: dims.map(\.element)))]
}

private func readExpandDims(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  var dims = into.graph[x].type.shape.dims
  var axis = try into.integer(call, 1)
  if axis < 0 { axis = axis &+ dims.count &+ 1 }
  guard (0...dims.count).contains(axis) else { throw call.unsupported("axis \(axis)") }
  dims.insert(1, at: axis)
  return [.tensor(try into.reshaped(call, x, to: dims))]
}

extension TensorFlowImporter {
  /// A reshape to extents of which one may be -1.
  mutating func reshaped(_ call: TFCall, _ id: ValueID, filling dims: [Int]) throws -> ValueID {
    let type = try Reshape(dims).inferTypes([graph[id].type])[0]
    return try reshaped(call, id, to: type.shape.dims)
  }
}

// MARK: - Export

extension Reshape: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [file.reshape(node, file.input(node, 0), node.outputs[0].shape.dims)]
  }
}
