import AssayBase
import AssayHost
import AssayRecord
import FormatTFLite
import RuntimeLiteRT

/// What an Edge TPU can be told on the command line.
enum EdgeTPUOptions {
  static let clock = Option(
    "--clock",
    .choice(EdgeTPUClock.allCases.map(\.rawValue)),
    "Edge TPU: its clock; standard is 250 MHz, maximum 500 MHz (default: as the library was built)"
  )
  static let device = Option(
    "--tpu",
    .value("WHICH"),
    "Edge TPU: usb, pci, usb:1, or its path (default: the first)"
  )

  /// The settings of a session.
  static func settings(_ arguments: Arguments) -> [String: String] {
    var settings: [String: String] = [:]
    settings["clock"] = arguments.value("--clock")
    settings["device"] = arguments.value("--tpu")
    return settings
  }

  /// What a compiled file tells of its compiler and of the runtime that it needs; `nil` for a file that
  /// was not compiled.
  static func fileFacts(_ path: String) throws -> Record.Accelerator? {
    guard Host.kind(of: path) == .file, path.hasSuffix(".tflite"),
      let package = try EdgeTPUPackage.all(inFile: MappedFile(path: path).view).first
    else { return nil }
    var accelerator = Record.Accelerator(kind: "edgetpu")
    accelerator.compiler = package.compiler
    accelerator.minimumRuntime = package.minimumRuntime
    return accelerator
  }
}
