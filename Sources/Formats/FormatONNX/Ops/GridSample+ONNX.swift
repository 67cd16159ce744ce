import AssayFormat
import AssayGraph
import AssayTensor

extension GridSample: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let rank = node.input(0).shape.rank
    let attributes: [ONNXAttribute] = [
      .string("mode", kind.rawValue),
      .string("padding_mode", border == .edge ? "border" : border.rawValue),
      .int("align_corners", alignsCorners ? 1 : 0),
    ]
    // The grid is no image: its last axis holds coordinates.
    guard let grid = node.node.inputs[1] else { return }
    let points = file.name(of: grid, in: .channelsLast)
    if rank == 4 {
      file.finish(node, "GridSample", [file.real(node, 0), points], attributes)
      return
    }
    let first = [0, rank - 1] + Array(1..<rank - 1)
    let turned = file.add("Transpose", [file.real(node, 0)], [.ints("perm", first)], for: node)
    let result = file.add("GridSample", [turned, points], attributes, for: node)
    let last = [0] + Array(2..<rank) + [1]
    file.finish(node, "Transpose", [result], [.ints("perm", last)])
  }
}

// MARK: - Import

let gridSampleReaders: [String: ONNXReader] = [
  "GridSample": { call, into in
    let op = try gridSample(call)
    let shape = try into.type(call.input(0)).shape
    let grid = try into.plain(call.input(1))
    if shape.rank == 4 {
      try into.defineImage(call, op, [try into.image(call.input(0)), grid])
      return
    }
    guard shape.rank >= 3 else { throw call.unsupported("\(shape)") }
    let source = try into.plain(call.input(0))
    let image = try into.turned(call, source, [0] + Array(2..<shape.rank) + [1])
    let result = try into.step(call, "sampled", op, [image, grid])
    into.conclude(
      call,
      try into.turned(call, result, [0, shape.rank - 1] + Array(1..<shape.rank - 1))
    )
  }
]

private func gridSample(_ call: OperatorCall) throws -> GridSample {
  let kind: GridSample.Kind
  switch call.string("mode", default: "linear") {
  case "linear", "bilinear": kind = .linear
  case "nearest": kind = .nearest
  case "cubic", "bicubic": kind = .cubic
  case let mode: throw call.unsupported("mode \(mode)")
  }
  let border: GridSample.Border
  switch call.string("padding_mode", default: "zeros") {
  case "zeros": border = .zeros
  case "border": border = .edge
  case "reflection": border = .reflection
  case let mode: throw call.unsupported("padding_mode \(mode)")
  }
  return GridSample(kind, border: border, alignsCorners: call.int("align_corners", default: 0) != 0)
}
