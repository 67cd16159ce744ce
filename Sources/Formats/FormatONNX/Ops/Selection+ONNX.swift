import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

// Operators whose output's shape depends on what they read: it must be known at import.

let selectionReaders: [String: ONNXReader] = [
  "NonZero": { call, into in
    let tensor = try into.known(call.input(0), call)
    let values = tensor.floats()
    let strides = tensor.shape.strides
    let found = values.indices.filter { values[$0] != 0 }
    let coordinates = tensor.shape.dims.indices.flatMap { axis in
      found.map { Int64($0 / strides[axis] % tensor.shape.dims[axis]) }
    }
    let shape: Shape = [tensor.shape.rank, found.count]
    into.defineConstant(call, Tensor(coordinates, shape, dtype: .int64))
  },
  "Compress": { call, into in
    let condition = try into.known(call.input(1), call).integers()
    let chosen = condition.indices.filter { condition[$0] != 0 }
    var x = try into.plain(call.input(0))
    var axis = 0
    if call.int("axis") == nil {
      x = try into.reshaped(call, x, [into.shape(x).count])
    } else {
      axis = try into.axis(call, into.shape(x), default: 0)
    }
    guard chosen.allSatisfy({ $0 < into.shape(x)[axis] }) else {
      throw call.unsupported("a condition longer than the axis")
    }
    into.conclude(call, try into.gathered(call, x, axis: axis, chosen))
  },
  "Unique": readUnique,
  "NonMaxSuppression": readNonMaxSuppression,
]

/// The different elements, or slices along an axis.
private func readUnique(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let given = try into.known(call.input(0), call)
  var tensor = given
  var axis = 0
  if call.int("axis") == nil {
    tensor = given.reshaped([given.count])
  } else {
    axis = try into.axis(call, given.shape, default: 0)
  }
  let count = tensor.shape[axis]
  var order = [axis] + tensor.shape.dims.indices.filter { $0 != axis }
  guard tensor.count <= 1 << 22, let rows = tensor.permuted(order) else {
    throw call.unsupported("\(tensor.type)")
  }
  let values =
    rows.dtype.isFloat ? rows.floats().map { Double($0) } : rows.integers().map { Double($0) }
  let length = count == 0 ? 0 : values.count / count
  let keys = (0..<count).map { Array(values[$0 * length..<($0 + 1) * length]) }
  var first: [[Double]: Int] = [:]
  for (index, key) in keys.enumerated() where first[key] == nil { first[key] = index }
  var kept = first.values.sorted()
  if call.int("sorted", default: 1) != 0 {
    kept.sort { keys[$0].lexicographicallyPrecedes(keys[$1]) }
  }
  var place: [[Double]: Int] = [:]
  for (number, index) in kept.enumerated() { place[keys[index]] = number }
  var counts = [Int64](repeating: 0, count: kept.count)
  let inverse = keys.map { key -> Int64 in
    let number = place[key] ?? 0
    counts[number] += 1
    return Int64(number)
  }
  let indices = Tensor(kept.map { Int64($0) }, [kept.count], dtype: .int64)
  order = []
  let picked = try ReferenceEvaluator.evaluate(Gather(axis: axis), [tensor, indices])[0]
  into.defineConstant(call, picked)
  let others = [
    indices, Tensor(inverse, [inverse.count], dtype: .int64),
    Tensor(counts, [counts.count], dtype: .int64),
  ]
  for (number, tensor) in others.enumerated() where into.wants(call, number + 1) {
    let id = into.addConstant(into.valueName(call.node.outputs[number + 1]), tensor)
    into.conclude(call, id, output: number + 1)
  }
}

/// NonMaxSuppression: how many boxes stay is part of the output's shape, so that boxes and scores must
/// be known.
private func readNonMaxSuppression(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let most = call.has(2) ? try into.integers(call.input(2), call).first ?? 0 : 0
  let overlap = call.has(3) ? try into.number(call.input(3), call) : 0
  let least = call.has(4) ? try into.number(call.input(4), call) : -.infinity
  let boxes = try into.known(call.input(0), call)
  let scores = try into.known(call.input(1), call)
  guard boxes.shape.rank == 3, scores.shape.rank == 3, boxes.shape[2] == 4,
    scores.shape[0] == boxes.shape[0], scores.shape[2] == boxes.shape[1], boxes.count <= 1 << 18,
    scores.shape[1] <= 1 << 12
  else { throw call.unsupported("boxes \(boxes.shape) with scores \(scores.shape)") }
  let count = boxes.shape[1]
  var corners = boxes.floats()
  if call.int("center_point_box", default: 0) != 0 {
    for box in 0..<boxes.shape[0] * count {
      let part = corners[box * 4..<box * 4 + 4].map { $0 }
      let (x, y, width, height) = (part[0], part[1], part[2], part[3])
      corners.replaceSubrange(
        box * 4..<box * 4 + 4,
        with: [y - height / 2, x - width / 2, y + height / 2, x + width / 2]
      )
    }
  }
  let values = scores.floats()
  let op = NonMaxSuppression(
    count: min(max(most, 0), count),
    overlapThreshold: overlap,
    scoreThreshold: least
  )
  var rows: [Int64] = []
  for image in 0..<scores.shape[0] {
    let part = Tensor(Array(corners[image * count * 4..<(image + 1) * count * 4]), [count, 4])
    for kind in 0..<scores.shape[1] {
      let start = (image * scores.shape[1] + kind) * count
      let own = Tensor(Array(values[start..<start + count]), [count])
      let made = try ReferenceEvaluator.evaluate(op, [part, own])
      let kept = made[2].integers().first ?? 0
      for box in made[0].integers().prefix(kept) {
        rows += [Int64(image), Int64(kind), Int64(box)]
      }
    }
  }
  into.defineConstant(call, Tensor(rows, [rows.count / 3, 3], dtype: .int64))
}
