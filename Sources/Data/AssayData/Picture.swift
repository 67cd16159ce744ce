/// A picture of a network's extents, in floating point: 0...255, red-green-blue or gray, channels last.
public struct Picture: Sendable, Equatable {
  /// Pixels in a row.
  public var width: Int
  /// Rows.
  public var height: Int
  /// 1 or 3.
  public var channels: Int
  /// Rows from the top, pixels from the left.
  public var values: [Float]

  /// Makes a picture.
  ///
  /// - Precondition: there are as many values as the extents say.
  public init(width: Int, height: Int, channels: Int, values: [Float]) {
    precondition(values.count == width * height * channels, "\(values.count) values")
    self.width = width
    self.height = height
    self.channels = channels
    self.values = values
  }

  /// The picture of gray levels.
  init(_ levels: Image) {
    self.init(
      width: levels.width,
      height: levels.height,
      channels: levels.channels,
      values: levels.pixels.map { Float($0) }
    )
  }

  /// The middle of the picture.
  ///
  /// - Precondition: the picture is at least as large.
  func middle(width: Int, height: Int) -> Picture {
    if width == self.width, height == self.height { return self }
    let left = (self.width - width) / 2
    let top = (self.height - height) / 2
    var cut: [Float] = []
    cut.reserveCapacity(width * height * channels)
    for row in top..<top + height {
      let start = (row * self.width + left) * channels
      cut += values[start..<start + width * channels]
    }
    return Picture(width: width, height: height, channels: channels, values: cut)
  }

  /// The picture at a place of a larger one of a single value; what lies outside of it is left out.
  func framed(
    width: Int,
    height: Int,
    offset: (x: Int, y: Int),
    filling: Float
  ) -> Picture {
    var result = [Float](repeating: filling, count: width * height * channels)
    let columns = max(0, -offset.x)..<min(self.width, width - offset.x)
    guard !columns.isEmpty else {
      return Picture(width: width, height: height, channels: channels, values: result)
    }
    for row in max(0, -offset.y)..<min(self.height, height - offset.y) {
      let from = (row * self.width + columns.lowerBound) * channels
      let to = ((row + offset.y) * width + columns.lowerBound + offset.x) * channels
      for index in 0..<columns.count * channels { result[to + index] = values[from + index] }
    }
    return Picture(width: width, height: height, channels: channels, values: result)
  }
}
