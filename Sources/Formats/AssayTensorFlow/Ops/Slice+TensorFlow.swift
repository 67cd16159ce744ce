import AssayBase
import AssayGraph
import AssayTensor

let sliceReaders: [String: TFReader] = [
  "Slice": readSlice,
  "StridedSlice": readStridedSlice,
  "Split": readSplit,
  "SplitV": readSplitV,
  "Unpack": readUnpack,
]

private func readSlice(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let shape = into.graph[x].type.shape
  let begin = try into.integers(call, 1)
  var sizes = try into.integers(call, 2)
  guard begin.count == shape.rank, sizes.count == shape.rank else {
    throw call.unsupported("\(begin.count) beginnings for \(shape)")
  }
  for axis in sizes.indices where sizes[axis] == -1 { sizes[axis] = shape[axis] &- begin[axis] }
  if sizes == shape.dims { return [.tensor(x)] }
  return try into.emit(call, Slice(begin: begin, sizes: sizes), [x])
}

/// StridedSlice by NumPy's rules; the masks are bits by position in the lists.
private func readStridedSlice(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let plan = try StridedSlicePlan(
    call,
    shape: into.graph[x].type.shape,
    begin: try into.integers(call, 1),
    end: try into.integers(call, 2),
    steps: try into.integers(call, 3)
  )
  let isWhole =
    plan.slice.sizes == into.graph[x].type.shape.dims && plan.slice.steps.allSatisfy { $0 == 1 }
  let cut =
    isWhole
    ? x
    : try into.add(
      plan.shape == plan.slice.sizes ? call.name : "\(call.name)/cut",
      plan.slice,
      [x]
    )[0]
  return [.tensor(try into.reshaped(call, cut, to: plan.shape))]
}

/// A strided slice as a Slice and the shape that its result gets.
private struct StridedSlicePlan {
  var slice: Slice
  var shape: [Int] = []

  init(_ call: TFCall, shape input: Shape, begin: [Int], end: [Int], steps: [Int]) throws {
    let count = begin.count
    guard end.count == count, steps.count == count, count < 32 else {
      throw call.unsupported("\(count) beginnings, \(end.count) ends and \(steps.count) steps")
    }
    func isSet(_ mask: String, _ position: Int) -> Bool { call.int(mask) >> position & 1 == 1 }
    let added = (0..<count).filter { isSet("new_axis_mask", $0) }.count
    let ellipsis = (0..<count).first { isSet("ellipsis_mask", $0) }
    let named = count - added - (ellipsis == nil ? 0 : 1)
    guard named <= input.rank else { throw call.unsupported("\(named) axes of \(input)") }
    var (starts, sizes, strides): ([Int], [Int], [Int]) = ([], [], [])
    func keep(_ number: Int) -> [Int] {
      var kept: [Int] = []
      for _ in 0..<number {
        let extent = input[starts.count]
        starts.append(0)
        sizes.append(extent)
        strides.append(1)
        kept.append(extent)
      }
      return kept
    }
    for position in 0..<count {
      if position == ellipsis {
        shape += keep(input.rank - named)
      } else if isSet("new_axis_mask", position) {
        shape.append(1)
      } else {
        let extent = input[starts.count]
        if isSet("shrink_axis_mask", position) {
          let index = begin[position] < 0 ? begin[position] &+ extent : begin[position]
          guard (0..<extent).contains(index) else {
            throw call.unsupported("element \(begin[position]) of \(input)")
          }
          starts.append(index)
          sizes.append(1)
          strides.append(1)
          continue
        }
        let range = try Self.range(
          call,
          extent: extent,
          begin: isSet("begin_mask", position) ? nil : begin[position],
          end: isSet("end_mask", position) ? nil : end[position],
          step: steps[position]
        )
        starts.append(range.start)
        sizes.append(range.count)
        strides.append(steps[position])
        shape.append(range.count)
      }
    }
    shape += keep(input.rank - starts.count)
    slice = Slice(begin: starts, sizes: sizes, steps: strides)
  }

