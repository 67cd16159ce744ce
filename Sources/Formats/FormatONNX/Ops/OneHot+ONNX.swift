import AssayFormat
import AssayGraph
import AssayTensor

extension OneHot: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var indices = file.coordinates(node, 0)
    // A negative integer counts from the end in ONNX; here it names no place: the one behind the last.
    let isKnown = node.node.inputs[0].flatMap { file.graph[$0].constant }?.integers()
      .allSatisfy { $0 >= 0 }
    if !(isKnown ?? false) {
      let zero = file.constant(Tensor([Int64(0)], [], dtype: .int64), hint: "const/int64_0")
      let behind = Tensor([Int64(depth)], [], dtype: .int64)
      let none = file.constant(behind, hint: "const/int64_\(depth)")
      let isNegative = file.add("Less", [indices, zero], for: node)
      indices = file.add("Where", [isNegative, none, indices], for: node)
    }
    let values = [file.real(node, 2), file.real(node, 1)].map { value in
      file.add("Reshape", [value, file.constant(ints: [1])], for: node)
    }
    let both = file.add("Concat", values, [.int("axis", 0)], for: node)
    let rank = node.outputs[0].shape.rank
    file.finish(
      node,
      "OneHot",
      [indices, file.constant(ints: [depth]), both],
      [.int("axis", axis < 0 ? axis + rank : axis)]
    )
  }
}

// MARK: - Import

let oneHotReaders: [String: ONNXReader] = [
  "OneHot": { call, into in
    let depth = Int(try into.number(call.input(1), call))
    guard (0..<1 << 31).contains(depth) else { throw call.unsupported("\(depth) places") }
    // A negative index counts from the end.
    var indices = try into.cast(call, into.plain(call.input(0)), .int64)
    let isNegative = try into.binary(call, .less, indices, 0)
    let counted = try into.binary(call, .add, indices, Double(depth))
    indices = try into.choice(call, isNegative, counted, indices)
    let values = try into.plain(call.input(2))
    guard into.shape(values).dims == [2] else {
      throw call.unsupported("values \(into.shape(values))")
    }
    let (first, last) = (
      try into.sliced(call, values, axis: 0, 0..<1), try into.sliced(call, values, axis: 0, 1..<2)
    )
    let (off, on) = (try into.reshaped(call, first, []), try into.reshaped(call, last, []))
    let op = OneHot(depth: depth, axis: call.int("axis", default: -1))
    try into.define(call, op, [indices, on, off])
  }
]
