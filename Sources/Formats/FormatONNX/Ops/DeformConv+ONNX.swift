import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// DeformConv: the taps of a convolution at places that the network computes.
///
/// Each tap is mixed of the pixels around it, the sums over taps and channels are a product with the filter.
let deformConvReaders: [String: ONNXReader] = ["DeformConv": readDeformConv]

private func readDeformConv(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let filter = try into.type(call.input(1)).shape
  let groups = call.int("group", default: 1)
  let offsetGroups = call.int("offset_group", default: 1)
  guard shape.rank == 4, filter.rank == 4, groups > 0, offsetGroups > 0,
    shape[1] == filter[1] &* groups, shape[1] % offsetGroups == 0, filter[0] % groups == 0
  else { throw call.unsupported("a filter \(filter) for \(shape)") }
  let window = try CallWindowND(call, image: shape, kernel: [filter[2], filter[3]])
  let (height, width) = (window.output[0], window.output[1])
  let taps = filter[2] * filter[3]
  guard taps * height * width <= 1 << 22 else { throw call.unsupported("\(shape)") }
  // Where the taps lie before they are moved, y first, tap by tap.
  var base: [Double] = []
  for tap in 0..<taps {
    let (row, column) = (
      tap / filter[3] * window.dilations[0], tap % filter[3] * window.dilations[1]
    )
    for y in 0..<height {
      for x in 0..<width {
        base.append(Double(y * window.strides[0] - window.before[0] + row))
        base.append(Double(x * window.strides[1] - window.before[1] + column))
      }
    }
  }
  let image = try into.image(call.input(0))
  let dtype = into.dtype(image)
  let size: Shape = [1, 1, taps, height, width, 2]
  let places = into.constant(call, base, size, dtype)
  let split = [shape[0], offsetGroups, taps, 2, height, width]
  let given = try into.reshaped(call, into.plain(call.input(2)), split)
  let moved = try into.turned(call, given, [0, 1, 2, 4, 5, 3])
  let positions = try into.binary(call, .add, moved, places)

  var mask: ValueID?
  if call.has(4) {
    let dims = [shape[0], offsetGroups, taps, height, width, 1]
    mask = try into.reshaped(call, into.plain(call.input(4)), dims)
  }
  let channels = shape[1] / offsetGroups
  var sampled: [ValueID] = []
  for group in 0..<offsetGroups {
    func own(_ id: ValueID, _ dims: [Int]) throws -> ValueID {
      let part = try into.sliced(call, id, axis: 1, group..<group + 1)
      return try into.reshaped(call, part, dims)
    }
    let points = try own(positions, [shape[0], taps * height * width, 2])
    let range = group * channels..<(group + 1) * channels
    let source = offsetGroups == 1 ? image : try into.sliced(call, image, axis: 3, range)
    var values = try into.sampled(call, source, points)
    if let mask {
      let weights = try own(mask, [shape[0], taps * height * width, 1])
      values = try into.binary(call, .multiply, values, weights)
    }
    sampled.append(try into.reshaped(call, values, [shape[0], taps, height, width, channels]))
  }
  let all = try into.joined(call, sampled, axis: 4)
  // Channels and taps last, as the filter has them.
  let columns = try into.turned(call, all, [0, 2, 3, 4, 1])
  let weights = try into.plain(call.input(1))
  var results: [ValueID] = []
  for group in 0..<groups {
    let range = group * filter[1]..<(group + 1) * filter[1]
    let part = groups == 1 ? columns : try into.sliced(call, columns, axis: 3, range)
    let rows = try into.reshaped(call, part, [shape[0], height, width, filter[1] * taps])
    let count = filter[0] / groups
    let own =
      groups == 1
      ? weights : try into.sliced(call, weights, axis: 0, group * count..<(group + 1) * count)
    let matrix = try into.reshaped(call, own, [count, filter[1] * taps])
    results.append(try into.step(call, "sum", FullyConnected(), [rows, matrix, nil]))
  }
  var result = try into.joined(call, results, axis: 3)
  if call.has(3) { result = try into.binary(call, .add, result, into.plain(call.input(3))) }
  into.conclude(call, try into.turned(call, result, [0, 3, 1, 2]))
}

extension GraphImporter {
  /// Images `[N, H, W, C]` at points `[N, P, 2]` (y, x, in pixels), zero outside: `[N, P, C]`.
  fileprivate mutating func sampled(
    _ call: OperatorCall,
    _ image: ValueID,
    _ points: ValueID
  ) throws -> ValueID {
    let (size, count) = (shape(image), shape(points)[1])
    let pixels = try reshaped(call, image, [size[0], size[1] * size[2], size[3]])
    let extents = [size[1], size[2]]
    // Along each axis both neighbours' pixels and weights.
    let sides = try (0..<2).map { axis -> [(pixel: ValueID, weight: ValueID)] in
      let part = try sliced(call, points, axis: 2, axis..<axis + 1)
      let below = try unary(call, .floor, part)
      return try (0..<2).map { side in
        let pixel = side == 0 ? below : try binary(call, .add, below, 1)
        let distance = try unary(call, .abs, binary(call, .subtract, part, pixel))
        let nearness = try unary(call, .negative, binary(call, .subtract, distance, 1))
        let low = try binary(call, .maximum, pixel, 0)
        let inside = try binary(call, .minimum, low, Double(extents[axis] - 1))
        let isInside = try binary(call, .equal, inside, pixel)
        let weight = try choice(call, isInside, nearness, scalar(0, dtype(nearness)))
        return (inside, weight)
      }
    }
    var sum: ValueID?
    for row in sides[0] {
      for column in sides[1] {
        let start = try binary(call, .multiply, row.pixel, Double(size[2]))
        let place = try cast(call, binary(call, .add, start, column.pixel), .int64)
        var values: ValueID
        if size[0] == 1 {
          let flat = try reshaped(call, pixels, [size[1] * size[2], size[3]])
          let indices = try reshaped(call, place, [count])
          values = try step(call, "pixels", Gather(axis: 0), [flat, indices])
          values = try reshaped(call, values, [1, count, size[3]])
        } else {
          values = try step(call, "pixels", GatherND(batchAxes: 1), [pixels, place])
        }
        let weight = try binary(call, .multiply, row.weight, column.weight)
        let term = try binary(call, .multiply, values, weight)
        sum = try sum.map { try binary(call, .add, $0, term) } ?? term
      }
    }
    guard let sum else { throw call.unsupported("an empty image") }
    return sum
  }
}
