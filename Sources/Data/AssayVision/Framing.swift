import AssayAccuracy
import AssayData

/// How a picture was laid into a network's input, so that what is found there can be told in the
/// picture's own pixels: a part of it was cut out, scaled and put at a place of the input.
public struct Framing: Sendable, Equatable {
  /// The picture's extents.
  public var picture: (width: Int, height: Int)
  /// The input's extents.
  public var input: (width: Int, height: Int)
  /// The part of the picture that was taken.
  public var cut: Box
  /// Where in the input it lies.
  public var place: Box

  /// Makes a framing.
  public init(
    picture: (width: Int, height: Int),
    input: (width: Int, height: Int),
    cut: Box? = nil,
    place: Box? = nil
  ) {
    self.picture = picture
    self.input = input
    self.cut =
      cut ?? Box(x: 0, y: 0, width: Double(picture.width), height: Double(picture.height))
    self.place =
      place ?? Box(x: 0, y: 0, width: Double(input.width), height: Double(input.height))
  }

  /// The point of the picture that a point of the input shows.
  public func point(x: Double, y: Double) -> (x: Double, y: Double) {
    (
      cut.x + (x - place.x) * cut.width / place.width,
      cut.y + (y - place.y) * cut.height / place.height
    )
  }

  /// The point of the input at which a point of the picture is shown.
  public func inputPoint(x: Double, y: Double) -> (x: Double, y: Double) {
    (
      place.x + (x - cut.x) * place.width / cut.width,
      place.y + (y - cut.y) * place.height / cut.height
    )
  }

  /// The box of the picture that a box of the input shows, within the picture.
  public func box(_ box: Box) -> Box {
    let (a, b) = (point(x: box.x, y: box.y), point(x: box.right, y: box.bottom))
    return Box(left: a.x, top: a.y, right: b.x, bottom: b.y)
      .clipped(width: Double(picture.width), height: Double(picture.height))
  }

  /// Whether both frame alike.
  public static func == (a: Framing, b: Framing) -> Bool {
    a.picture == b.picture && a.input == b.input && a.cut == b.cut && a.place == b.place
  }
}

extension Framing {
  /// The framing that a preprocessing gives a picture.
  public init(_ placement: PicturePlacement, width: Int, height: Int) {
    self.init(
      picture: (width, height),
      input: placement.input,
      cut: Box(
        x: Double(placement.cut.x),
        y: Double(placement.cut.y),
        width: Double(placement.cut.width),
        height: Double(placement.cut.height)
      ),
      place: Box(
        x: Double(placement.offset.x),
        y: Double(placement.offset.y),
        width: Double(placement.size.width),
        height: Double(placement.size.height)
      )
    )
  }
}
