import AssayBase
import AssayGraph
import AssayTensor

let reverseReaders: [String: TFReader] = [
  "ReverseV2": { call, into in
    let axes = try into.integers(call, 1)
    let x = try into.tensor(call, 0)
    return axes.isEmpty ? [.tensor(x)] : try into.emit(call, Reverse(axes: axes), [x])
  },
  "ReverseSequence": { call, into in
    let op = ReverseSequence(batchAxis: call.int("batch_dim"), timeAxis: call.int("seq_dim"))
    return try into.emit(call, op, [try into.tensor(call, 0), try into.tensor(call, 1)])
  },
  "Roll": readRoll,
]

/// Roll: the last elements of an axis before the first.
private func readRoll(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  var id = try into.tensor(call, 0)
  let shape = into.graph[id].type.shape
  let (shifts, axes) = (try into.integers(call, 1), try into.integers(call, 2))
  guard shifts.count == axes.count else { throw call.unsupported("\(shifts.count) shifts") }
  for (index, axis) in axes.enumerated() {
    guard let axis = shape.normalized(axis: axis), shape[axis] > 0 else {
      throw call.unsupported("axis \(axis) of \(shape)")
    }
    let extent = shape[axis]
    let shift = ((shifts[index] % extent) + extent) % extent
    guard shift > 0 else { continue }
    let parts = try into.add(
      "\(call.name)/parts\(index)",
      Split(axis: axis, sizes: [extent - shift, shift]),
      [id]
    )
    let isLast = index == axes.count - 1
    let name = isLast ? call.name : "\(call.name)/rolled\(index)"
    id = try into.add(name, Concat(axis: axis), [parts[1], parts[0]])[0]
  }
  return [.tensor(id)]
}

// MARK: - Export

extension Reverse: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "ReverseV2",
        node.name,
        [file.input(node, 0), file.integers(axes)],
        ["T": node.type, "Tidx": .type(.int32)]
      )
    ]
  }
}

extension ReverseSequence: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let rank = node.input(0).shape.rank
    func front(_ axis: Int) -> TFAttribute { .int(Int64(axis < 0 ? axis + rank : axis)) }
    return [
      file.add(
        "ReverseSequence",
        node.name,
        [file.input(node, 0), file.indices(node, 1)],
        [
          "T": node.type, "Tlen": .type(file.indexType(node, 1)), "seq_dim": front(timeAxis),
          "batch_dim": front(batchAxis),
        ]
      )
    ]
  }
}
