import AssayFormat
import AssayGraph
import AssayTensor

extension Reverse: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    // A slice that runs backwards to the first element.
    let shape = node.input(0).shape
    let layout = file.inputLayout(node)
    let places = axes.compactMap { shape.normalized(axis: $0) }.map { layout.position(ofAxis: $0) }
    let lists = [
      places.map { _ in -1 }, places.map { _ in Int(Int32.min) }, places, places.map { _ in -1 },
    ]
    let input = file.real(node, 0)
    guard !places.isEmpty else {
      file.finish(node, "Identity", [input])
      return
    }
    file.finish(node, "Slice", [input] + lists.map { file.constant(ints: $0) })
  }
}

extension ReverseSequence: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let shape = node.input(0).shape
    let (batch, time) = (shape.normalized(axis: batchAxis), shape.normalized(axis: timeAxis))
    let lengths = file.coordinates(node, 1)
    let input = file.real(node, 0)
    if Set([batch, time]) == [0, 1] {
      file.finish(
        node,
        "ReverseSequence",
        [input, lengths],
        [.int("batch_axis", batch ?? 0), .int("time_axis", time ?? 1)]
      )
      return
    }
    // ONNX has these axes in front only.
    let rest = shape.dims.indices.filter { $0 != batch && $0 != time }
    let order = [batch ?? 0, time ?? 1] + rest
    let turned = file.add("Transpose", [input], [.ints("perm", order)], for: node)
    let result = file.add(
      "ReverseSequence",
      [turned, lengths],
      [.int("batch_axis", 0), .int("time_axis", 1)],
      for: node
    )
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    file.finish(node, "Transpose", [result], [.ints("perm", back)])
  }
}

// MARK: - Import

let reverseReaders: [String: ONNXReader] = [
  "ReverseSequence": { call, into in
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    let op = ReverseSequence(
      batchAxis: call.int("batch_axis", default: 1),
      timeAxis: call.int("time_axis", default: 0)
    )
    try into.define(call, op, ids)
  }
]
