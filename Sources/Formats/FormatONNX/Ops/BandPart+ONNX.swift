import AssayFormat
import AssayGraph
import AssayTensor

extension BandPart: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var result = file.real(node, 0)
    let bounds = [(lowest, 1), (highest, 0)].filter { $0.0 != nil }
    guard let last = bounds.last else {
      file.finish(node, "Identity", [result])
      return
    }
    func arguments(_ bound: (Int?, Int)) -> ([String], [ONNXAttribute]) {
      let offset = Tensor([Int64(bound.0 ?? 0)], [], dtype: .int64)
      let hint = "const/diagonal_\(bound.0 ?? 0)"
      return ([result, file.constant(offset, hint: hint)], [.int("upper", bound.1)])
    }
    for bound in bounds.dropLast() {
      let (inputs, attributes) = arguments(bound)
      result = file.add("Trilu", inputs, attributes, for: node)
    }
    let (inputs, attributes) = arguments(last)
    file.finish(node, "Trilu", inputs, attributes)
  }
}

// MARK: - Import

let bandPartReaders: [String: ONNXReader] = [
  "Trilu": { call, into in
    let x = try into.plain(call.input(0))
    let offset = call.has(1) ? try into.integers(call.input(1), call).first ?? 0 : 0
    let isUpper = call.int("upper", default: 1) != 0
    let op = BandPart(lowest: isUpper ? offset : nil, highest: isUpper ? nil : offset)
    try into.define(call, op, [x])
  }
]
