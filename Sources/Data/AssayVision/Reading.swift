import AssayAccuracy
import AssayBase

/// What a network saw in a picture, in the picture's own pixels.
public enum Reading: Sendable, Equatable {
  /// Objects with boxes, and masks where the network tells them.
  case objects([FoundObject])
  /// The class of every pixel, row by row.
  case regions(width: Int, height: Int, classes: [UInt8])
  /// Points, each with how sure the network is.
  case points([KeyPoint])
  /// A score for each class.
  case classes([Float])
}

/// A point of a body.
public struct KeyPoint: Sendable, Equatable {
  /// From the left.
  public var x: Double
  /// From the top.
  public var y: Double
  /// How sure the network is, 0...1.
  public var score: Double

  /// Makes a point.
  public init(x: Double, y: Double, score: Double) {
    self.x = x
    self.y = y
    self.score = score
  }
}

/// How a network's outputs are read.
public enum Head: String, Sendable, CaseIterable {
  /// Scores of classes.
  case classes
  /// YOLOv8: boxes, and prototype masks where there are some.
  case yolov8
  /// SSD, with the boxes already chosen (TFLite's detection operator) or with anchors.
  case ssd
  /// DeepLab: a score for each class at each pixel, or the classes themselves.
  case deeplab
  /// MoveNet: 17 points of one body.
  case movenet

  /// The head that outputs of these shapes have; `nil` for none that is known.
  public static func guess(_ outputs: [Output]) -> Head? {
    let shapes = outputs.map(\.extents)
    if shapes.count == 1, shapes[0] == [1, 17, 3] || shapes[0] == [17, 3] { return .movenet }
    if SSDHead(outputs) != nil { return .ssd }
    if YOLOv8Head(outputs) != nil { return .yolov8 }
    if shapes.count == 1, shapes[0].count == 1 { return .classes }
    if shapes.count == 1, shapes[0].count == 3 || shapes[0].count == 2, shapes[0][0] > 8,
      shapes[0][1] > 8
    {
      return .deeplab
    }
    return nil
  }

  /// Reads outputs.
  ///
  /// - Throws: `Diagnostic` VIS001 when they are not of this head's shapes.
  public func read(
    _ outputs: [Output],
    framing: Framing,
    suppression: Suppression = Suppression()
  ) throws -> Reading {
    switch self {
    case .classes:
      guard let first = outputs.first else { throw mismatch(outputs) }
      return .classes(first.values)
    case .yolov8:
      guard let head = YOLOv8Head(outputs) else { throw mismatch(outputs) }
      return .objects(head.objects(framing: framing, suppression: suppression))
    case .ssd:
      guard let head = SSDHead(outputs) else { throw mismatch(outputs) }
      return .objects(head.objects(framing: framing, suppression: suppression))
    case .deeplab:
      guard let head = DeepLabHead(outputs) else { throw mismatch(outputs) }
      return .regions(
        width: framing.picture.width,
        height: framing.picture.height,
        classes: head.classes(framing: framing)
      )
    case .movenet:
      guard let points = MoveNetHead(outputs)?.points(framing: framing) else {
        throw mismatch(outputs)
      }
      return .points(points)
    }
  }

  private func mismatch(_ outputs: [Output]) -> Diagnostic {
    let shapes = outputs.map { "'\($0.name)' \($0.extents)" }.joined(separator: ", ")
    return Diagnostic(
      "VIS001",
      "the outputs \(shapes) are not those of \(rawValue)",
      remedy: "give another --head: \(Head.allCases.map(\.rawValue).joined(separator: ", "))"
    )
  }
}
