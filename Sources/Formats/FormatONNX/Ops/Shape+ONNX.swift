import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Operators whose result follows from shapes and constants, and rearrangements given by them.

let shapeReaders: [String: ONNXReader] = [
  "Size": { call, into in
    let count = try into.type(call.input(0)).shape.count
    into.defineConstant(call, Tensor([Int64(count)], [], dtype: .int64))
  },
  "EyeLike": { call, into in
    let type = try into.type(call.input(0))
    var dtype = type.dtype
    if let number = call.int("dtype") {
      guard let given = DType(onnx: Int32(truncatingIfNeeded: number)) else {
        throw call.unsupported("dtype \(number)")
      }
      dtype = given
    }
    let offset = call.int("k", default: 0)
    guard type.shape.rank == 2, type.shape.count <= 1 << 22, abs(offset) < 1 << 31 else {
      throw call.unsupported("\(type)")
    }
    let columns = type.shape[1]
    let values = (0..<type.shape.count).map { index in
      index % columns - index / columns == offset ? 1.0 : 0
    }
    into.conclude(call, into.constant(call, values, type.shape, dtype))
  },
  "Range": { call, into in
    let numbers = try (0..<3).map { try into.known(call.input($0), call) }
    let dtype = numbers[0].dtype
    let values = numbers.map {
      $0.dtype.isFloat ? Double($0.floats().first ?? 0) : Double($0.integers().first ?? 0)
    }
    let count = ((values[1] - values[0]) / values[2]).rounded(.up)
    guard values[2] != 0, count < 0x1p22, !count.isNaN else {
      throw call.unsupported("\(values)")
    }
    let elements = (0..<max(Int(count), 0)).map { values[0] + Double($0) * values[2] }
    if dtype == .int64 {
      let integers = elements.map { Int64($0) }
      into.defineConstant(call, Tensor(integers, [integers.count], dtype: .int64))
      return
    }
    into.conclude(call, into.constant(call, elements, [elements.count], dtype))
  },
  "CenterCropPad": { call, into in
    var x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let wanted = try into.integers(call.input(1), call)
    let axes =
      call.ints("axes").map { $0.compactMap { shape.normalized(axis: $0) } }
      ?? Array(0..<shape.rank)
    guard axes.count == wanted.count, wanted.allSatisfy({ (0..<1 << 30).contains($0) }) else {
      throw call.unsupported("axes \(axes) to \(wanted)")
    }
    var (begin, sizes) = (shape.dims.map { _ in 0 }, shape.dims)
    var (before, after) = (begin, begin)
    for (axis, size) in zip(axes, wanted) {
      let rest = shape[axis] - size
      if rest > 0 {
        begin[axis] = rest / 2
        sizes[axis] = size
      } else {
        before[axis] = -rest / 2
        after[axis] = -rest - before[axis]
      }
    }
    if sizes != shape.dims {
      x = try into.step(call, "cropped", AssayGraph.Slice(begin: begin, sizes: sizes), [x])
    }
    if (before + after).contains(where: { $0 > 0 }) {
      x = try into.step(call, "padded", Pad(before: before, after: after), [x])
    }
    into.conclude(call, x)
  },
  "AffineGrid": { call, into in
    let theta = try into.plain(call.input(0))
    let size = try into.integers(call.input(1), call)
    let extents = Array(size.dropFirst(2))
    let axes = extents.count
    guard axes == 2 || axes == 3, extents.allSatisfy({ (1..<1 << 16).contains($0) }),
      extents.reduce(1, *) <= 1 << 20
    else { throw call.unsupported("size \(size)") }
    let alignsCorners = call.int("align_corners", default: 0) != 0
    func coordinate(_ index: Int, _ extent: Int) -> Double {
      alignsCorners
        ? (extent == 1 ? 0 : -1 + 2 * Double(index) / Double(extent - 1))
        : -1 + (2 * Double(index) + 1) / Double(extent)
    }
    // Each point's coordinates, the last axis first, and a one.
    let strides = Shape(extents).strides
    let points = extents.reduce(1, *)
    var table: [Double] = []
    for point in 0..<points {
      for axis in extents.indices.reversed() {
        table.append(coordinate(point / strides[axis] % extents[axis], extents[axis]))
      }
      table.append(1)
    }
    let grid = into.constant(call, table, [points, axes + 1], into.dtype(theta))
    let product = try into.product(call, grid, theta, transposesB: true)
    let batch = into.shape(theta)[0]
    into.conclude(call, try into.reshaped(call, product, [batch] + extents + [axes]))
  },
  "Det": { call, into in
    // By Leibniz's sum, for small matrices.
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let size = shape[-1]
    guard shape.rank >= 2, shape[-2] == size, (1...4).contains(size) else {
      throw call.unsupported("matrices of \(shape)")
    }
    let lead = Array(shape.dims.dropLast(2))
    let flat = try into.reshaped(call, x, lead + [size * size])
    var sum: ValueID?
    for (order, isOdd) in permutations(size) {
      let places = order.enumerated().map { $0.offset * size + $0.element }
      let factors = try into.gathered(call, flat, axis: lead.count, places)
      let term = try into.reduced(call, .product, factors, [lead.count], keeps: false)
      guard let known = sum else {
        sum = isOdd ? try into.unary(call, .negative, term) : term
        continue
      }
      sum = try into.binary(call, isOdd ? .subtract : .add, known, term)
    }
    if let sum { into.conclude(call, sum) }
  },
  "TfIdfVectorizer": readTermVector,
]

