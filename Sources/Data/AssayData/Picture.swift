/// A picture of a network's extents, in floating point: 0...255, red-green-blue or gray, channels last.
struct Picture: Sendable, Equatable {
  /// Pixels in a row.
  var width: Int
  /// Rows.
  var height: Int
  /// 1 or 3.
  var channels: Int
  /// Rows from the top, pixels from the left.
  var values: [Float]

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
}
