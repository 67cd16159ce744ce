import AssayBase
import CCairo

/// The form of a drawing's file.
public enum DrawingFormat: String, Sendable, CaseIterable {
  case svg, pdf, png

  /// The form that a file's name asks for.
  ///
  /// - Throws: `Diagnostic` FIG004 for another extension.
  public init(path: String) throws {
    let name = path.lowercased()
    guard let format = Self.allCases.first(where: { name.hasSuffix("." + $0.rawValue) }) else {
      throw Diagnostic(
        "FIG004",
        "'\(path)' does not tell how to draw",
        remedy: "end it with .svg, .pdf or .png"
      )
    }
    self = format
  }
}

/// A color, parts from 0 to 1.
struct Ink: Sendable, Equatable {
  var red: Double, green: Double, blue: Double
  var alpha = 1.0

  /// A color as `0xRRGGBB`.
  init(_ hex: UInt32, alpha: Double = 1) {
    red = Double(hex >> 16 & 255) / 255
    green = Double(hex >> 8 & 255) / 255
    blue = Double(hex & 255) / 255
    self.alpha = alpha
  }

  static let text = Ink(0x14202E)
  static let soft = Ink(0x5B6776)
  static let line = Ink(0xD3DAE2)
  static let paper = Ink(0xFFFFFF)

  /// How bright it looks, from 0 to 1 (the luma of sRGB).
  var brightness: Double { 0.2126 * red + 0.7152 * green + 0.0722 * blue }
}

/// A sheet to draw on; the origin is its upper left corner, lengths are points.
///
/// Safe because: it lives within `draw`, which owns what it points to.
@safe
struct Canvas {
  /// Where a text is anchored.
  enum Anchor { case start, middle, end }

  private let cairo: CCairo
  private let context: UnsafeMutableRawPointer

  /// Draws a sheet and gives its file.
  ///
  /// The same drawing gives the same bytes: nothing of the clock goes in but `madeAt`.
  ///
  /// - Parameters:
  ///   - pixels: the width of a PNG in pixels; twice the points unless given.
  ///   - madeAt: nanoseconds since 1970, for the metadata of a PDF.
  /// - Throws: `Diagnostic` FIG001 without Cairo, FIG005 when it fails.
  static func draw(
    _ format: DrawingFormat,
    width: Double,
    height: Double,
    pixels: Int? = nil,
    title: String,
    madeAt: Int64 = 0,
    _ body: (Canvas) -> Void
  ) throws -> [UInt8] {
    let cairo = try DrawingLibrary.cairoTable.get()
    let sink = Sink()
    // Cairo may write until its surface is destroyed.
    defer { withExtendedLifetime(sink) {} }
    let closure = unsafe Unmanaged.passUnretained(sink).toOpaque()
    let scale = format == .png ? Double(pixels ?? Int(width * 2)) / width : 1
    let surface: UnsafeMutableRawPointer? =
      switch format {
      case .svg: unsafe cairo.svg_surface_create_for_stream(writeToSink, closure, width, height)
      case .pdf: unsafe cairo.pdf_surface_create_for_stream(writeToSink, closure, width, height)
      case .png:
        cairo.image_surface_create(
          Int32(CCAIRO_FORMAT_ARGB32),
          Int32((width * scale).rounded()),
          Int32((height * scale).rounded())
        )
      }
    guard let surface = unsafe surface else {
      throw Diagnostic("FIG005", "Cairo makes no \(format.rawValue)")
    }
    defer { unsafe cairo.surface_destroy(surface) }
    try unsafe check(cairo, cairo.surface_status(surface))
    if format == .pdf {
      let day = Words.moment(madeAt).split(separator: " ").first.map(String.init) ?? "1970-01-01"
      unsafe cairo.pdf_surface_set_metadata(surface, Int32(CCAIRO_PDF_TITLE), title)
      unsafe cairo.pdf_surface_set_metadata(surface, Int32(CCAIRO_PDF_CREATOR), "assay")
      unsafe cairo.pdf_surface_set_metadata(
        surface,
        Int32(CCAIRO_PDF_CREATE_DATE),
        "\(day)T00:00:00Z"
      )
    }
    guard let context = unsafe cairo.create(surface) else {
      throw Diagnostic("FIG005", "Cairo makes no context")
    }
    defer { unsafe cairo.destroy(context) }
    unsafe cairo.scale(context, scale, scale)
    let canvas = unsafe Canvas(cairo: cairo, context: context)
    body(canvas)
    try unsafe check(cairo, cairo.status(context))
    if format == .png {
      try unsafe check(cairo, cairo.surface_write_to_png_stream(surface, writeToSink, closure))
    } else {
      unsafe cairo.surface_finish(surface)
    }
    try unsafe check(cairo, cairo.surface_status(surface))
    return sink.bytes
  }

  private static func check(_ cairo: CCairo, _ status: Int32) throws {
    guard status != Int32(CCAIRO_SUCCESS) else { return }
    let words = unsafe cairo.status_to_string(status).map { unsafe String(cString: $0) }
    throw Diagnostic("FIG005", "Cairo could not draw", cause: words)
  }

  // MARK: Shapes

