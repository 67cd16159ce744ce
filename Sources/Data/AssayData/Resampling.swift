#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How a picture's values are found between its pixels when it is resized.
///
/// All of them take pixels as areas: the middle of pixel i lies at i + 0.5.
public enum ResizeFilter: String, Sendable, CaseIterable {
  /// Between the four nearest pixels, whatever the scale: `tf.image.resize` and Keras's `Resizing`
  /// as they are by default. Values are not rounded.
  case bilinear
  /// A triangle as wide as the scale: Pillow's `BILINEAR`, torchvision with antialias. Rounded.
  case antialias
  /// The nearest pixel: Pillow's `NEAREST`, Keras's `load_img`.
  case nearest
  /// The mean of the area that the pixel covers: TensorFlow's and OpenCV's `area`. Not rounded.
  case area
  /// Between the four nearest pixels, rounded: OpenCV's `INTER_LINEAR`, to one gray level (its own
  /// arithmetic has 11 bits).
  case opencv
  /// Pillow's `BICUBIC` (a = -0.5, as wide as the scale). Rounded.
  case bicubic
  /// Pillow's `LANCZOS` (three lobes). Rounded.
  case lanczos
}

extension ResizeFilter {
  /// Whether resized values are whole gray levels.
  public var isRounded: Bool { self != .bilinear && self != .area }
}

extension Image {
  /// The picture's values at another size, in the order of `pixels`, 0...255.
  ///
  /// - Precondition: the extents are positive.
  func resized(width: Int, height: Int, filter: ResizeFilter) -> [Float] {
    precondition(width > 0 && height > 0)
    if width == self.width, height == self.height { return pixels.map { Float($0) } }
    switch filter {
    case .nearest: return nearest(width, height)
    case .bilinear: return bilinear(width, height)
    case .opencv: return bilinear(width, height).map { ($0 + 0.5).rounded(.down) }
    case .area: return area(width, height)
    case .antialias: return convolved(width, height, support: 1, triangle)
    case .bicubic: return convolved(width, height, support: 2, cubic)
    case .lanczos: return convolved(width, height, support: 3, lanczos)
    }
  }

  private func nearest(_ newWidth: Int, _ newHeight: Int) -> [Float] {
    func sources(_ old: Int, _ new: Int) -> [Int] {
      let scale = Double(old) / Double(new)
      return (0..<new).map { min(old - 1, Int((Double($0) + 0.5) * scale)) }
    }
    let columns = sources(width, newWidth)
    var result: [Float] = []
    result.reserveCapacity(newWidth * newHeight * channels)
    for y in sources(height, newHeight) {
      for x in columns {
        let from = (y * width + x) * channels
        for channel in 0..<channels { result.append(Float(pixels[from + channel])) }
      }
    }
    return result
  }

  private func bilinear(_ newWidth: Int, _ newHeight: Int) -> [Float] {
    struct Step {
      var low: Int
      var high: Int
      var fraction: Float
    }
    func steps(_ old: Int, _ new: Int) -> [Step] {
      let scale = Float(old) / Float(new)
      return (0..<new).map {
        let position = (Float($0) + 0.5) * scale - 0.5
        let floor = position.rounded(.down)
        return Step(
          low: max(Int(floor), 0),
          high: min(Int(position.rounded(.up)), old - 1),
          fraction: position - floor
        )
      }
    }
    let columns = steps(width, newWidth)
    let length = newWidth * channels
    var result = [Float](repeating: 0, count: length * newHeight)
    // A source row is interpolated once and serves as the lower and then the upper neighbor.
    var upper = [Float](repeating: 0, count: length)
    var lower = upper
    var held = (upper: -1, lower: -1)
    func interpolate(_ row: Int, into target: inout [Float]) {
      let base = row * width
      var at = 0
      for column in columns {
        let low = (base + column.low) * channels
        let high = (base + column.high) * channels
        for channel in 0..<channels {
          let a = Float(pixels[low &+ channel])
          let b = Float(pixels[high &+ channel])
          target[at] = a + (b - a) * column.fraction
          at &+= 1
        }
      }
    }
    for (y, row) in steps(height, newHeight).enumerated() {
      if held.lower == row.low {
        swap(&upper, &lower)
        swap(&held.upper, &held.lower)
      }
      if held.upper != row.low {
        interpolate(row.low, into: &upper)
        held.upper = row.low
      }
      if held.lower != row.high {
        interpolate(row.high, into: &lower)
        held.lower = row.high
      }
      let start = y * length
      for x in 0..<length {
        result[start &+ x] = upper[x] + (lower[x] - upper[x]) * row.fraction
      }
    }
    return result
  }

