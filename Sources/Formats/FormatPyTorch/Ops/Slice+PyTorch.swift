import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let sliceReaders: [String: ATenReader] = [
  "slice": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: 0)
    let extent = try into.type(input).shape[axis]
    let step = try call.int("step", default: 1)
    func bound(_ key: String, _ value: Int) throws -> Int {
      let given = try call.int(key, default: value)
      return min(max(given < 0 ? given + extent : given, 0), extent)
    }
    let (start, end) = (try bound("start", 0), try bound("end", extent))
    guard step > 0 else { throw call.unsupported("a step of \(step)") }
    let count = max(end - start + step - 1, 0) / step
    try into.definePart(call, input, axis: axis, start: start, count: count, step: step)
  },
  "narrow": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input)
    let start = try call.int("start")
    let extent = try into.type(input).shape[axis]
    try into.definePart(
      call,
      input,
      axis: axis,
      start: start < 0 ? start + extent : start,
      count: call.int("length")
    )
  },
  "select": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input)
    let extent = try into.type(input).shape[axis]
    let index = try call.int("index")
    try into.definePart(
      call,
      input,
      axis: axis,
      start: index < 0 ? index + extent : index,
      count: 1,
      dropsAxis: true
    )
  },
  "split": { call, into in
    let size = try call.ints("split_size") ?? []
    try into.defineParts(call, sizes: size.count == 1 ? nil : size, each: size.first ?? 0)
  },
  "split_with_sizes": { call, into in
    try into.defineParts(call, sizes: call.ints("split_sizes") ?? [], each: 0)
  },
  "chunk": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: 0)
    let count = max(try call.int("chunks"), 1)
    let extent = try into.type(input).shape[axis]
    try into.defineParts(call, sizes: nil, each: max((extent + count - 1) / count, 1))
  },
  "unbind": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: 0)
    for (index, output) in call.outputs.enumerated() {
      let part = call.with([:], outputs: [output])
      try into.definePart(part, input, axis: axis, start: index, count: 1, dropsAxis: true)
    }
  },
  "cat": readConcat, "concat": readConcat, "concatenate": readConcat,
  "stack": { call, into in
    let names = try call.tensors("tensors")
    guard let first = names.first else { throw call.unsupported("no tensor") }
    let shape = try into.type(first).shape
    let axis = try into.axis(call.int("dim", default: 0), rank: shape.rank + 1, call)
    let dtype = try into.declaredType(call.output)
    let dims = Array(shape.dims[..<axis] + [1] + shape.dims[axis...])
    let rows = try names.enumerated().map { index, name -> ValueID? in
      var id = try into.plain(name)
      if let dtype { id = try into.cast(id, to: dtype, call) }
      return try into.step(call, "row\(index)", Reshape(dims), [id])
    }
    try into.define(call, Concat(axis: axis), rows)
  },
  "flip": { call, into in
    let input = try call.tensor("self")
    let rank = try into.type(input).shape.rank
    let axes = try (call.ints("dims") ?? []).map { try into.axis($0, rank: rank, call) }
    if let image = into.knownImage(input) {
      let turned = axes.map { ProgramImporter.imageAxis($0) }
      try into.defineImage(call, Reverse(axes: turned), [image])
    } else {
      try into.define(call, Reverse(axes: axes), [try into.plain(input)])
    }
  },
  "roll": readRoll,
  "glu": { call, into in
    let input = try call.tensor("self")
    let axis = try into.axis(call, "dim", of: input, default: -1)
    let (id, along, isImage) = try into.alongAxis(input, axis)
    let shape = into.graph[id].type.shape
    guard shape[along] % 2 == 0 else { throw call.unsupported("an odd extent") }
    let half = shape[along] / 2
    let value = try into.step(call, "value", part(shape, along, 0, half), [id])
    let gate = try into.step(call, "gate", part(shape, along, half, half), [id])
    let factor = try into.step(call, "factor", Unary(.sigmoid), [gate])
    try into.define(call, Binary(.multiply), [value, factor], areImages: isImage)
  },
]

private func part(_ shape: Shape, _ axis: Int, _ start: Int, _ count: Int, _ step: Int = 1) -> Slice
{
  var begin = [Int](repeating: 0, count: shape.rank)
  var sizes = shape.dims
  var steps = [Int](repeating: 1, count: shape.rank)
  begin[axis] = start
  sizes[axis] = count
  steps[axis] = step
  return Slice(begin: begin, sizes: sizes, steps: steps)
}