  private static func range(
    _ call: TFCall,
    extent: Int,
    begin: Int?,
    end: Int?,
    step: Int
  ) throws -> (start: Int, count: Int) {
    guard step != 0, abs(step) < 1 << 31 else { throw call.unsupported("a step of \(step)") }
    let (low, high) = step > 0 ? (0, extent) : (-1, extent - 1)
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index &+ extent : index, low), high) }
    let start = begin.map(clamped) ?? (step > 0 ? low : high)
    let stop = end.map(clamped) ?? (step > 0 ? high : low)
    let span = step > 0 ? stop - start : start - stop
    let count = span <= 0 ? 0 : (span + abs(step) - 1) / abs(step)
    return (count == 0 ? 0 : start, count)
  }
}

private func readSplit(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let axis = try into.integer(call, 0)
  let x = try into.tensor(call, 1)
  let count = call.int("num_split", default: 1)
  let shape = into.graph[x].type.shape
  guard let normalized = shape.normalized(axis: axis), (1..<1 << 16).contains(count),
    shape[normalized] % count == 0
  else { throw call.unsupported("\(count) parts of axis \(axis) of \(shape)") }
  if count == 1 { return [.tensor(x)] }
  let sizes = [Int](repeating: shape[normalized] / count, count: count)
  return try into.emit(call, Split(axis: normalized, sizes: sizes), [x])
}

private func readSplitV(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  var sizes = try into.integers(call, 1)
  let axis = try into.integer(call, 2)
  let shape = into.graph[x].type.shape
  guard let normalized = shape.normalized(axis: axis) else {
    throw call.unsupported("axis \(axis) of \(shape)")
  }
  if let open = sizes.firstIndex(of: -1) {
    sizes[open] = shape[normalized] &- sizes.reduce(1, &+)
  }
  if sizes.count == 1 { return [.tensor(x)] }
  return try into.emit(call, Split(axis: normalized, sizes: sizes), [x])
}

private func readUnpack(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  return try into.unstacked(call, x, axis: call.int("axis")).map { .tensor($0) }
}

extension TensorFlowImporter {
  /// The slices of a tensor along an axis, which goes away.
  mutating func unstacked(_ call: TFCall, _ id: ValueID, axis: Int) throws -> [ValueID] {
    let shape = graph[id].type.shape
    guard let axis = shape.normalized(axis: axis), shape[axis] < 1 << 16 else {
      throw call.unsupported("axis \(axis) of \(shape)")
    }
    var dims = shape.dims
    dims.remove(at: axis)
    let sizes = [Int](repeating: 1, count: shape[axis])
    if sizes.isEmpty { return [] }
    if sizes.count == 1 { return [try reshaped(call, id, to: dims)] }
    let parts = try add("\(call.name)/parts", Split(axis: axis, sizes: sizes), [id])
    return try parts.enumerated().map { index, part in
      try reshaped(call, part, to: dims, as: index == 0 ? nil : "\(index)")
    }
  }
}

// MARK: - Export

extension Slice: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    if steps.allSatisfy({ $0 == 1 }) {
      return [
        file.add(
          "Slice",
          node.name,
          [file.input(node, 0), file.integers(begin), file.integers(sizes)],
          ["T": node.type, "Index": .type(.int32)]
        )
      ]
    }
    var ends = zip(zip(begin, sizes), steps).map { $0.0 + $0.1 * $1 }
    var endMask: Int64 = 0
    for axis in ends.indices where ends[axis] < 0 {
      // Before the first element there is no number to name the end by.
      ends[axis] = 0
      endMask |= 1 << Int64(axis)
    }
    return [
      file.add(
        "StridedSlice",
        node.name,
        [
          file.input(node, 0), file.integers(begin), file.integers(ends), file.integers(steps),
        ],
        ["T": node.type, "Index": .type(.int32), "end_mask": .int(endMask)]
      )
    ]
  }
}

extension Split: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let name = file.add(
      "SplitV",
      node.name,
      [file.input(node, 0), file.integers(sizes), file.integers([axis], [])],
      ["T": node.type, "Tlen": .type(.int32), "num_split": .int(Int64(sizes.count))]
    )
    return file.outputs(of: name, sizes.count)
  }
}
