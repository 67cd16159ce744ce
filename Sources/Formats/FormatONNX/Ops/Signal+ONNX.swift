import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Signals: windows and filter banks are Constants, transforms are products with matrices of sines.

let signalReaders: [String: ONNXReader] = [
  "HannWindow": window([0.5, 0.5]), "HammingWindow": window([25.0 / 46, 21.0 / 46]),
  "BlackmanWindow": window([0.42, 0.5, 0.08]),
  "MelWeightMatrix": readMelWeights,
  "DFT": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    var given = call.int("axis", default: call.opset < 20 ? 1 : -2)
    if call.opset >= 20, call.has(2) {
      given = try into.integers(call.input(2), call).first ?? -2
    }
    guard let axis = shape.normalized(axis: given), axis < shape.rank - 1 else {
      throw call.unsupported("axis \(given) of \(shape)")
    }
    let length = call.has(1) ? try into.integers(call.input(1), call).first ?? 0 : shape[axis]
    let result = try into.transformed(
      call,
      x,
      axis: axis,
      length: length,
      isInverse: call.int("inverse", default: 0) != 0,
      isOneSided: call.int("onesided", default: 0) != 0
    )
    into.conclude(call, result)
  },
  "STFT": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let hop = try into.integers(call.input(1), call).first ?? 0
    var length = call.has(3) ? try into.integers(call.input(3), call).first ?? 0 : 0
    if length == 0, call.has(2) { length = try into.type(call.input(2)).shape.count }
    guard shape.rank == 3, hop > 0, (1...shape[1]).contains(length), hop < 1 << 24 else {
      throw call.unsupported("frames of \(length) every \(hop) of \(shape)")
    }
    let count = (shape[1] - length) / hop + 1
    guard count * length <= 1 << 22 else { throw call.unsupported("\(count) frames") }
    let places = (0..<count).flatMap { frame in (0..<length).map { frame * hop + $0 } }
    var frames = try into.gathered(call, x, axis: 1, places, shape: [count, length])
    if call.has(2) {
      let weights = try into.reshaped(call, into.plain(call.input(2)), [1, 1, length, 1])
      frames = try into.binary(call, .multiply, frames, weights)
    }
    let result = try into.transformed(
      call,
      frames,
      axis: 2,
      length: length,
      isInverse: false,
      isOneSided: call.int("onesided", default: 1) != 0
    )
    into.conclude(call, result)
  },
]

/// A window of cosines with these coefficients, of alternating sign.
private func window(_ coefficients: [Double]) -> ONNXReader {
  { call, into in
    let size = try into.integers(call.input(0), call).first ?? 0
    guard (0...1 << 22).contains(size) else { throw call.unsupported("\(size) elements") }
    let span = call.int("periodic", default: 1) != 0 ? size : size - 1
    let values = (0..<size).map { index in
      coefficients.enumerated().reduce(0.0) { sum, term in
        let angle = 2 * Double.pi * Double(term.offset * index) / Double(max(span, 1))
        return sum + (term.offset % 2 == 0 ? 1 : -1) * term.element * cos(angle)
      }
    }
    try defineTable(call, values, [size], &into)
  }
}

/// A Constant in the type that `output_datatype` names.
private func defineTable(
  _ call: OperatorCall,
  _ values: [Double],
  _ shape: Shape,
  _ into: inout GraphImporter
) throws {
  let number = call.int("output_datatype", default: 1)
  guard let dtype = DType(onnx: Int32(truncatingIfNeeded: number)), dtype.isFloat else {
    throw call.unsupported("output_datatype \(number)")
  }
  into.conclude(call, into.constant(call, values, shape, dtype))
}