extension ProgramImporter {
  /// Makes the call's output a part of a tensor.
  fileprivate mutating func definePart(
    _ call: ATenCall,
    _ input: String,
    axis: Int,
    start: Int,
    count: Int,
    step stride: Int = 1,
    dropsAxis: Bool = false
  ) throws {
    let shape = try type(input).shape
    guard shape.rank > 0, count >= 0, start >= 0, start <= shape[axis],
      count == 0 || (count - 1) <= (shape[axis] - 1 - start) / stride
    else { throw call.unsupported("elements from \(start), \(count) of \(shape)") }
    if start == 0, count == shape[axis], stride == 1, !dropsAxis {
      try alias(call, to: input)
      if views[input] == nil { views[call.output] = views[input] }
      return
    }
    views[call.output] = TensorView(
      base: input,
      axis: axis,
      start: start,
      count: count,
      step: stride,
      dropsAxis: dropsAxis
    )
    if dropsAxis {
      let id = try step(call, "row", part(shape, axis, start, count), [plain(input)])
      var dims = shape.dims
      dims.remove(at: axis)
      try define(call, Reshape(dims), [id])
      return
    }
    let (id, along, isImage) = try alongAxis(input, axis)
    let op = part(graph[id].type.shape, along, start, count, stride)
    try define(call, op, [id], areImages: isImage)
  }

  /// Makes the call's outputs the parts of a tensor, of these sizes or of one size but for the last.
  fileprivate mutating func defineParts(_ call: ATenCall, sizes: [Int]?, each: Int) throws {
    let input = try call.tensor("self")
    let axis = try axis(call, "dim", of: input, default: 0)
    let extent = try type(input).shape[axis]
    var parts = sizes ?? []
    if sizes == nil {
      guard each > 0 else { throw call.unsupported("parts of \(each)") }
      parts = Swift.stride(from: 0, to: extent, by: each).map { min(each, extent - $0) }
    }
    guard parts.count == call.outputs.count, parts.allSatisfy({ $0 >= 0 }),
      parts.reduce(0, &+) == extent
    else { throw call.unsupported("parts of \(parts) of \(extent)") }
    if parts.count == 1 {
      try alias(call, to: input)
      return
    }
    var start = 0
    for (output, size) in zip(call.outputs, parts) {
      views[output] = TensorView(
        base: input,
        axis: axis,
        start: start,
        count: size,
        step: 1,
        dropsAxis: false
      )
      start += size
    }
    let (id, along, isImage) = try alongAxis(input, axis)
    try define(call, Split(axis: along, sizes: parts), [id], areImages: isImage)
  }
}

private func readConcat(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  var names = try call.tensors("tensors")
  let dtype = try into.declaredType(call.output)
  // PyTorch lets an empty row be joined with anything.
  names = try names.filter { try into.type($0).shape.dims != [0] }
  guard let first = names.first else { throw call.unsupported("no tensor") }
  let rank = try into.type(first).shape.rank
  let axis = try into.axis(call.int("dim", default: 0), rank: rank, call)
  if names.count == 1 {
    try into.alias(call, to: first)
    return
  }
  let areImages = rank == 4 && names.contains { into.isImage($0) }
  let ids = try names.map { name -> ValueID? in
    let id = try areImages ? into.image(name) : into.plain(name)
    return try dtype.map { try into.cast(id, to: $0, call) } ?? id
  }
  let along = areImages ? ProgramImporter.imageAxis(axis) : axis
  try into.define(call, Concat(axis: along), ids, areImages: areImages)
}

/// Elements that leave an axis at its end come back at its beginning.
private func readRoll(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let input = try call.tensor("self")
  let shape = try into.type(input).shape
  let shifts = try call.ints("shifts") ?? []
  let given = try call.ints("dims") ?? []
  guard !given.isEmpty, given.count == shifts.count else {
    throw call.unsupported("shifts \(shifts) along \(given)")
  }
  let image = into.knownImage(input)
  var current = try image ?? into.plain(input)
  for (index, (shift, dim)) in zip(shifts, given).enumerated() {
    let axis = try into.axis(dim, rank: shape.rank, call)
    let along = image == nil ? axis : ProgramImporter.imageAxis(axis)
    let type = into.graph[current].type.shape
    let extent = type[along]
    guard extent > 0, shift > Int.min else { continue }
    let amount = ((shift % extent) + extent) % extent
    if amount == 0 { continue }
    let tail = try into.step(
      call,
      "tail\(index)",
      part(type, along, extent - amount, amount),
      [current]
    )
    let head = try into.step(call, "head\(index)", part(type, along, 0, extent - amount), [current])
    current = try into.step(call, "rolled\(index)", Concat(axis: along), [tail, head])
  }
  let dims = into.graph[current].type.shape.dims
  try into.define(call, Reshape(dims), [current], areImages: image != nil)
}
