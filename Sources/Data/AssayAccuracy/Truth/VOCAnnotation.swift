import AssayBase
import AssayCodec

/// One picture's objects, as a Pascal VOC annotation (XML) has them; ImageNet's boxes come so too.
public struct VOCAnnotation: Sendable, Equatable {
  /// One object.
  public struct Object: Sendable, Equatable {
    /// The name of its class.
    public var name: String
    /// Where it is: VOC counts pixels from 1, both ends included.
    public var box: Box
    /// Whether it is hard to see: what is found in it counts neither for nor against.
    public var isDifficult: Bool
  }

  /// The picture's file name as the annotation gives it.
  public var file: String
  /// Pixels in a row; 0 where the annotation does not say.
  public var width: Int
  /// Rows; 0 where the annotation does not say.
  public var height: Int
  /// What is in it.
  public var objects: [Object]

  /// Reads an annotation.
  ///
  /// - Throws: `Diagnostic` ACC015, or what the XML reader throws.
  public init(_ bytes: ByteView) throws {
    let root = try XMLReader.root(bytes, maximumElements: 100_000)
    guard root.name == "annotation" else {
      throw Diagnostic("ACC015", "this is no VOC annotation: its root is '\(root.name)'")
    }
    func number(_ element: XMLElement?, _ name: String) -> Double? {
      element?.child(name).flatMap { Double(VOCAnnotation.plain($0.text)) }
    }
    file = root.child("filename").map { VOCAnnotation.plain($0.text) } ?? ""
    let size = root.child("size")
    func extent(_ name: String) -> Int {
      number(size, name).flatMap { Int(exactly: $0) }.flatMap {
        (0...1 << 16).contains($0) ? $0 : nil
      }
        ?? 0
    }
    width = extent("width")
    height = extent("height")
    objects = try root.all("object").enumerated().map { place, element in
      let box = element.child("bndbox")
      guard let name = element.child("name").map({ VOCAnnotation.plain($0.text) }), !name.isEmpty,
        let left = number(box, "xmin"), let top = number(box, "ymin"),
        let right = number(box, "xmax"), let bottom = number(box, "ymax"),
        [left, top, right, bottom].allSatisfy({ $0.isFinite && abs($0) < 1e9 }), right >= left,
        bottom >= top
      else {
        throw Diagnostic("ACC015", "object \(place + 1) has no name or no box of four numbers")
      }
      return Object(
        name: name,
        box: Box(left: left - 1, top: top - 1, right: right, bottom: bottom),
        isDifficult: number(element, "difficult") == 1
      )
    }
  }

  private static func plain(_ text: String) -> String {
    let spaces = text.split(whereSeparator: \.isWhitespace)
    return spaces.joined(separator: " ")
  }
}
