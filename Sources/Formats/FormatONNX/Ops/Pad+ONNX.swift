import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Pad: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let layout = file.inputLayout(node)
    var inputs = [
      file.real(node, 0),
      file.constant(ints: layout.arrange(before) + layout.arrange(after)),
    ]
    let onnxMode: String
    switch mode {
    case .constant:
      onnxMode = "constant"
      let dtype = node.input(0).isQuantizedInteger ? .float32 : node.input(0).dtype
      // ONNX Runtime (1.31.1) makes a border of zeros the pool's own, which a pool ignores: results
      // would be wrong. It leaves a border of the least normal number alone.
      let isMisread = value == 0 && dtype == .float32 && file.isReadByPool(node)
      inputs.append(file.constant(isMisread ? .leastNormalMagnitude : value, dtype))
    case .reflect: onnxMode = "reflect"
    case .edge: onnxMode = "edge"
    case .symmetric:
      throw Diagnostic("ONX112", "ONNX cannot pad symmetrically (with the border repeated)")
    }
    file.finish(node, "Pad", inputs, [.string("mode", onnxMode)])
  }
}

extension GraphExporter {
  /// Whether a pool reads the node's output.
  fileprivate func isReadByPool(_ view: NodeView) -> Bool {
    let output = view.node.outputs[0]
    return graph.nodes.contains { $0.op is Pool2D && $0.inputs.contains(output) }
  }
}

// MARK: - Import

let padReaders: [String: ONNXReader] = ["Pad": readPad]

/// Pad: amounts are attributes before operator set 11, inputs since.
private func readPad(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  var amounts = call.ints("pads") ?? []
  var value = call.float("value") ?? 0
  if call.opset >= 11 {
    amounts = try into.integers(call.input(1), call)
    if call.has(2) { value = try into.number(call.input(2), call) }
  }
  var (before, after) = (
    [Int](repeating: 0, count: shape.rank), [Int](repeating: 0, count: shape.rank)
  )
  let axes =
    call.has(3)
    ? try into.integers(call.input(3), call).compactMap { shape.normalized(axis: $0) }
    : Array(0..<shape.rank)
  guard amounts.count == axes.count * 2, amounts.allSatisfy({ (0..<1 << 30).contains($0) }) else {
    throw call.unsupported("pads \(amounts) around \(shape)")
  }
  for (index, axis) in axes.enumerated() {
    before[axis] = amounts[index]
    after[axis] = amounts[axes.count + index]
  }
  if call.string("mode", default: "constant") == "wrap" {
    // The tensor repeats on both sides.
    var x = try into.plain(call.input(0))
    for axis in shape.dims.indices where before[axis] + after[axis] > 0 {
      let extent = shape[axis]
      guard extent > 0, before[axis] + extent + after[axis] <= 1 << 24 else {
        throw call.unsupported("pads \(amounts) around \(shape)")
      }
      let positions = (-before[axis]..<extent + after[axis]).map {
        (($0 % extent) + extent) % extent
      }
      x = try into.gathered(call, x, axis: axis, positions)
    }
    into.conclude(call, x)
    return
  }
  let mode: Pad.Mode
  switch call.string("mode", default: "constant") {
  case "constant": mode = .constant
  case "reflect": mode = .reflect
  case "edge": mode = .edge
  case let other: throw call.unsupported("mode \(other)")
  }
  if shape.rank == 4, let image = into.knownImage(call.input(0)) {
    func turn(_ list: [Int]) -> [Int] { [0, 2, 3, 1].map { list[$0] } }
    let op = Pad(before: turn(before), after: turn(after), mode: mode, value: value)
    try into.defineImage(call, op, [image])
    return
  }
  let op = Pad(before: before, after: after, mode: mode, value: value)
  try into.define(call, op, [try into.plain(call.input(0))])
}