private func readMelWeights(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let integers = try (0..<3).map { try into.integers(call.input($0), call).first ?? 0 }
  let (bins, length, rate) = (integers[0], integers[1], integers[2])
  let (low, high) = (
    Double(try into.number(call.input(3), call)), Double(try into.number(call.input(4), call))
  )
  guard (1...4096).contains(bins), (1...1 << 16).contains(length), (1...1 << 30).contains(rate),
    low >= 0, high >= low, high < 1e9
  else { throw call.unsupported("\(bins) bins of \(length)") }
  let rows = length / 2 + 1
  func mel(_ frequency: Double) -> Double { 2595 * log10(1 + frequency / 700) }
  let step = (mel(high) - mel(low)) / Double(bins + 2)
  let edges = (0..<bins + 2).map { index -> Int in
    let frequency = 700 * (pow(10, (Double(index) * step + mel(low)) / 2595) - 1)
    return Int((Double(length + 1) * frequency / Double(rate)).rounded(.down))
  }
  guard edges.allSatisfy({ (0..<rows).contains($0) }) else {
    throw call.unsupported("frequencies above half the sample rate")
  }
  var table = [Double](repeating: 0, count: rows * bins)
  for bin in 0..<bins {
    let (left, center, right) = (edges[bin], edges[bin + 1], edges[bin + 2])
    if center == left {
      table[center * bins + bin] = 1
    } else {
      for row in left...center {
        table[row * bins + bin] = Double(row - left) / Double(center - left)
      }
    }
    for row in center..<max(right, center) {
      table[row * bins + bin] = Double(right - row) / Double(right - center)
    }
  }
  try defineTable(call, table, [rows, bins], &into)
}

extension GraphImporter {
  /// The discrete Fourier transform along an axis; the last axis holds real and imaginary parts (or the
  /// real ones alone).
  fileprivate mutating func transformed(
    _ call: OperatorCall,
    _ source: ValueID,
    axis: Int,
    length: Int,
    isInverse: Bool,
    isOneSided: Bool
  ) throws -> ValueID {
    var x = source
    let given = shape(x)
    let parts = given[-1]
    let count = isOneSided ? length / 2 + 1 : length
    guard parts == 1 || parts == 2, length > 0, length * count <= 1 << 22 else {
      throw call.unsupported("a transform of \(length) elements of \(given)")
    }
    // The axis before the parts, as long as the transform.
    let order = given.dims.indices.filter { $0 != axis && $0 != given.rank - 1 } + [axis]
    if given[axis] > length {
      x = try sliced(call, x, axis: axis, 0..<length)
    } else if given[axis] < length {
      var behind = [Int](repeating: 0, count: given.rank)
      behind[axis] = length - given[axis]
      x = try step(call, "longer", Pad(before: behind.map { _ in 0 }, after: behind), [x])
    }
    func part(_ index: Int) throws -> ValueID {
      let one = parts == 1 ? x : try sliced(call, x, axis: given.rank - 1, index..<index + 1)
      let flat = try reshaped(call, one, Array(shape(one).dims.dropLast()))
      return try turned(call, flat, order)
    }
    let sign = isInverse ? 1.0 : -1.0
    let scale = isInverse ? 1 / Double(length) : 1
    var cosines: [Double] = []
    var sines: [Double] = []
    for frequency in 0..<count {
      for index in 0..<length {
        let angle = 2 * Double.pi * Double(frequency * index % length) / Double(length)
        cosines.append(scale * cos(angle))
        sines.append(scale * sign * sin(angle))
      }
    }
    let dtype = dtype(x)
    let size: Shape = [count, length]
    let (cosine, sine) = (
      constant(call, cosines, size, dtype), constant(call, sines, size, dtype)
    )
    let first = try part(0)
    var real = try step(call, "real", FullyConnected(), [first, cosine, nil])
    var imaginary = try step(call, "imaginary", FullyConnected(), [first, sine, nil])
    if parts == 2 {
      let second = try part(1)
      let minus = try step(call, "real", FullyConnected(), [second, sine, nil])
      let plus = try step(call, "imaginary", FullyConnected(), [second, cosine, nil])
      real = try binary(call, .subtract, real, minus)
      imaginary = try binary(call, .add, imaginary, plus)
    }
    let back = (0..<given.rank - 1).map { axis in order.firstIndex(of: axis) ?? axis }
    let pair = try [real, imaginary].map { value in
      let own = try turned(call, value, back)
      return try reshaped(call, own, shape(own).dims + [1])
    }
    return try joined(call, pair, axis: given.rank - 1)
  }
}
