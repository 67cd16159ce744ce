import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let irMovementReaders: [String: IRReader] = [
  "Reshape": readReshape, "Squeeze": readSqueeze, "Unsqueeze": readUnsqueeze,
  "Transpose": { call, into in
    let rank = try into.type(call.input(0)).shape.rank
    let order = try into.integers(call, 1)
    let permutation = order.isEmpty ? Array((0..<rank).reversed()) : order
    // From or to channels last: the image itself.
    if permutation == [0, 2, 3, 1], let image = into.knownImage(call.input(0)) {
      into.twins.place(call.output, plain: image)
      return
    }
    if permutation == [0, 3, 1, 2] {
      into.twins.place(call.output, image: try into.plain(call.input(0)))
      return
    }
    try into.define(call, Transpose(permutation), [into.plain(call.input(0))])
  },
  "Concat": { call, into in
    let shape = try into.type(call.input(0)).shape
    guard let axis = shape.normalized(axis: try call.int("axis", default: 0)) else {
      throw call.unsupported("axis")
    }
    if shape.rank == 4, call.inputs.contains(where: { into.isImage($0) }) {
      let images = try call.inputs.map { try into.image($0) }
      try into.defineImage(call, Concat(axis: [0, 3, 1, 2][axis]), images)
    } else {
      let plains = try call.inputs.map { try into.plain($0) }
      try into.define(call, Concat(axis: axis), plains)
    }
  },
  "Pad": readPad, "StridedSlice": readStridedSlice, "Split": readSplit,
  "VariadicSplit": readSplit, "Gather": readGather,
  "Tile": { call, into in
    try into.define(call, Tile(try into.integers(call, 1)), [into.plain(call.input(0))])
  },
  "Broadcast": { call, into in
    guard call.string("mode", default: "numpy") == "numpy" else { throw call.unsupported("mode") }
    try into.define(call, BroadcastTo(try into.integers(call, 1)), [into.plain(call.input(0))])
  },
  "GatherND": { call, into in
    let op = GatherND(batchAxes: try call.int("batch_dims", default: 0))
    guard op.batchAxes < 2 || call.layer.set > 5 else { throw call.unsupported("batch_dims") }
    try into.define(call, op, [into.plain(call.input(0)), into.plain(call.input(1))])
  },
  "GatherElements": { call, into in
    let op = GatherElements(axis: try call.int("axis", default: 0))
    try into.define(call, op, [into.plain(call.input(0)), into.plain(call.input(1))])
  },
  "ScatterNDUpdate": { call, into in
    guard call.string("reduction", default: "none") == "none" else {
      throw call.unsupported("reduction")
    }
    try into.define(call, ScatterND(), call.inputs.map { try into.plain($0) })
  },
  "ScatterElementsUpdate": { call, into in
    guard call.string("reduction", default: "none") == "none" else {
      throw call.unsupported("reduction")
    }
    let op = ScatterElements(axis: try into.axis(call, 3))
    try into.define(call, op, call.inputs.prefix(3).map { try into.plain($0) })
  },
  "ReverseSequence": { call, into in
    let op = ReverseSequence(
      batchAxis: try call.int("batch_axis", default: 0),
      timeAxis: try call.int("seq_axis", default: 1)
    )
    try into.define(call, op, [into.plain(call.input(0)), into.plain(call.input(1))])
  },
  "OneHot": { call, into in
    let depth = try into.integers(call, 1)
    guard depth.count == 1 else { throw call.unsupported("depth") }
    let op = OneHot(depth: depth[0], axis: try call.int("axis", default: -1))
    try into.define(call, op, [0, 2, 3].map { try into.plain(call.input($0)) })
  },
  "ShapeOf": { call, into in
    let shape = try into.type(call.input(0)).shape
    let list = Tensor(shape.dims.map(Int64.init), [shape.rank], dtype: .int64)
    let isNarrow = call.string("output_type", default: "i64") == "i32"
    into.defineConstant(call, isNarrow ? list.converted(to: .int32) ?? list : list)
  },
]

