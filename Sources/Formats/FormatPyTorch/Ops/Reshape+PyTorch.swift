import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let reshapeReaders: [String: ATenReader] = [
  "view": readView, "reshape": readView, "_unsafe_view": readView, "_reshape_alias": readView,
  "view_as": { call, into in
    try into.defineReshape(call, into.type(call.tensor("other")).shape.dims)
  },
  "reshape_as": { call, into in
    try into.defineReshape(call, into.type(call.tensor("other")).shape.dims)
  },
  "flatten": { call, into in
    let shape = try into.type(call.tensor("self")).shape
    let first = try into.axis(call.int("start_dim", default: 0), rank: shape.rank, call)
    let last = try into.axis(call.int("end_dim", default: -1), rank: shape.rank, call)
    guard first <= last else { throw call.unsupported("start_dim after end_dim") }
    guard shape.rank > 0 else { return try into.defineReshape(call, [1]) }
    let middle = Shape(Array(shape.dims[first...last])).count
    let dims = shape.dims[..<first] + [middle] + shape.dims[(last + 1)...]
    try into.defineReshape(call, Array(dims))
  },
  "unflatten": { call, into in
    let shape = try into.type(call.tensor("self")).shape
    let axis = try into.axis(call.int("dim"), rank: shape.rank, call)
    let sizes = try call.ints("sizes") ?? []
    try into.defineReshape(call, Array(shape.dims[..<axis] + sizes + shape.dims[(axis + 1)...]))
  },
  "unsqueeze": { call, into in
    let shape = try into.type(call.tensor("self")).shape
    let axis = try into.axis(call.int("dim"), rank: shape.rank + 1, call)
    try into.defineReshape(call, Array(shape.dims[..<axis] + [1] + shape.dims[axis...]))
  },
  "squeeze": { call, into in
    let shape = try into.type(call.tensor("self")).shape
    let given = try call.ints("dim")
    let axes = try given?.map { try into.axis($0, rank: shape.rank, call) }
    let dims = shape.dims.enumerated().filter { axis, dim in
      dim != 1 || axes.map { !$0.contains(axis) } ?? false
    }
    try into.defineReshape(call, dims.map(\.element))
  },
  "permute": { call, into in
    let rank = try into.type(call.tensor("self")).shape.rank
    let order = try (call.ints("dims") ?? []).map { try into.axis($0, rank: rank, call) }
    try into.defineTranspose(call, order)
  },
  "transpose": { call, into in
    let rank = try into.type(call.tensor("self")).shape.rank
    var order = Array(0..<rank)
    let first = try into.axis(call.int("dim0"), rank: rank, call)
    let second = try into.axis(call.int("dim1"), rank: rank, call)
    if rank > 0 { order.swapAt(first, second) }
    try into.defineTranspose(call, order)
  },
  "swapaxes": { call, into in
    let rank = try into.type(call.tensor("self")).shape.rank
    var order = Array(0..<rank)
    let first = try into.axis(call.int("axis0"), rank: rank, call)
    order.swapAt(first, try into.axis(call.int("axis1"), rank: rank, call))
    try into.defineTranspose(call, order)
  },
  "movedim": { call, into in
    let rank = try into.type(call.tensor("self")).shape.rank
    let from = try (call.ints("source") ?? []).map { try into.axis($0, rank: rank, call) }
    let to = try (call.ints("destination") ?? []).map { try into.axis($0, rank: rank, call) }
    guard from.count == to.count, Set(from).count == from.count, Set(to).count == to.count else {
      throw call.unsupported("axes \(from) to \(to)")
    }
    var rest = (0..<rank).filter { !from.contains($0) }[...]
    let order = (0..<rank).map { axis in
      to.firstIndex(of: axis).map { from[$0] } ?? rest.popFirst() ?? axis
    }
    try into.defineTranspose(call, order)
  },
  "t": readMatrixTranspose, "numpy_T": readMatrixTranspose, "mT": readMatrixTranspose,
  "adjoint": readMatrixTranspose,
  "expand": { call, into in
    let shape = try into.type(call.tensor("self")).shape
    let sizes = try call.ints("size") ?? []
    let lead = sizes.count - shape.rank
    guard lead >= 0 else { throw call.unsupported("\(sizes) of \(shape)") }
    let dims = sizes.enumerated().map { axis, size in
      size == -1 && axis >= lead ? shape[axis - lead] : size
    }
    try into.defineBroadcast(call, dims)
  },
  "expand_as": { call, into in
    try into.defineBroadcast(call, into.type(call.tensor("other")).shape.dims)
  },
  "broadcast_to": { call, into in
    try into.defineBroadcast(call, call.ints("size") ?? [])
  },
  "repeat": { call, into in
    let input = try call.tensor("self")
    let shape = try into.type(input).shape
    let repeats = try call.ints("repeats") ?? []
    let lead = repeats.count - shape.rank
    guard lead >= 0, repeats.allSatisfy({ $0 > 0 }) else { throw call.unsupported("\(repeats)") }
    var id = try into.plain(input)
    if lead > 0 {
      let dims = [Int](repeating: 1, count: lead) + shape.dims
      id = try into.step(call, "axes", Reshape(dims), [id])
    }
    try into.define(call, Tile(repeats), [id])
  },
  "tile": { call, into in
    let input = try call.tensor("self")
    let shape = try into.type(input).shape
    var repeats = try call.ints("dims") ?? []
    guard repeats.count <= shape.rank, repeats.allSatisfy({ $0 > 0 }) else {
      throw call.unsupported("\(repeats) of \(shape)")
    }
    repeats = [Int](repeating: 1, count: shape.rank - repeats.count) + repeats
    try into.define(call, Tile(repeats), [try into.plain(input)])
  },
  "pixel_shuffle": readPixelShuffle,
  "pixel_unshuffle": readPixelUnshuffle,
  "channel_shuffle": { call, into in
    let input = try call.tensor("self")
    let shape = try into.type(input).shape
    let groups = try call.int("groups")
    guard shape.rank == 4, groups > 0, shape[1] % groups == 0 else {
      throw call.unsupported("\(groups) groups of \(shape)")
    }
    let image = try into.image(input)
    let order = (0..<shape[1]).map { Int32($0 % groups * (shape[1] / groups) + $0 / groups) }
    let indices = into.addConstant(
      into.valueName("\(call.output)/order"),
      Tensor(order, [shape[1]])
    )
    try into.defineImage(call, Gather(axis: 3), [image, indices])
  },
]

