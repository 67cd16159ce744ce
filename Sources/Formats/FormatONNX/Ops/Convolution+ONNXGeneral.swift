import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Convolutions over volumes, and transposed ones in all their forms.

/// Conv over volumes `[N, C, D, H, W]`.
func readVolumeConvolution(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let (shape, filter) = (into.shape(x), try into.type(call.input(1)).shape)
  let window = try CallWindowND(call, image: shape, kernel: Array(filter.dims.dropFirst(2)))
  let groups = call.int("group", default: 1)
  guard filter.rank == 5, groups > 0, shape[1] == filter[1] &* groups else {
    throw call.unsupported("a filter \(filter) in \(groups) groups for \(shape)")
  }
  let weights = try into.parameter(call.input(1), [0, 2, 3, 4, 1], call)
  let bias = call.has(2) ? try into.plain(call.input(2)) : nil
  func triple(_ list: [Int]) -> Size3D { Size3D(list[0], list[1], list[2]) }
  let op = Conv3D(strides: triple(window.strides), dilations: triple(window.dilations))
  let image = try volume(call, x, window, &into)
  let result = try into.step(call, "volume", op, [image, weights, bias])
  into.conclude(call, try into.turned(call, result, [0, 4, 1, 2, 3]))
}

/// A pool over volumes without dilation.
func readVolumePool(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ kind: Pool2D.Kind
) throws {
  let x = try into.plain(call.input(0))
  let window = try CallWindowND(call, image: into.shape(x))
  let isPlain = (window.before + window.after + window.overhang).allSatisfy { $0 == 0 }
  guard window.dilations.allSatisfy({ $0 == 1 }), isPlain, !into.wants(call, 1) else {
    try readGatheredPool(call, &into, kind)
    return
  }
  func triple(_ list: [Int]) -> Size3D { Size3D(list[0], list[1], list[2]) }
  let op = Pool3D(kind, window: triple(window.kernel), strides: triple(window.strides))
  let image = try into.turned(call, x, [0, 2, 3, 4, 1])
  let result = try into.step(call, "volume", op, [image])
  into.conclude(call, try into.turned(call, result, [0, 4, 1, 2, 3]))
}

/// A volume with its channels last and its border added.
private func volume(
  _ call: OperatorCall,
  _ x: ValueID,
  _ window: CallWindowND,
  _ into: inout GraphImporter
) throws -> ValueID {
  let image = try into.turned(call, x, [0, 2, 3, 4, 1])
  guard (window.before + window.after).contains(where: { $0 > 0 }) else { return image }
  let border = Pad(before: [0] + window.before + [0], after: [0] + window.after + [0])
  return try into.step(call, "padded", border, [image])
}

