extension Mask {
  /// The pixels of a polygon, by COCO's rasterization: its outline is walked in fifths of a pixel, and
  /// each column changes sides where the outline crosses the column's middle.
  ///
  /// - Parameter polygon: x and y in turns, pixels.
  public init(polygon: [Double], width: Int, height: Int) {
    let outline = Mask.outline(polygon, width: width, height: height)
    var crossings = Mask.crossings(outline, width: width, height: height)
    crossings.append(width * height)
    crossings.sort()
    // Two crossings at one place take each other back.
    var runs: [UInt32] = []
    var position = 0
    var isJoined = false
    for crossing in crossings {
      let length = UInt32(crossing - position)
      position = crossing
      if isJoined {
        runs[runs.count - 1] += length
        isJoined = false
      } else if length > 0 || runs.isEmpty {
        runs.append(length)
      } else {
        isJoined = true
      }
    }
    self.init(width: width, height: height, runs: runs)
  }

  private static let scale = 5.0

  /// The outline's points in fifths of a pixel, a step apart in the direction that changes more.
  private static func outline(_ polygon: [Double], width: Int, height: Int) -> [(x: Int, y: Int)] {
    // Far beyond the picture nothing changes but the number of steps.
    let reach = Double(max(width, height)) * 4 + 16
    func fifths(_ value: Double) -> Int {
      let kept = value.isFinite ? min(max(value, -reach), reach) : 0
      return Int(scale * kept + 0.5)
    }
    let count = polygon.count / 2
    guard count > 0 else { return [] }
    var corners = (0..<count).map { (x: fifths(polygon[2 * $0]), y: fifths(polygon[2 * $0 + 1])) }
    corners.append(corners[0])
    var points: [(x: Int, y: Int)] = []
    for index in 0..<count {
      let (a, b) = (corners[index], corners[index + 1])
      let (dx, dy) = (abs(b.x - a.x), abs(b.y - a.y))
      // The line is computed from its lower end, so that both directions round alike.
      let isWide = dx >= dy
      let isTurned = isWide ? a.x > b.x : a.y > b.y
      let (start, end) = isTurned ? (b, a) : (a, b)
      let steps = max(dx, dy)
      let slope =
        steps == 0
        ? 0 : isWide ? Double(end.y - start.y) / Double(dx) : Double(end.x - start.x) / Double(dy)
      for step in 0...steps {
        let t = isTurned ? steps - step : step
        if isWide {
          points.append((start.x + t, Int(Double(start.y) + slope * Double(t) + 0.5)))
        } else {
          points.append((Int(Double(start.x) + slope * Double(t) + 0.5), start.y + t))
        }
      }
    }
    return points
  }

  /// Where columns change sides, as places in the order of the columns.
  private static func crossings(
    _ points: [(x: Int, y: Int)],
    width: Int,
    height: Int
  ) -> [Int] {
    var result: [Int] = []
    for index in points.indices.dropFirst() {
      let (before, here) = (points[index - 1], points[index])
      guard here.x != before.x else { continue }
      let column = (Double(here.x < before.x ? here.x : here.x - 1) + 0.5) / scale - 0.5
      guard column == column.rounded(.down), column >= 0, column <= Double(width - 1) else {
        continue
      }
      let row = (Double(min(here.y, before.y)) + 0.5) / scale - 0.5
      let top = min(max(row, 0), Double(height)).rounded(.up)
      result.append(Int(column) * height + Int(top))
    }
    return result
  }
}