private func readReshape(_ call: IRCall, _ into: inout IRImporter) throws {
  let shape = try into.type(call.input(0)).shape
  var target = try into.integers(call, 1)
  if call.bool("special_zero", default: true) {
    for index in target.indices where target[index] == 0 { target[index] = shape[index] }
  }
  let op = Reshape(target)
  if let tensor = into.constant(call.input(0)) {
    let type = try op.inferTypes([tensor.type])[0]
    into.defineConstant(call, tensor.reshapedKeepingAxis(type.shape.dims))
    return
  }
  try into.define(call, op, [into.plain(call.input(0))])
}

private func readSqueeze(_ call: IRCall, _ into: inout IRImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let given = call.has(1) ? try into.integers(call, 1) : nil
  let axes = given?.compactMap { shape.normalized(axis: $0) }
  guard axes?.count == given?.count, axes?.allSatisfy({ shape[$0] == 1 }) ?? true else {
    throw call.unsupported("axes \(given ?? []) of \(shape)")
  }
  let kept = shape.dims.enumerated().filter { axis, extent in
    axes.map { !$0.contains(axis) } ?? (extent != 1)
  }
  try into.define(call, Reshape(kept.map(\.element)), [into.plain(call.input(0))])
}

private func readUnsqueeze(_ call: IRCall, _ into: inout IRImporter) throws {
  var dims = try into.type(call.input(0)).shape.dims
  let given = try into.integers(call, 1)
  let rank = dims.count + given.count
  for axis in given.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
    guard (0...dims.count).contains(axis) else { throw call.unsupported("axes \(given)") }
    dims.insert(1, at: axis)
  }
  if let tensor = into.constant(call.input(0)) {
    into.defineConstant(call, tensor.reshapedKeepingAxis(dims))
    return
  }
  try into.define(call, Reshape(dims), [into.plain(call.input(0))])
}

private func readPad(_ call: IRCall, _ into: inout IRImporter) throws {
  guard let mode = Pad.Mode(rawValue: call.string("pad_mode", default: "constant")) else {
    throw call.unsupported("pad_mode")
  }
  let (before, after) = (try into.integers(call, 1), try into.integers(call, 2))
  var value: Float = 0
  if call.has(3) {
    guard let tensor = into.constant(call.input(3)), tensor.count == 1 else {
      throw call.unsupported("a value that is computed")
    }
    value = tensor.floats()[0]
  }
  guard before.count == after.count else { throw call.unsupported("\(before) and \(after)") }
  if before.count == 4, let image = into.knownImage(call.input(0)) {
    let order = [0, 2, 3, 1]
    let op = Pad(
      before: order.map { before[$0] },
      after: order.map { after[$0] },
      mode: mode,
      value: value
    )
    try into.defineImage(call, op, [image])
    return
  }
  let op = Pad(before: before, after: after, mode: mode, value: value)
  try into.define(call, op, [into.plain(call.input(0))])
}

