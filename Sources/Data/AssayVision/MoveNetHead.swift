/// MoveNet's output: for each of 17 points, from top and left in parts of the input, and a score.
struct MoveNetHead {
  private let values: [Float]

  init?(_ outputs: [Output]) {
    guard outputs.count == 1, outputs[0].values.count == 51 else { return nil }
    values = outputs[0].values
  }

  /// The points in the picture's pixels.
  func points(framing: Framing) -> [KeyPoint] {
    (0..<17).map { index in
      let (y, x) = (Double(values[index * 3]), Double(values[index * 3 + 1]))
      let point = framing.point(
        x: x * Double(framing.input.width),
        y: y * Double(framing.input.height)
      )
      return KeyPoint(x: point.x, y: point.y, score: Double(values[index * 3 + 2]))
    }
  }

  /// The points' names, in order.
  static let names = [
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip",
    "left knee", "right knee", "left ankle", "right ankle",
  ]

  /// Points that a body joins.
  static let bones = [
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12),
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
  ]
}
