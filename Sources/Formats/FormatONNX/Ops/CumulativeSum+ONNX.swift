import AssayFormat
import AssayGraph
import AssayTensor

extension CumulativeSum: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let place = file.constant(
      Tensor([Int64(axis)], [], dtype: .int64),
      hint: "const/axis_\(axis)"
    )
    file.finish(
      node,
      "CumSum",
      [file.real(node, 0), place],
      [.int("exclusive", isExclusive ? 1 : 0), .int("reverse", isReversed ? 1 : 0)]
    )
  }
}

// MARK: - Import

let cumulativeSumReaders: [String: ONNXReader] = [
  "CumSum": { call, into in
    let x = try into.plain(call.input(0))
    let given = try into.integers(call.input(1), call).first ?? 0
    guard let axis = into.shape(x).normalized(axis: given) else {
      throw call.unsupported("axis \(given)")
    }
    let op = CumulativeSum(
      axis: axis,
      isExclusive: call.int("exclusive", default: 0) != 0,
      isReversed: call.int("reverse", default: 0) != 0
    )
    try into.define(call, op, [x])
  }
]
