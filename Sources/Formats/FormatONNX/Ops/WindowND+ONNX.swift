import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Window, strides, dilations and border of a call over an image `[N, C, …]` of any number of axes.
struct CallWindowND {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  var before: [Int]
  var after: [Int]
  /// The spatial extents of the output.
  var output: [Int]
  /// Elements behind the border that the last windows reach (ceil_mode).
  var overhang: [Int]

  init(_ call: OperatorCall, image: Shape, kernel given: [Int]? = nil) throws {
    let extents = Array(image.dims.dropFirst(2))
    guard let kernel = given ?? call.ints("kernel_shape"), kernel.count == extents.count else {
      throw call.unsupported("a window for \(image)")
    }
    func list(_ name: String) throws -> [Int] {
      let values = call.ints(name) ?? extents.map { _ in 1 }
      guard values.count == extents.count, values.allSatisfy({ (1..<1 << 20).contains($0) }) else {
        throw call.unsupported("\(name) \(values)")
      }
      return values
    }
    guard kernel.allSatisfy({ (1..<1 << 20).contains($0) }) else {
      throw call.unsupported("kernel_shape \(kernel)")
    }
    self.kernel = kernel
    strides = try list("strides")
    dilations = try list("dilations")
    let pads = call.ints("pads") ?? [Int](repeating: 0, count: extents.count * 2)
    guard pads.count == extents.count * 2, pads.allSatisfy({ (0..<1 << 20).contains($0) }) else {
      throw call.unsupported("pads \(pads)")
    }
    before = Array(pads.prefix(extents.count))
    after = Array(pads.suffix(extents.count))
    let autoPad = call.string("auto_pad", default: "NOTSET")
    let isCeiled = call.int("ceil_mode", default: 0) != 0
    output = []
    overhang = []
    for axis in extents.indices {
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      if autoPad.hasPrefix("SAME") {
        let count = (extents[axis] + strides[axis] - 1) / strides[axis]
        let total = max((count - 1) * strides[axis] + reach - extents[axis], 0)
        before[axis] = autoPad == "SAME_LOWER" ? total - total / 2 : total / 2
        after[axis] = total - before[axis]
      } else if autoPad == "VALID" {
        (before[axis], after[axis]) = (0, 0)
      } else if autoPad != "NOTSET", !autoPad.isEmpty {
        throw call.unsupported("auto_pad \(autoPad)")
      }
      let span = extents[axis] + before[axis] + after[axis] - reach
      guard span >= 0 else { throw call.unsupported("a window larger than the image \(image)") }
      var count = span / strides[axis] + 1
      if isCeiled, span % strides[axis] != 0 {
        // A window that would begin behind the image and its first border is left out.
        if count * strides[axis] < extents[axis] + before[axis] { count += 1 }
      }
      output.append(count)
      overhang.append(max((count - 1) * strides[axis] - span, 0))
    }
  }

  /// The positions of each window's taps on an axis with its borders, window by window.
  func taps(_ axis: Int) -> [Int] {
    (0..<output[axis]).flatMap { window in
      (0..<kernel[axis]).map { window * strides[axis] + $0 * dilations[axis] }
    }
  }
}

extension GraphImporter {
  /// Every window's elements: `[N, C, outputs…, taps…]`, with `fill` in borders.
  func windowBorder(_ window: CallWindowND, fill: Float) -> Pad {
    Pad(
      before: [0, 0] + window.before,
      after: [0, 0] + zip(window.after, window.overhang).map { $0 + $1 },
      value: fill
    )
  }

  /// Every window's elements: `[N, C, outputs…, taps]`, with `fill` in borders.
  mutating func windows(
    _ call: OperatorCall,
    _ x: ValueID,
    _ window: CallWindowND,
    fill: Float
  ) throws -> ValueID {
    let shape = shape(x)
    let axes = window.kernel.count
    var result = x
    let border = windowBorder(window, fill: fill)
    if (border.before + border.after).contains(where: { $0 > 0 }) {
      result = try step(call, "padded", border, [result])
    }
    for axis in 0..<axes {
      let size: Shape = [window.output[axis], window.kernel[axis]]
      result = try gathered(call, result, axis: 2 + axis * 2, window.taps(axis), shape: size)
    }
    let order = [0, 1] + (0..<axes).map { 2 + $0 * 2 } + (0..<axes).map { 3 + $0 * 2 }
    result = try turned(call, result, order)
    let taps = window.kernel.reduce(1, *)
    return try reshaped(call, result, [shape[0], shape[1]] + window.output + [taps])
  }
}

