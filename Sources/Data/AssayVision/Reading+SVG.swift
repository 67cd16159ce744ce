import AssayAccuracy
import AssayBase
import AssayData

extension Reading {
  /// What a network saw as a drawing above the picture (SVG 1.1): lines and masks stay sharp at any size, and
  /// names are text.
  ///
  /// - Parameters:
  ///   - picture: the address of the picture, such as a file's name or a `data:` address of its content.
  ///   - width: of the picture in pixels.
  ///   - height: of the picture in pixels.
  ///   - names: of the classes, as far as there are names.
  ///   - score: points below this score are left out.
  public func svg(
    picture: String,
    width: Int,
    height: Int,
    names: [String] = [],
    score: Double = 0.3
  ) -> String {
    var sheet = Sheet(width: width, height: height, names: names)
    switch self {
    case .objects(let objects):
      // The surest last, so that it lies on top.
      for object in objects.reversed() { sheet.add(object) }
    case .regions(let columns, let rows, let classes) where columns == width && rows == height:
      for category in Set(classes).subtracting([0, 255]).sorted() {
        sheet.fill(classes.map { $0 == category }, Int(category), 0.55)
      }
    case .regions: break
    case .points(let points): sheet.add(points, score)
    case .classes(let scores):
      if let best = topIndices(scores, count: 1).first {
        sheet.label(best, Double(scores[best]), x: 0, y: 0)
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
      width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)">
      <image width="\(width)" height="\(height)" xlink:href="\(Sheet.escaped(picture))"/>
      \(sheet.elements.joined(separator: "\n"))
      </svg>

      """
  }
}

/// The elements of a drawing.
private struct Sheet {
  let width: Int
  let height: Int
  let names: [String]
  var elements: [String] = []

  init(width: Int, height: Int, names: [String]) {
    self.width = width
    self.height = height
    self.names = names
  }

  /// The thickness of lines, in pixels of the picture.
  private var line: Double { max(Double(min(width, height)) / 220, 1) }

  private var letters: Double { max(Double(min(width, height)) / 28, 9) }

  mutating func add(_ object: FoundObject) {
    if let mask = object.mask, mask.width == width, mask.height == height {
      fill(mask.bits, object.category, 0.5)
    }
    let box = object.box.clipped(width: Double(width), height: Double(height))
    elements.append(
      "<rect x=\"\(number(box.x))\" y=\"\(number(box.y))\" width=\"\(number(box.width))\" "
        + "height=\"\(number(box.height))\" fill=\"none\" stroke=\"\(color(object.category))\" "
        + "stroke-width=\"\(number(line))\"/>"
    )
    label(object.category, object.score, x: box.x, y: box.y)
  }

  /// Pixels of a class; the way around them is not drawn.
  mutating func fill(_ isInside: [Bool], _ category: Int, _ part: Double) {
    let outline = MaskOutline(width: width, isInside: isInside)
    guard !outline.path.isEmpty else { return }
    let title = Sheet.escaped(name(category))
    elements.append(
      "<path fill=\"\(color(category))\" fill-opacity=\"\(number(part))\" fill-rule=\"evenodd\" "
        + "d=\"\(outline.path)\"><title>\(title)</title></path>"
    )
  }

  mutating func add(_ points: [KeyPoint], _ score: Double) {
    let seen = points.map { $0.score >= score && $0.x.isFinite && $0.y.isFinite }
    for (a, b) in MoveNetHead.bones where max(a, b) < points.count && seen[a] && seen[b] {
      elements.append(
        "<line x1=\"\(number(points[a].x))\" y1=\"\(number(points[a].y))\" "
          + "x2=\"\(number(points[b].x))\" y2=\"\(number(points[b].y))\" stroke=\"#40dcff\" "
          + "stroke-width=\"\(number(line * 2))\" stroke-linecap=\"round\"/>"
      )
    }
    for (point, isSeen) in zip(points, seen) where isSeen {
      elements.append(
        "<circle cx=\"\(number(point.x))\" cy=\"\(number(point.y))\" r=\"\(number(line * 3))\" "
          + "fill=\"#ff4060\"/>"
      )
    }
  }

  /// A class and its score on the class's color, above a place if there is room.
  mutating func label(_ category: Int, _ score: Double, x: Double, y: Double) {
    let text = "\(name(category)) \(Words.fixed(score, 2))"
    let (wide, high) = (letters * (0.6 * Double(text.count) + 0.5), letters * 1.3)
    let left = max(min(x, Double(width) - wide), 0)
    let top = y >= high ? y - high : y
    let paint = Overlay.color(category)
    let isLight = Int(paint.r) * 3 + Int(paint.g) * 6 + Int(paint.b) > 1300
    elements.append(
      "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(wide))\" "
        + "height=\"\(number(high))\" fill=\"\(color(category))\"/>"
    )
    elements.append(
      "<text x=\"\(number(left + letters * 0.25))\" y=\"\(number(top + letters))\" "
        + "font-family=\"sans-serif\" font-size=\"\(number(letters))\" "
        + "textLength=\"\(number(wide - letters * 0.5))\" lengthAdjust=\"spacingAndGlyphs\" "
        + "fill=\"\(isLight ? "#000000" : "#ffffff")\">\(Sheet.escaped(text))</text>"
    )
  }

  private func name(_ category: Int) -> String {
    names.indices.contains(category) ? names[category] : "\(category)"
  }

  private func color(_ category: Int) -> String {
    let color = Overlay.color(category)
    func hex(_ value: UInt8) -> String {
      let text = String(value, radix: 16)
      return text.count == 1 ? "0" + text : text
    }
    return "#" + hex(color.r) + hex(color.g) + hex(color.b)
  }

  private func number(_ value: Double) -> String { Words.fixed(value.isFinite ? value : 0, 2) }

  static func escaped(_ text: String) -> String { Words.markup(Words.printable(text)) }
}
