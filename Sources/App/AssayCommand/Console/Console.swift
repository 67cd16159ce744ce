import AssayBase
import AssayHost
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a command's words go: results to standard output, everything else to standard error.
struct Console: Sendable {
  /// Whether notes and progress are left out.
  var isQuiet = false
  /// Where the JSON result goes (`-` for standard output); `nil` for the plain text result.
  var jsonPath: String?

  /// Whether a person watches standard error.
  static let isTerminal = isatty(2) == 1
  /// Whether colours may be used on standard output.
  static let usesColor =
    unsafe isatty(1) == 1 && getenv("NO_COLOR") == nil

  /// Columns of the terminal, or 100.
  static var width: Int {
    var size = winsize()
    if unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 { return Int(size.ws_col) }
    return 100
  }

  /// Writes a result to standard output.
  func output(_ text: String) { Console.write(text, to: 1) }

  /// Gives a result: as JSON where that was asked for, else as text.
  ///
  /// Text is left out when the JSON goes to standard output.
  func result(_ json: @autoclosure () -> JSON, text: @autoclosure () -> String) throws {
    switch jsonPath {
    case "-"?: output(json().text(pretty: true) + "\n")
    case let path?:
      // What was measured is shown even where the file cannot be written.
      output(text())
      try AtomicFile.write(json().text(pretty: true) + "\n", to: path)
    case nil: output(text())
    }
  }

  /// Writes a note for the person at the terminal to standard error.
  func note(_ text: String) { if !isQuiet { Console.write(text + "\n", to: 2) } }

  /// Writes a finding to standard error.
  func report(_ diagnostic: Diagnostic) {
    if isQuiet, diagnostic.severity != .error { return }
    Console.write("\(diagnostic)\n", to: 2)
  }

  /// Shows how far a long job is, on a terminal only; the next line replaces it.
  func progress(_ text: String) {
    guard !isQuiet, Console.isTerminal else { return }
    Console.write("\r\u{1B}[2K\(text)", to: 2)
  }

  /// Removes the progress line.
  func endProgress() {
    guard !isQuiet, Console.isTerminal else { return }
    Console.write("\r\u{1B}[2K", to: 2)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let written = unsafe bytes[offset...].withUnsafeBytes {
        unsafe systemWrite(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return }
      offset += written
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}