/// ConvTranspose of any kind, as a convolution of the image with zeros between its elements.
func readGeneralTransposeConvolution(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let begin = into.graph.nodes.count
  var x = try into.plain(call.input(0))
  var weights = try into.plain(call.input(1))
  let (shape, filter) = (into.shape(x), into.shape(weights))
  let axes = shape.rank - 2
  let groups = call.int("group", default: 1)
  guard axes >= 1, filter.rank == shape.rank, groups > 0, filter[0] == shape[1],
    shape[1] % groups == 0
  else { throw call.unsupported("a filter \(filter) in \(groups) groups for \(shape)") }
  func list(_ name: String, _ value: Int, _ least: Int) throws -> [Int] {
    let values = call.ints(name) ?? [Int](repeating: value, count: axes)
    guard values.count == axes, values.allSatisfy({ (least..<1 << 20).contains($0) }) else {
      throw call.unsupported("\(name) \(values)")
    }
    return values
  }
  let strides = try list("strides", 1, 1)
  let dilations = try list("dilations", 1, 1)
  let extra = try list("output_padding", 0, 0)
  let kernel = Array(filter.dims.dropFirst(2))
  let (before, after) = try transposedPads(call, shape, kernel, strides, dilations, extra)
  // Zeros between the elements.
  if strides.contains(where: { $0 > 1 }) {
    var spread = [shape[0], shape[1]]
    var behind = [0, 0]
    for axis in 0..<axes {
      spread += [shape[axis + 2], 1]
      behind += [0, strides[axis] - 1]
    }
    x = try into.reshaped(call, x, spread)
    x = try into.step(call, "spread", Pad(before: spread.map { _ in 0 }, after: behind), [x])
    let long = (0..<axes).map { shape[$0 + 2] * strides[$0] }
    x = try into.reshaped(call, x, [shape[0], shape[1]] + long)
    let sizes = (0..<axes).map { (shape[$0 + 2] - 1) * strides[$0] + 1 }
    let cut = AssayGraph.Slice(
      begin: [Int](repeating: 0, count: axes + 2),
      sizes: [shape[0], shape[1]] + sizes
    )
    x = try into.step(call, "cut", cut, [x])
  }
  // The filter backwards, each group's inputs and outputs exchanged.
  let part = [groups, filter[0] / groups, filter[1]] + kernel
  weights = try into.reshaped(call, weights, part)
  weights = try into.turned(call, weights, [0, 2, 1] + Array(3..<3 + axes))
  weights = try into.reshaped(call, weights, [groups * filter[1], filter[0] / groups] + kernel)
  weights = try into.step(call, "backwards", Reverse(axes: Array(2..<2 + axes)), [weights])
  try into.foldConstants(from: begin)
  // Borders, or what lies outside of the output cut off.
  let reach = zip(kernel, dilations).map { ($0 - 1) * $1 }
  let front = zip(reach, before).map { $0 - $1 }
  let back = (0..<axes).map { reach[$0] - after[$0] + extra[$0] }
  if (front + back).contains(where: { $0 < 0 }) {
    var cut = AssayGraph.Slice(
      begin: [Int](repeating: 0, count: axes + 2),
      sizes: into.shape(x).dims
    )
    for axis in 0..<axes {
      cut.begin[axis + 2] = max(-front[axis], 0)
      cut.sizes[axis + 2] -= max(-front[axis], 0) + max(-back[axis], 0)
    }
    x = try into.step(call, "inside", cut, [x])
  }
  let pads = (front + back).map { max($0, 0) }
  let attributes: [ONNXAttribute] = [
    .ints("pads", pads), .ints("dilations", dilations), .int("group", groups),
    .ints("kernel_shape", kernel),
  ]
  var inputs = [into.bind(x), into.bind(weights)]
  if call.has(2) { inputs.append(call.input(2)) }
  let node = ONNXNode(
    opType: "Conv",
    inputs: inputs,
    outputs: ["%result"],
    attributes: attributes
  )
  try into.expand(call, [node], results: ["%result"])
}

/// What a transposed convolution cuts off its full result, before and after each axis.
private func transposedPads(
  _ call: OperatorCall,
  _ shape: Shape,
  _ kernel: [Int],
  _ strides: [Int],
  _ dilations: [Int],
  _ extra: [Int]
) throws -> (before: [Int], after: [Int]) {
  let axes = kernel.count
  let pads = call.ints("pads") ?? [Int](repeating: 0, count: 2 * axes)
  guard pads.count == 2 * axes, pads.allSatisfy({ abs($0) < 1 << 20 }) else {
    throw call.unsupported("pads \(pads)")
  }
  let autoPad = call.string("auto_pad", default: "NOTSET")
  var (before, after) = (Array(pads.prefix(axes)), Array(pads.suffix(axes)))
  let wanted = call.ints("output_shape").map { Array($0.suffix(axes)) }
  for axis in 0..<axes {
    let full =
      strides[axis] * (shape[axis + 2] - 1) + extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1
    var size: Int?
    if let wanted, wanted.count == axes { size = wanted[axis] }
    if size == nil, autoPad.hasPrefix("SAME") { size = shape[axis + 2] * strides[axis] }
    if autoPad == "VALID" { (before[axis], after[axis]) = (0, 0) }
    guard let size else { continue }
    guard (1..<1 << 24).contains(size) else { throw call.unsupported("output_shape \(size)") }
    let total = full - size
    // The odd element goes in front, unless the padding is the upper one.
    let half = total < 0 ? -((-total) / 2) : total / 2
    before[axis] = autoPad == "SAME_UPPER" ? half : total - half
    after[axis] = total - before[axis]
  }
  return (before, after)
}