  private func area(_ newWidth: Int, _ newHeight: Int) -> [Float] {
    func windows(_ old: Int, _ new: Int) -> [Window<Float>] {
      let scale = Double(old) / Double(new)
      return (0..<new).map { index in
        let start = Double(index) * scale
        let end = start + scale
        let first = min(Int(start), old - 1)
        let last = min(Int(end.rounded(.up)), old)
        let weights = (first..<max(last, first + 1)).map { pixel in
          Float(max(0, min(end, Double(pixel) + 1) - max(start, Double(pixel))) / scale)
        }
        return Window(first: first, weights: weights)
      }
    }
    let source = pixels.map { Float($0) }
    let rows = across(source, width, height, windows(width, newWidth), 0) { $0 }
    return down(rows, newWidth, windows(height, newHeight), 0) { $0 }
  }

  /// Pillow's way: rows then columns, weights in whole numbers of 22 bits, rounded after each.
  private func convolved(
    _ newWidth: Int,
    _ newHeight: Int,
    support: Double,
    _ kernel: (Double) -> Double
  ) -> [Float] {
    func windows(_ old: Int, _ new: Int) -> [Window<Int32>] {
      let scale = Double(old) / Double(new)
      let stretch = max(scale, 1)
      return (0..<new).map { index in
        let center = (Double(index) + 0.5) * scale
        let first = max(0, Int(center - support * stretch + 0.5))
        let last = min(old, Int(center + support * stretch + 0.5))
        var weights = (first..<max(last, first + 1)).map {
          kernel((Double($0) - center + 0.5) / stretch)
        }
        let sum = weights.reduce(0, +)
        if sum != 0 { weights = weights.map { $0 / sum } }
        return Window(
          first: first,
          weights: weights.map {
            Int32(($0 * 4_194_304 + ($0 < 0 ? -0.5 : 0.5)).rounded(.towardZero))
          }
        )
      }
    }
    // The weights' sizes add up to less than 2, and 2 * 255 * 2^22 fits 32 bits.
    func clip(_ value: Int32) -> Int32 { min(max(value >> 22, 0), 255) }
    var values = pixels.map { Int32($0) }
    // A side that keeps its length is not touched.
    if newWidth != width {
      values = across(values, width, height, windows(width, newWidth), 1 << 21, clip)
    }
    if newHeight != height {
      values = down(values, newWidth, windows(height, newHeight), 1 << 21, clip)
    }
    return values.map { Float($0) }
  }

  /// Resamples each row.
  private func across<Value: ResampledValue>(
    _ source: [Value],
    _ oldWidth: Int,
    _ rows: Int,
    _ windows: [Window<Value>],
    _ start: Value,
    _ finish: (Value) -> Value
  ) -> [Value] {
    var result = [Value](repeating: start, count: rows * windows.count * channels)
    var at = 0
    for row in 0..<rows {
      for window in windows {
        var from = (row * oldWidth + window.first) * channels
        if channels == 3 {
          var (a, b, c) = (start, start, start)
          for weight in window.weights {
            a.add(source[from], times: weight)
            b.add(source[from &+ 1], times: weight)
            c.add(source[from &+ 2], times: weight)
            from &+= 3
          }
          result[at] = finish(a)
          result[at &+ 1] = finish(b)
          result[at &+ 2] = finish(c)
        } else {
          var sum = start
          for weight in window.weights {
            sum.add(source[from], times: weight)
            from &+= 1
          }
          result[at] = finish(sum)
        }
        at &+= channels
      }
    }
    return result
  }

  /// Resamples each column.
  private func down<Value: ResampledValue>(
    _ source: [Value],
    _ width: Int,
    _ windows: [Window<Value>],
    _ start: Value,
    _ finish: (Value) -> Value
  ) -> [Value] {
    let length = width * channels
    var result: [Value] = []
    result.reserveCapacity(length * windows.count)
    for window in windows {
      // Row by row, so that the inner loop runs over neighbors in memory.
      var sums = [Value](repeating: start, count: length)
      for (index, weight) in window.weights.enumerated() {
        let base = (window.first + index) * length
        let row = source[base..<base + length]
        for (column, value) in zip(sums.indices, row) { sums[column].add(value, times: weight) }
      }
      for sum in sums { result.append(finish(sum)) }
    }
    return result
  }
}

/// Numbers that pictures are resampled in.
private protocol ResampledValue {
  /// Adds a product; the caller sees to it that integers do not overflow.
  mutating func add(_ value: Self, times weight: Self)
}

extension Float: ResampledValue {
  fileprivate mutating func add(_ value: Float, times weight: Float) { self += value * weight }
}

extension Int32: ResampledValue {
  fileprivate mutating func add(_ value: Int32, times weight: Int32) {
    self = self &+ value &* weight
  }
}

/// The pixels that one new pixel is made of: the first, and the weights from there.
private struct Window<Value> {
  var first: Int
  var weights: [Value]
}

private func triangle(_ x: Double) -> Double { max(0, 1 - abs(x)) }

/// Keys's cubic convolution with a = -0.5.
private func cubic(_ value: Double) -> Double {
  let x = abs(value)
  let a = -0.5
  if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
  return 0
}

private func lanczos(_ x: Double) -> Double {
  func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
}