  func fill(_ ink: Ink) {
    unsafe cairo.set_source_rgba(context, ink.red, ink.green, ink.blue, ink.alpha)
    unsafe cairo.fill(context)
  }

  func stroke(_ ink: Ink, width: Double = 1, dashes: [Double] = []) {
    unsafe cairo.set_source_rgba(context, ink.red, ink.green, ink.blue, ink.alpha)
    unsafe cairo.set_line_width(context, width)
    unsafe dashes.withUnsafeBufferPointer {
      unsafe cairo.set_dash(context, $0.baseAddress, Int32($0.count), 0)
    }
    unsafe cairo.stroke(context)
  }

  func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
    unsafe cairo.new_path(context)
    unsafe cairo.rectangle(context, x, y, width, height)
  }

  /// A rectangle with round corners.
  func card(_ x: Double, _ y: Double, _ width: Double, _ height: Double, radius: Double) {
    let quarter = Double.pi / 2
    unsafe cairo.new_path(context)
    unsafe cairo.arc(context, x + width - radius, y + radius, radius, -quarter, 0)
    unsafe cairo.arc(context, x + width - radius, y + height - radius, radius, 0, quarter)
    unsafe cairo.arc(context, x + radius, y + height - radius, radius, quarter, 2 * quarter)
    unsafe cairo.arc(context, x + radius, y + radius, radius, 2 * quarter, 3 * quarter)
    unsafe cairo.close_path(context)
  }

  func circle(_ x: Double, _ y: Double, _ radius: Double) {
    unsafe cairo.new_path(context)
    unsafe cairo.arc(context, x, y, radius, 0, 2 * Double.pi)
  }

  /// A line through points; closed ones can be filled.
  func path(_ points: [(x: Double, y: Double)], isClosed: Bool = false) {
    unsafe cairo.new_path(context)
    for (place, point) in points.enumerated() {
      if place == 0 {
        unsafe cairo.move_to(context, point.x, point.y)
      } else {
        unsafe cairo.line_to(context, point.x, point.y)
      }
    }
    if isClosed { unsafe cairo.close_path(context) }
  }

  /// Draws with the origin further down.
  func shifted(by y: Double, _ body: () -> Void) {
    unsafe cairo.save(context)
    unsafe cairo.translate(context, 0, y)
    body()
    unsafe cairo.restore(context)
  }

  // MARK: Text

  private func select(_ size: Double, _ isBold: Bool, _ isMonospaced: Bool = false) {
    unsafe cairo.select_font_face(
      context,
      isMonospaced ? "DejaVu Sans Mono" : "DejaVu Sans",
      Int32(CCAIRO_SLANT_NORMAL),
      Int32(isBold ? CCAIRO_WEIGHT_BOLD : CCAIRO_WEIGHT_NORMAL)
    )
    unsafe cairo.set_font_size(context, size)
  }

  /// How wide a text would be.
  func width(_ text: String, size: Double, isBold: Bool = false) -> Double {
    select(size, isBold)
    var extents = CCairoTextExtents()
    unsafe cairo.text_extents(context, Words.printable(text), &extents)
    return extents.x_advance
  }

  /// Writes a text on a base line; one that is wider than `fitting` is set smaller, down to 60 %, and
  /// then cut.
  func write(
    _ text: String,
    _ x: Double,
    _ y: Double,
    size: Double,
    isBold: Bool = false,
    isMonospaced: Bool = false,
    _ ink: Ink = .text,
    _ anchor: Anchor = .start,
    fitting limit: Double? = nil
  ) {
    var (text, size) = (Words.printable(text), size)
    if let limit {
      let full = width(text, size: size, isBold: isBold)
      if full > limit { size *= max(limit / full, 0.6) }
      while text.count > 2, width(text, size: size, isBold: isBold) > limit {
        text = String(text.dropLast(text.hasSuffix("…") ? 2 : 1)) + "…"
      }
    }
    let shift: Double =
      switch anchor {
      case .start: 0
      case .middle: width(text, size: size, isBold: isBold) / 2
      case .end: width(text, size: size, isBold: isBold)
      }
    select(size, isBold, isMonospaced)
    unsafe cairo.set_source_rgba(context, ink.red, ink.green, ink.blue, ink.alpha)
    unsafe cairo.new_path(context)
    unsafe cairo.move_to(context, x - shift, y)
    unsafe cairo.show_text(context, text)
  }

  /// Writes a text upwards.
  func writeUpwards(_ text: String, _ x: Double, _ y: Double, size: Double, _ ink: Ink) {
    unsafe cairo.save(context)
    unsafe cairo.translate(context, x, y)
    unsafe cairo.rotate(context, -Double.pi / 2)
    write(text, 0, 0, size: size, ink, .middle)
    unsafe cairo.restore(context)
  }
}

/// What Cairo writes.
private final class Sink {
  var bytes: [UInt8] = []
}

private let writeToSink: CCairoWrite = { closure, data, length in
  guard let closure = unsafe closure, let data = unsafe data else {
    return Int32(CCAIRO_WRITE_ERROR)
  }
  let sink = unsafe Unmanaged<Sink>.fromOpaque(closure).takeUnretainedValue()
  unsafe sink.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(length)))
  return Int32(CCAIRO_SUCCESS)
}