/// A pool that no operator of a Graph computes: dilated, with positions, of powers.
func readGatheredPool(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ kind: Pool2D.Kind
) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  guard shape.rank >= 3 else { throw call.unsupported("an image of \(shape)") }
  let window = try CallWindowND(call, image: shape)
  let dtype = into.dtype(x)
  let lowest: Float = dtype.integerRange.map { Float($0.lowerBound) } ?? -.infinity
  let elements = try into.windows(call, x, window, fill: kind == .max ? lowest : 0)
  let last = into.shape(elements).rank - 1
  guard kind == .max else {
    let sum = try into.reduced(call, .sum, elements, [last], keeps: false)
    let counts = counts(window, shape, includesPads: call.int("count_include_pad", default: 0) != 0)
    let divisor = into.constant(call, counts, Shape(window.output), dtype)
    into.conclude(call, try into.binary(call, .divide, sum, divisor))
    return
  }
  into.conclude(call, try into.reduced(call, .max, elements, [last], keeps: false))
  guard into.wants(call, 1) else { return }
  // The greatest tap of each window, and by a table its place in the whole image.
  let best = try into.step(call, "tap", ArgReduce(.max, axis: last), [elements])
  let places = places(window, shape, isColumnMajor: call.int("storage_order", default: 0) != 0)
  let taps = window.kernel.reduce(1, *)
  let windowCount = window.output.reduce(1, *)
  let rows = (0..<windowCount).map { Double($0 * taps) }
  let firsts = into.constant(call, rows, Shape(window.output), .int64)
  let entry = try into.binary(call, .add, best, firsts)
  let table = into.constant(call, places.map { Double($0) }, [places.count], .int64)
  let inImage = try into.step(call, "place", Gather(axis: 0), [table, entry])
  let area = shape.dims.dropFirst(2).reduce(1, *)
  let images = (0..<shape[0] * shape[1]).map { Double($0 * area) }
  let ones = [Int](repeating: 1, count: window.output.count)
  let base = into.constant(call, images, Shape([shape[0], shape[1]] + ones), .int64)
  into.conclude(call, try into.binary(call, .add, inImage, base), output: 1)
}

/// How many elements each window averages.
private func counts(_ window: CallWindowND, _ shape: Shape, includesPads: Bool) -> [Double] {
  var result = [1.0]
  for axis in window.kernel.indices {
    let extent = shape[axis + 2]
    let low = includesPads ? 0 : window.before[axis]
    let high = extent + window.before[axis] + (includesPads ? window.after[axis] : 0)
    let taps = window.taps(axis)
    let inside = (0..<window.output[axis]).map { position in
      let range = position * window.kernel[axis]..<(position + 1) * window.kernel[axis]
      return Double(taps[range].filter { (low..<high).contains($0) }.count)
    }
    result = result.flatMap { first in inside.map { first * $0 } }
  }
  return result.map { max($0, 1) }
}

/// The place of each window's taps in an image, taps innermost; those in borders are 0.
private func places(_ window: CallWindowND, _ shape: Shape, isColumnMajor: Bool) -> [Int] {
  let extents = Array(shape.dims.dropFirst(2))
  var steps = Shape(extents).strides
  if isColumnMajor {
    steps = Array(Shape(extents.reversed()).strides.reversed())
  }
  var windows = [[Int]]([[]])
  for axis in extents.indices {
    windows = windows.flatMap { start in (0..<window.output[axis]).map { start + [$0] } }
  }
  var taps = [[Int]]([[]])
  for axis in extents.indices {
    taps = taps.flatMap { start in (0..<window.kernel[axis]).map { start + [$0] } }
  }
  return windows.flatMap { position in
    taps.map { tap in
      var place = 0
      for axis in extents.indices {
        let coordinate =
          position[axis] * window.strides[axis] + tap[axis] * window.dilations[axis]
          - window.before[axis]
        guard (0..<extents[axis]).contains(coordinate) else { return 0 }
        place += coordinate * steps[axis]
      }
      return place
    }
  }
}

