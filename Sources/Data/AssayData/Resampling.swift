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
  /// Pillow's `BICUBIC` (a = -0.5, as wide as the scale). Rounded.
  case bicubic
  /// Pillow's `LANCZOS` (three lobes). Rounded.
  case lanczos
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
    var result: [Float] = []
    result.reserveCapacity(newWidth * newHeight * channels)
    for row in steps(height, newHeight) {
      let top = row.low * width
      let bottom = row.high * width
      for column in columns {
        for channel in 0..<channels {
          let a = Float(pixels[(top + column.low) * channels + channel])
          let b = Float(pixels[(top + column.high) * channels + channel])
          let c = Float(pixels[(bottom + column.low) * channels + channel])
          let d = Float(pixels[(bottom + column.high) * channels + channel])
          let upper = a + (b - a) * column.fraction
          let lower = c + (d - c) * column.fraction
          result.append(upper + (lower - upper) * row.fraction)
        }
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
    func windows(_ old: Int, _ new: Int) -> [Window<Int>] {
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
            Int(($0 * 4_194_304 + ($0 < 0 ? -0.5 : 0.5)).rounded(.towardZero))
          }
        )
      }
    }
    func clip(_ value: Int) -> Int { min(max(value >> 22, 0), 255) }
    var values = pixels.map { Int($0) }
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
  private func across<Value: Numeric>(
    _ source: [Value],
    _ oldWidth: Int,
    _ rows: Int,
    _ windows: [Window<Value>],
    _ start: Value,
    _ finish: (Value) -> Value
  ) -> [Value] {
    var result: [Value] = []
    result.reserveCapacity(rows * windows.count * channels)
    for row in 0..<rows {
      for window in windows {
        for channel in 0..<channels {
          var sum = start
          var from = (row * oldWidth + window.first) * channels + channel
          for weight in window.weights {
            sum += source[from] * weight
            from += channels
          }
          result.append(finish(sum))
        }
      }
    }
    return result
  }

  /// Resamples each column.
  private func down<Value: Numeric>(
    _ source: [Value],
    _ width: Int,
    _ windows: [Window<Value>],
    _ start: Value,
    _ finish: (Value) -> Value
  ) -> [Value] {
    let stride = width * channels
    var result: [Value] = []
    result.reserveCapacity(stride * windows.count)
    for window in windows {
      for column in 0..<stride {
        var sum = start
        var from = window.first * stride + column
        for weight in window.weights {
          sum += source[from] * weight
          from += stride
        }
        result.append(finish(sum))
      }
    }
    return result
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
