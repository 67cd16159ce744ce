import AssayBase
import AssayMeter
import AssayReport

/// Options that the power commands share.
enum PowerOptions {
  static let meter = Option(
    "--meter",
    short: "-m",
    .value("NAME"),
    "the meter, such as rapl, or monsoon:volts=4.0 (see assay power list)"
  )
  static let plot = Option("--plot", .value("FILE"), "draw the trace: .svg, .png or .html")

  /// The meter's words.
  static func required(_ arguments: Arguments) throws -> String {
    guard let words = arguments.value("--meter") else {
      throw Diagnostic("CLI005", "--meter is missing", remedy: "see assay power list")
    }
    return words
  }

  /// A positive number of seconds.
  static func seconds(_ arguments: Arguments, _ name: String = "--seconds") throws -> Double? {
    guard let text = arguments.value(name) else { return nil }
    guard let value = Double(text), value > 0, value <= 1e7 else {
      throw Diagnostic("CLI006", "\(name) must be a positive number, not '\(text)'")
    }
    return value
  }

  /// Refuses a trace's name whose ending is not known, before anything is recorded.
  static func checkName(_ path: String) throws {
    guard path.hasSuffix(".csv") || path.hasSuffix(".npz") else {
      throw Diagnostic("CLI006", "a trace is .csv or .npz, not '\(path)'")
    }
  }

  /// Writes a trace by its name's ending.
  static func write(_ trace: PowerTrace, to path: String) throws {
    if path.hasSuffix(".npz") {
      try AtomicFile.write(try TraceNPZ.write(trace), to: path)
    } else {
      try AtomicFile.write(TraceCSV.write(trace), to: path)
    }
  }

  /// Draws a trace where `--plot` asks for it.
  static func draw(_ trace: PowerTrace, _ arguments: Arguments) throws {
    guard let path = arguments.value("--plot") else { return }
    let drawing = TraceDrawing(trace, title: trace.identity.name)
    if path.hasSuffix(".png") {
      try AtomicFile.write(try drawing.png(), to: path)
    } else if path.hasSuffix(".html") {
      try AtomicFile.write(drawing.page, to: path)
    } else if path.hasSuffix(".svg") {
      try AtomicFile.write(drawing.svg, to: path)
    } else {
      throw Diagnostic("CLI006", "a drawing is .svg, .png or .html, not '\(path)'")
    }
  }
}
