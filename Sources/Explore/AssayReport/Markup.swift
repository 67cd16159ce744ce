import AssayBase

/// Text of an HTML page that was made safe: what it holds is markup, never a name as it came.
struct Markup: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
  /// The markup.
  private(set) var text: String

  /// Markup written in the program.
  init(stringLiteral value: String) { text = value }

  /// Markup whose interpolated strings are escaped and whose interpolated markup is kept.
  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  /// Escapes strings, keeps markup and numbers.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text: String

    init(literalCapacity: Int, interpolationCount: Int) { text = "" }
    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ value: String) {
      text += Words.markup(Words.printable(value))
    }
    mutating func appendInterpolation(_ value: Markup) { text += value.text }
    mutating func appendInterpolation(_ value: Int) { text += String(value) }
    mutating func appendInterpolation(_ values: [Markup]) {
      for value in values { text += value.text }
    }
    /// A coordinate, to a hundredth.
    mutating func appendInterpolation(_ value: Double) {
      text += Words.fixed(value.isFinite ? value : 0, 2)
    }
  }

  var description: String { text }

  static func + (a: Markup, b: Markup) -> Markup { "\(a)\(b)" }
  static func += (a: inout Markup, b: Markup) { a.text += b.text }
}