let gatheredPoolReaders: [String: ONNXReader] = [
  "LpPool": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let window = try CallWindowND(call, image: shape)
    let p = Double(call.int("p", default: 2))
    let powers = try power(call, x, p, &into)
    let elements = try into.windows(call, powers, window, fill: 0)
    let last = into.shape(elements).rank - 1
    let sum = try into.reduced(call, .sum, elements, [last], keeps: false)
    into.conclude(call, try power(call, sum, 1 / p, &into))
  },
  "GlobalLpPool": { call, into in
    let x = try into.plain(call.input(0))
    let p = Double(call.int("p", default: 2))
    let powers = try power(call, x, p, &into)
    let axes = Array(2..<max(into.shape(x).rank, 2))
    let sum = try into.reduced(call, .sum, powers, axes)
    into.conclude(call, try power(call, sum, 1 / p, &into))
  },
  "MaxUnpool": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let kernel = call.ints("kernel_shape") ?? []
    let strides = call.ints("strides") ?? kernel.map { _ in 1 }
    let pads = call.ints("pads") ?? (kernel + kernel).map { _ in 0 }
    guard kernel.count == shape.rank - 2, strides.count == kernel.count,
      pads.count == 2 * kernel.count
    else { throw call.unsupported("a window for \(shape)") }
    var dims = Array(shape.dims.prefix(2))
    for axis in kernel.indices {
      let full = (shape[axis + 2] - 1) * strides[axis] + kernel[axis]
      dims.append(full - pads[axis] - pads[axis + kernel.count])
    }
    guard dims.allSatisfy({ (0..<1 << 24).contains($0) }) else { throw call.unsupported("\(dims)") }
    let count = dims.reduce(1, *)
    guard count <= 1 << 24 else { throw call.unsupported("\(dims)") }
    let dtype = into.dtype(x)
    let empty = into.constant(call, [Double](repeating: 0, count: count), [count], dtype)
    let places = try into.reshaped(call, into.plain(call.input(1)), [shape.count, 1])
    let values = try into.reshaped(call, x, [shape.count])
    let flat = try into.step(call, "scattered", ScatterND(), [empty, places, values])
    var result = try into.reshaped(call, flat, dims)
    if call.has(2) {
      let wanted = try into.integers(call.input(2), call)
      guard wanted.count == dims.count, zip(wanted, dims).allSatisfy({ $0 >= $1 }) else {
        throw call.unsupported("output_shape \(wanted)")
      }
      let rest = zip(wanted, dims).map { $0 - $1 }
      let border = Pad(before: dims.map { _ in 0 }, after: rest)
      result = try into.step(call, "padded", border, [result])
    }
    into.conclude(call, result)
  },
  "Col2Im": readCol2Im,
]

private func power(
  _ call: OperatorCall,
  _ x: ValueID,
  _ p: Double,
  _ into: inout GraphImporter
) throws -> ValueID {
  let size = p == 1 ? x : try into.unary(call, .abs, x)
  switch p {
  case 1: return try into.unary(call, .abs, size)
  case 2: return try into.unary(call, .square, x)
  case 0.5: return try into.unary(call, .sqrt, x)
  default: return try into.binary(call, .power, size, p)
  }
}

/// Col2Im: the columns of blocks added up to an image.
private func readCol2Im(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  let image = try into.integers(call.input(1), call)
  let block = try into.integers(call.input(2), call)
  let taps = block.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
  guard shape.rank == 3, image.count == block.count, taps > 0, shape[1] % taps == 0,
    image.allSatisfy({ (1..<1 << 20).contains($0) })
  else { throw call.unsupported("\(shape) to \(image) in blocks of \(block)") }
  let channels = shape[1] / taps
  let frame = Shape([1, 1] + image)
  let window = try CallWindowND(call, image: frame, kernel: block)
  guard window.output.reduce(1, *) == shape[2], frame.count <= 1 << 22 else {
    throw call.unsupported("\(shape[2]) blocks")
  }
  let padded = zip(image, zip(window.before, window.after)).map { $0 + $1.0 + $1.1 }
  let strides = Shape(padded).strides
  // Where each tap of each block lies in the padded image.
  var places = [0]
  for axis in block.indices {
    let offsets = (0..<block[axis]).map { $0 * window.dilations[axis] * strides[axis] }
    places = places.flatMap { start in offsets.map { start + $0 } }
  }
  var starts = [0]
  for axis in block.indices {
    let offsets = (0..<window.output[axis]).map { $0 * window.strides[axis] * strides[axis] }
    starts = starts.flatMap { start in offsets.map { start + $0 } }
  }
  let all = places.flatMap { place in starts.map { place + $0 } }
  let indices = Tensor(all.map { Int64($0) }, [all.count, 1], dtype: .int64)
  let table = into.addConstant(into.valueName("\(call.output)/places"), indices)
  // Blocks first, so that each place takes a row of all images and channels.
  let rows = shape[0] * channels
  let split = try into.reshaped(call, x, [rows, taps * shape[2]])
  let turned = try into.turned(call, split, [1, 0])
  let count = padded.reduce(1, *)
  guard count <= 1 << 22 else { throw call.unsupported("\(padded)") }
  let zeros = [Double](repeating: 0, count: count * rows)
  let empty = into.constant(call, zeros, [count, rows], into.dtype(x))
  let sum = try into.step(call, "sum", ScatterND(.add), [empty, table, turned])
  let back = try into.turned(call, sum, [1, 0])
  let whole = try into.reshaped(call, back, [shape[0], channels] + padded)
  let crop = AssayGraph.Slice(
    begin: [0, 0] + window.before,
    sizes: [shape[0], channels] + image
  )
  let isWhole = image == padded
  into.conclude(call, isWhole ? whole : try into.step(call, "image", crop, [whole]))
}