/// The orders of `count` places and whether each takes an odd number of swaps.
private func permutations(_ count: Int) -> [(order: [Int], isOdd: Bool)] {
  guard count > 1 else { return [([0], false)] }
  return permutations(count - 1).flatMap { order, isOdd in
    (0..<count).map { place in
      var longer = order
      longer.insert(count - 1, at: place)
      return (longer, isOdd != ((count - 1 - place) % 2 == 1))
    }
  }
}

/// TfIdfVectorizer over integers: how often each n-gram of the pool stands in a row.
private func readTermVector(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  guard let pool = call.ints("pool_int64s"), let starts = call.ints("ngram_counts"),
    let places = call.ints("ngram_indexes"), shape.rank == 1 || shape.rank == 2,
    into.dtype(x).isInteger
  else { throw call.unsupported("a pool of text") }
  let least = call.int("min_gram_length", default: 1)
  let most = call.int("max_gram_length", default: 1)
  let skips = call.int("max_skip_count", default: 0)
  let (rows, length) = (shape.rank == 2 ? shape[0] : 1, shape[-1])
  let width = (places.max() ?? -1) + 1
  guard least >= 1, most >= least, most <= 16, (0...64).contains(skips), width > 0,
    width <= 1 << 16, places.count <= 1 << 12, length <= 1 << 12, places.allSatisfy({ $0 >= 0 })
  else { throw call.unsupported("n-grams of \(least) to \(most)") }
  let source = try into.reshaped(call, x, [rows, length])
  let weights = call.floats("weights")
  let mode = call.string("mode", default: "TF")
  var columns: [Int: ValueID] = [:]
  var number = 0
  for (index, start) in starts.enumerated() {
    let size = index + 1
    let end = index + 1 < starts.count ? starts[index + 1] : pool.count
    guard start >= 0, start <= end, end <= pool.count, (end - start) % size == 0 else {
      throw call.unsupported("ngram_counts \(starts)")
    }
    for gram in 0..<(end - start) / size {
      guard places.indices.contains(number) else { throw call.unsupported("ngram_indexes") }
      let place = places[number]
      number += 1
      guard size >= least, size <= most else { continue }
      let terms = pool[start + gram * size..<start + (gram + 1) * size]
      var count: ValueID?
      // Unigrams have no gaps.
      for gap in 0...(size == 1 ? 0 : skips) {
        let reach = (size - 1) * (gap + 1)
        guard reach < length else { continue }
        var matches: ValueID?
        for (offset, term) in terms.enumerated() {
          let from = offset * (gap + 1)
          let part = try into.sliced(call, source, axis: 1, from..<from + length - reach)
          let isTerm = try into.binary(call, .equal, part, Double(term))
          matches = try matches.map { try into.binary(call, .logicalAnd, $0, isTerm) } ?? isTerm
        }
        guard let matches else { continue }
        let ones = try into.cast(call, matches, .float32)
        let sum = try into.reduced(call, .sum, ones, [1])
        count = try count.map { try into.binary(call, .add, $0, sum) } ?? sum
      }
      guard var column = count else { continue }
      if mode != "TF" {
        // IDF counts presence; TFIDF weighs the count.
        if mode == "IDF" {
          let isThere = try into.binary(call, .greater, column, 0)
          column = try into.cast(call, isThere, .float32)
        }
        let weight = weights.flatMap { $0.indices.contains(number - 1) ? $0[number - 1] : nil } ?? 1
        column = try into.binary(call, .multiply, column, Double(weight))
      }
      columns[place] = column
    }
  }
  let nothing = into.constant(call, [Double](repeating: 0, count: rows), [rows, 1], .float32)
  let parts = (0..<width).map { columns[$0] ?? nothing }
  let result = try into.joined(call, parts, axis: 1)
  into.conclude(call, try into.reshaped(call, result, shape.rank == 2 ? [rows, width] : [width]))
}