private func readStridedSlice(_ call: IRCall, _ into: inout IRImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let begins = try into.integers(call, 1)
  let ends = try into.integers(call, 2)
  let steps = call.has(3) ? try into.integers(call, 3) : begins.map { _ in 1 }
  func mask(_ name: String) throws -> [Bool] {
    let bits = try call.ints(name) ?? []
    return begins.indices.map { bits.indices.contains($0) && bits[$0] == 1 }
  }
  let (ignoresBegin, ignoresEnd) = (try mask("begin_mask"), try mask("end_mask"))
  let (adds, shrinks) = (try mask("new_axis_mask"), try mask("shrink_axis_mask"))
  guard try !mask("ellipsis_mask").contains(true), !adds.contains(true),
    ends.count == begins.count, steps.count == begins.count, begins.count <= shape.rank,
    steps.allSatisfy({ $0 != 0 && (-1 << 31...1 << 31).contains($0) })
  else { throw call.unsupported("a mask of this kind") }
  var slice = Slice(begin: [], sizes: [], steps: [])
  var kept: [Int] = []
  for (axis, extent) in shape.dims.enumerated() {
    guard axis < begins.count else {
      slice.begin.append(0)
      slice.sizes.append(extent)
      slice.steps.append(1)
      kept.append(extent)
      continue
    }
    let step = shrinks[axis] ? 1 : steps[axis]
    func place(_ bound: Int) -> Int { bound < 0 ? bound &+ extent : bound }
    let limits = step > 0 ? 0...extent : -1...(extent - 1)
    func clamped(_ bound: Int) -> Int {
      min(max(place(bound), limits.lowerBound), limits.upperBound)
    }
    let first = ignoresBegin[axis] ? (step > 0 ? 0 : extent - 1) : clamped(begins[axis])
    let end: Int =
      if shrinks[axis] {
        first + 1
      } else if ignoresEnd[axis] {
        step > 0 ? extent : -1
      } else {
        clamped(ends[axis])
      }
    let span = step > 0 ? end - first : first - end
    let size = span <= 0 ? 0 : (span - 1) / abs(step) + 1
    slice.begin.append(size == 0 ? 0 : first)
    slice.sizes.append(size)
    slice.steps.append(step)
    if !shrinks[axis] { kept.append(size) }
  }
  if shape.rank == 4, !shrinks.contains(true), let image = into.knownImage(call.input(0)) {
    let order = [0, 2, 3, 1]
    let turned = Slice(
      begin: order.map { slice.begin[$0] },
      sizes: order.map { slice.sizes[$0] },
      steps: order.map { slice.steps[$0] }
    )
    try into.defineImage(call, turned, [image])
    return
  }
  let x = try into.plain(call.input(0))
  guard shrinks.contains(true) else { return try into.define(call, slice, [x]) }
  let part = try into.step(call, "slice", slice, [x])
  try into.define(call, Reshape(kept), [part])
}

private func readSplit(_ call: IRCall, _ into: inout IRImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let axis = try into.axis(call, 1)
  var sizes: [Int]
  if call.layer.type == "Split" {
    let count = try call.int("num_splits", default: call.outputs.count)
    guard count > 0, shape[axis] % count == 0 else { throw call.unsupported("num_splits") }
    sizes = [Int](repeating: shape[axis] / count, count: count)
  } else {
    sizes = try into.integers(call, 2)
    if let open = sizes.firstIndex(of: -1) {
      sizes[open] = 0
      sizes[open] = shape[axis] &- sizes.reduce(0, &+)
    }
  }
  guard sizes.count == call.outputs.count else { throw call.unsupported("\(sizes)") }
  if shape.rank == 4, let image = into.knownImage(call.input(0)) {
    let names = call.outputs.map { into.valueName($0, "nhwc") }
    let op = Split(axis: [0, 3, 1, 2][axis], sizes: sizes)
    let parts = try into.addNode(call.layer.name, op, [image], names)
    for (name, id) in zip(call.outputs, parts) { into.twins.place(name, image: id) }
    return
  }
  try into.define(call, Split(axis: axis, sizes: sizes), [into.plain(call.input(0))])
}

private func readGather(_ call: IRCall, _ into: inout IRImporter) throws {
  let axis = try into.axis(call, 2)
  guard try call.int("batch_dims", default: 0) == 0 else { throw call.unsupported("batch_dims") }
  if let list = into.constant(call.input(0)), list.shape.rank == 1,
    let places = into.constant(call.input(1)), list.dtype.isInteger, axis == 0
  {
    // Arithmetic on shapes.
    let elements = list.integers()
    let picked = try places.integers().map { place -> Int64 in
      let index = place < 0 ? place + elements.count : place
      guard elements.indices.contains(index) else { throw call.unsupported("place \(place)") }
      return Int64(elements[index])
    }
    let tensor = Tensor(picked, places.shape, dtype: .int64)
    into.defineConstant(call, tensor.converted(to: list.dtype) ?? tensor)
    return
  }
  try into.define(call, Gather(axis: axis), [into.plain(call.input(0)), into.plain(call.input(1))])
}