private func readView(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  guard call.overload != "dtype" else { throw call.unsupported("another element type") }
  try into.defineReshape(call, call.ints(call.has("size") ? "size" : "shape") ?? [])
}

private func readMatrixTranspose(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let rank = try into.type(call.tensor("self")).shape.rank
  var order = Array(0..<rank)
  if rank >= 2 { order.swapAt(rank - 1, rank - 2) }
  if call.name == "numpy_T" { order = (0..<rank).reversed() }
  try into.defineTranspose(call, order)
}

extension ProgramImporter {
  /// The input in another shape: a Constant at once, anything else by a node.
  mutating func defineReshape(_ call: ATenCall, _ dims: [Int]) throws {
    let input = try call.tensor("self")
    let before = try type(input).shape
    let after = try Reshape(dims).inferTypes([type(input)])[0].shape
    if before == after {
      try alias(call, to: input)
      return
    }
    // Between the two orders of an image in which both are one, nothing needs to be done.
    if before.isLayoutFree, after.dims == Layout.channelsFirst.arrange(before.dims) {
      twins.place(call.output, image: try plain(input))
      return
    }
    // An image in which the program's order of elements is also ours needs no turning back.
    if let image = knownImage(input), graph[image].type.shape.isLayoutFree {
      try define(call, Reshape(after.dims), [image])
      return
    }
    try define(call, Reshape(after.dims), [try plain(input)])
  }

  /// The input with its axes in another order.
  fileprivate mutating func defineTranspose(_ call: ATenCall, _ order: [Int]) throws {
    let input = try call.tensor("self")
    guard order.sorted() == Array(0..<(try type(input).shape.rank)) else {
      throw call.unsupported("the order \(order)")
    }
    if order == Array(order.indices) {
      try alias(call, to: input)
      return
    }
    // Turns between the two orders of an image name a value that is there already.
    if order == [0, 3, 1, 2], constant(input) == nil {
      twins.place(call.output, image: try plain(input))
      return
    }
    if order == [0, 2, 3, 1], let image = knownImage(input) {
      twins.place(call.output, plain: image)
      return
    }
    try define(call, Transpose(order), [try plain(input)])
  }

  fileprivate mutating func defineBroadcast(_ call: ATenCall, _ dims: [Int]) throws {
    let input = try call.tensor("self")
    let shape = try type(input).shape
    if shape.dims == dims {
      try alias(call, to: input)
      return
    }
    if dims.count == 4, isImage(input) {
      let turned = Self.arranged(dims, isImage: true)
      try defineImage(call, BroadcastTo(turned), [try image(input)])
      return
    }
    try define(call, BroadcastTo(dims), [try plain(input)])
  }
}

/// `[N, C*r*r, H, W]` to `[N, C, H*r, W*r]`; the channels of a pixel's block lie apart (CRD), a Graph's
/// beside one another.
private func readPixelShuffle(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let shape = try into.type(input).shape
  let block = try call.int("upscale_factor")
  guard shape.rank == 4, block > 0, block < 1 << 10, shape[1] % (block * block) == 0 else {
    throw call.unsupported("\(block) of \(shape)")
  }
  let channels = shape[1] / (block * block)
  var source = try into.image(input)
  if channels > 1 {
    let order = (0..<shape[1]).map { Int32($0 % channels * block * block + $0 / channels) }
    let indices = into.addConstant(
      into.valueName("\(call.output)/order"),
      Tensor(order, [shape[1]])
    )
    source = try into.step(call, "ordered", Gather(axis: 3), [source, indices])
  }
  try into.defineImage(call, DepthToSpace(blockSize: block), [source])
}

private func readPixelUnshuffle(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let shape = try into.type(input).shape
  let block = try call.int("downscale_factor")
  guard shape.rank == 4, block > 0, block < 1 << 10, shape[2] % block == 0, shape[3] % block == 0
  else { throw call.unsupported("\(block) of \(shape)") }
  let (channels, area) = (shape[1], block * block)
  let source = try into.image(input)
  let blocks = try into.step(call, "blocks", SpaceToDepth(blockSize: block), [source])
  let order = (0..<channels * area).map { Int32($0 % area * channels + $0 / area) }
  let indices = into.addConstant(
    into.valueName("\(call.output)/order"),
    Tensor(order, [channels * area])
  )
  try into.defineImage(call, Gather(axis: 3), [blocks, indices])
}
