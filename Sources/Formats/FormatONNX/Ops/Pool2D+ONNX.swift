import AssayFormat
import AssayGraph
import AssayTensor

extension Pool2D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let image = node.input(0).shape
    let pads = padding.onnxPads(image, window, strides, .one)
    let input = file.real(node, 0)
    if kind == .average, window == Size2D(image[1], image[2]), pads.allSatisfy({ $0 == 0 }) {
      file.finish(node, "GlobalAveragePool", [input], activation: activation)
      return
    }
    var attributes: [ONNXAttribute] = [
      .ints("kernel_shape", [window.height, window.width]),
      .ints("strides", [strides.height, strides.width]),
      .ints("pads", pads),
    ]
    if kind == .average { attributes.append(.int("count_include_pad", 0)) }
    file.finish(
      node,
      kind == .max ? "MaxPool" : "AveragePool",
      [input],
      attributes,
      activation: activation
    )
  }
}

// MARK: - Import

let poolReaders: [String: ONNXReader] = [
  "MaxPool": { try readPool($0, &$1, .max) },
  "AveragePool": { try readPool($0, &$1, .average) },
  "GlobalAveragePool": { try readGlobalPool($0, &$1, .mean) },
  "GlobalMaxPool": { try readGlobalPool($0, &$1, .max) },
]

private func readPool(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ kind: Pool2D.Kind
) throws {
  let shape = try into.type(call.input(0)).shape
  let isGathered =
    into.wants(call, 1) || call.ints("dilations")?.contains { $0 != 1 } ?? false
    || kind == .average && call.int("ceil_mode", default: 0) != 0
      && call.int("count_include_pad", default: 0) != 0
  if isGathered {
    try readGatheredPool(call, &into, kind)
    return
  }
  if shape.rank == 3 {
    try into.inTwoDimensions(call) { try readPool($0, &$1, kind) }
    return
  }
  if shape.rank == 5 {
    try readVolumePool(call, &into, kind)
    return
  }
  guard shape.rank == 4 else { throw call.unsupported("an image of \(shape)") }
  var window = try CallWindow(call, image: shape)
  let extents: Shape = [shape[0], shape[2], shape[3], shape[1]]
  var pads = window.padding.onnxPads(extents, window.kernel, window.strides, .one)
  var image = try into.image(call.input(0))
  if kind == .average, call.int("count_include_pad", default: 0) != 0,
    pads.contains(where: { $0 != 0 })
  {
    let border = Pad(before: [0, pads[0], pads[1], 0], after: [0, pads[2], pads[3], 0])
    image = try into.step(call, "padded", border, [image])
    window.padding = .valid
  } else if call.int("ceil_mode", default: 0) != 0 {
    // A last window that hangs over the border is a window over more border.
    let sizes = [
      (shape[2], window.kernel.height, window.strides.height),
      (shape[3], window.kernel.width, window.strides.width),
    ]
    for (axis, (extent, kernel, stride)) in sizes.enumerated() {
      let span = extent + pads[axis] + pads[axis + 2] - kernel
      guard span >= 0 else { throw call.unsupported("a window larger than the image") }
      var count = (span + stride - 1) / stride + 1
      if (count - 1) * stride >= extent + pads[axis] { count -= 1 }
      pads[axis + 2] = max((count - 1) * stride + kernel - extent - pads[axis], 0)
    }
    window.padding = window.named(
      .explicit(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3]),
      extents
    )
  }
  let op = Pool2D(kind, window: window.kernel, strides: window.strides, padding: window.padding)
  try into.defineImage(call, op, [image])
}

private func readGlobalPool(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ kind: Reduce.Kind
) throws {
  let rank = try into.type(call.input(0)).shape.rank
  guard rank >= 3 else { throw call.unsupported("an image of \(rank) axes") }
  guard rank == 4 else {
    let op = Reduce(kind, axes: Array(2..<rank), keepsAxes: true)
    try into.define(call, op, [try into.plain(call.input(0))])
    return
  }
  let op = Reduce(kind, axes: [1, 2], keepsAxes: true)
  try into.defineImage(call, op, [try into.image(call.input(0))])
}
