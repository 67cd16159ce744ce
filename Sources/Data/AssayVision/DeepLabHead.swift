/// DeepLab's output: a score for each class at each pixel (channels last), or the class of each pixel.
struct DeepLabHead {
  private let width: Int
  private let height: Int
  private let channels: Int
  private let values: [Float]

  init?(_ outputs: [Output]) {
    guard let output = outputs.first, outputs.count == 1, (2...3).contains(output.extents.count)
    else { return nil }
    height = output.extents[0]
    width = output.extents[1]
    channels = output.extents.count == 3 ? output.extents[2] : 1
    guard width > 0, height > 0, channels <= 256 else { return nil }
    values = output.values
  }

  /// The class of each of the picture's pixels, row by row: scores are resized (bilinear, pixels' middles
  /// at halves) before the greatest is taken, classes are those of the nearest.
  func classes(framing: Framing) -> [UInt8] {
    let (scaleX, scaleY) = (
      Double(width) / Double(framing.input.width), Double(height) / Double(framing.input.height)
    )
    let columns = (0..<framing.picture.width).map {
      step(framing.inputPoint(x: Double($0) + 0.5, y: 0).x * scaleX - 0.5, width)
    }
    let rows = (0..<framing.picture.height).map {
      step(framing.inputPoint(x: 0, y: Double($0) + 0.5).y * scaleY - 0.5, height)
    }
    var result: [UInt8] = []
    result.reserveCapacity(columns.count * rows.count)
    for row in rows {
      for column in columns {
        if channels == 1 {
          let y = row.part < 0.5 ? row.low : row.high
          let value = values[y * width + (column.part < 0.5 ? column.low : column.high)]
          result.append(UInt8(min(max(value.isFinite ? value : 0, 0), 255)))
          continue
        }
        let corners = [
          (row.low * width + column.low) * channels, (row.low * width + column.high) * channels,
          (row.high * width + column.low) * channels, (row.high * width + column.high) * channels,
        ]
        var (best, greatest) = (0, -Float.infinity)
        for channel in 0..<channels {
          let (a, b) = (values[corners[0] + channel], values[corners[1] + channel])
          let (c, d) = (values[corners[2] + channel], values[corners[3] + channel])
          let upper = a + (b - a) * column.part
          let lower = c + (d - c) * column.part
          let value = upper + (lower - upper) * row.part
          if value > greatest { (best, greatest) = (channel, value) }
        }
        result.append(UInt8(best))
      }
    }
    return result
  }
}
