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
    return switch filter {
    case .bilinear: bilinear(width, height)
    case .area: area(width, height)
    default: resizedLevels(width: width, height: height, filter: filter).pixels.map { Float($0) }
    }
  }

  /// The picture at another size.
  ///
  /// - Precondition: the extents are positive, and the filter is one that rounds.
  func resizedLevels(width: Int, height: Int, filter: ResizeFilter) -> Image {
    precondition(width > 0 && height > 0 && filter.isRounded)
    if width == self.width, height == self.height { return self }
    let levels: [UInt8] =
      switch filter {
      case .nearest: nearest(width, height)
      case .bilinear, .area, .opencv: bilinear(width, height).map { UInt8($0 + 0.5) }
      case .antialias: convolved(width, height, support: 1, triangle)
      case .bicubic: convolved(width, height, support: 2, cubic)
      case .lanczos: convolved(width, height, support: 3, lanczos)
      }
    return Image(width: width, height: height, channels: channels, pixels: levels)
  }

  private func nearest(_ newWidth: Int, _ newHeight: Int) -> [UInt8] {
    func sources(_ old: Int, _ new: Int) -> [Int] {
      let scale = Double(old) / Double(new)
      return (0..<new).map { min(old - 1, Int((Double($0) + 0.5) * scale)) }
    }
    let columns = sources(width, newWidth)
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * newHeight * channels)
    for y in sources(height, newHeight) {
      for x in columns {
        let from = (y * width + x) * channels
        for channel in 0..<channels { result.append(pixels[from + channel]) }
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
    func windows(_ old: Int, _ new: Int) -> [Window] {
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
    return down(across(source, windows(width, newWidth)), newWidth, windows(height, newHeight))
  }

  /// Resamples each row.
  private func across(_ source: [Float], _ windows: [Window]) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(height * windows.count * channels)
    for row in 0..<height {
      for window in windows {
        let start = (row * width + window.first) * channels
        for channel in 0..<channels {
          var (sum, from) = (Float(0), start + channel)
          for weight in window.weights {
            sum += source[from] * weight
            from &+= channels
          }
          result.append(sum)
        }
      }
    }
    return result
  }

  /// Resamples each column.
  private func down(_ source: [Float], _ width: Int, _ windows: [Window]) -> [Float] {
    let length = width * channels
    var result: [Float] = []
    result.reserveCapacity(length * windows.count)
    for window in windows {
      // Row by row, so that the inner loop runs over neighbors in memory.
      var sums = [Float](repeating: 0, count: length)
      for (index, weight) in window.weights.enumerated() {
        let base = (window.first + index) * length
        let row = source[base..<base + length]
        for (column, value) in zip(sums.indices, row) { sums[column] += value * weight }
      }
      result += sums
    }
    return result
  }
}

/// The pixels that one new pixel is made of: the first, and the weights from there.
private struct Window {
  var first: Int
  var weights: [Float]
}
