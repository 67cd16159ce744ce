/// The edges of an area of pixels, for drawings of lines: closed ways along the pixels' borders.
struct MaskOutline {
  /// A closed way as an SVG path has it, such as `M3 4h2v1h-2z`; empty for an area without pixels.
  ///
  /// Fill it by the even-odd rule: holes are ways of their own.
  let path: String

  /// Steps to the right, down, to the left and up, as bits of a corner.
  private static let steps: [(bit: UInt8, x: Int, y: Int)] = [
    (1, 1, 0), (2, 0, 1), (4, -1, 0), (8, 0, -1),
  ]

  /// The outline of the pixels that are inside.
  ///
  /// - Parameters:
  ///   - width: pixels in a row.
  ///   - isInside: for each pixel, row by row; whole rows.
  init(width: Int, isInside: [Bool]) {
    guard width > 0 else {
      path = ""
      return
    }
    let height = isInside.count / width
    // For each corner the directions in which a border leaves it, the area on the right-hand side.
    let corners = width + 1
    var leaving = [UInt8](repeating: 0, count: corners * (height + 1))
    for y in 0..<height {
      for x in 0..<width where isInside[y * width + x] {
        let corner = y * corners + x
        if y == 0 || !isInside[(y - 1) * width + x] { leaving[corner] |= 1 }
        if x == width - 1 || !isInside[y * width + x + 1] { leaving[corner + 1] |= 2 }
        if y == height - 1 || !isInside[(y + 1) * width + x] { leaving[corner + corners + 1] |= 4 }
        if x == 0 || !isInside[y * width + x - 1] { leaving[corner + corners] |= 8 }
      }
    }
    var text = ""
    for start in leaving.indices where leaving[start] != 0 {
      // As many borders enter a corner as leave it, so that a way ends only where it began.
      var at = start
      text += "M\(start % corners) \(start / corners)"
      while let step = MaskOutline.steps.first(where: { leaving[at] & $0.bit != 0 }) {
        var length = 0
        while leaving[at] & step.bit != 0 {
          leaving[at] &= ~step.bit
          at += step.y * corners + step.x
          length += 1
        }
        text += step.x == 0 ? "v\(step.y * length)" : "h\(step.x * length)"
      }
      text += "z"
    }
    path = text
  }
}
