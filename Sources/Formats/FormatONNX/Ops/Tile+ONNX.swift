import AssayFormat
import AssayGraph
import AssayTensor

extension Tile: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let repeats = file.inputLayout(node).arrange(repeats)
    file.finish(node, "Tile", [file.real(node, 0), file.constant(ints: repeats)])
  }
}

extension BroadcastTo: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let dims = file.outputLayout(node).arrange(shape)
    file.finish(node, "Expand", [file.real(node, 0), file.constant(ints: dims)])
  }
}

// MARK: - Import

let tileReaders: [String: ONNXReader] = [
  "Tile": { call, into in
    let x = try into.plain(call.input(0))
    try into.define(call, Tile(try into.integers(call.input(1), call)), [x])
  },
  "Expand": { call, into in
    let x = try into.plain(call.input(0))
    let given = Shape(try into.integers(call.input(1), call))
    guard let shape = into.shape(x).broadcast(with: given), shape.isStatic else {
      throw call.unsupported("\(into.shape(x)) to \(given)")
    }
    if shape == into.shape(x) {
      try into.alias(call, to: call.input(0))
      return
    }
    try into.define(call, BroadcastTo(shape.dims), [x])
  },
]
