import AssayBase
import AssayGraph
import AssayTensor

let padReaders: [String: TFReader] = [
  "Pad": { try readPad($0, &$1, .constant) },
  "PadV2": { try readPad($0, &$1, .constant) },
  "MirrorPad": { call, into in
    try readPad(call, &into, call.string("mode") == "SYMMETRIC" ? .symmetric : .reflect)
  },
]

private func readPad(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ mode: Pad.Mode
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let amounts = try into.integers(call, 1)
  let rank = into.graph[x].type.shape.rank
  guard amounts.count == 2 * rank else { throw call.unsupported("paddings \(amounts)") }
  if amounts.allSatisfy({ $0 == 0 }) { return [.tensor(x)] }
  let op = Pad(
    before: (0..<rank).map { amounts[2 * $0] },
    after: (0..<rank).map { amounts[2 * $0 + 1] },
    mode: mode,
    value: call.node.op == "PadV2" ? try into.number(call, 2) : 0
  )
  return try into.emit(call, op, [x])
}

// MARK: - Export

extension Pad: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let amounts = file.integers(zip(before, after).flatMap { [$0, $1] }, [before.count, 2])
    var attributes: [String: TFAttribute] = ["T": node.type, "Tpaddings": .type(.int32)]
    switch mode {
    case .constant:
      let number = file.scalar(value, node.outputs[0].dtype)
      return [file.add("PadV2", node.name, [file.input(node, 0), amounts, number], attributes)]
    case .reflect, .symmetric:
      attributes["mode"] = .string(mode == .reflect ? "REFLECT" : "SYMMETRIC")
      return [file.add("MirrorPad", node.name, [file.input(node, 0), amounts], attributes)]
    default: throw node.unsupported("mode \(mode.rawValue)")
    }
  }
}
