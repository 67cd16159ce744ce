import AssayBase
import AssayCodec

/// Any recorded trace: ours and others' CSV, Monsoon's PT4, Nordic's PPK2.
public enum TraceFile {
  /// Reads a file by what it begins with.
  ///
  /// - Parameters:
  ///   - volts: the voltage to multiply currents with where the file has none.
  ///   - accuracy: what the user states of gain and offset; the file's own where `nil`.
  /// - Throws: `Diagnostic` MTR060… with the reason.
  public static func read(
    path: String,
    volts: Double? = nil,
    gain: Double? = nil,
    offsetWatts: Double? = nil
  ) throws -> PowerTrace {
    var trace = try read(MappedFile(path: path).view, name: path, volts: volts)
    for index in trace.channels.indices {
      if let gain {
        trace.channels[index].accuracy.gain = gain
        trace.channels[index].accuracy.isSpecified = true
        trace.channels[index].accuracy.source = "as given"
      }
      if let offsetWatts { trace.channels[index].accuracy.offsetWatts = offsetWatts }
    }
    return trace
  }

  /// Reads a file's bytes by what they begin with.
  ///
  /// - Throws: `Diagnostic` MTR060… with the reason.
  public static func read(
    _ bytes: ByteView,
    name: String,
    volts: Double? = nil
  ) throws -> PowerTrace {
    if PT4.sniff(bytes) { return try PT4.read(bytes, name: name) }
    if ZipArchive.sniff(bytes) { return try PPK2.read(bytes, name: name, volts: volts) }
    if let text = bytes.utf8 { return try TraceCSV.read(text, name: name, volts: volts) }
    throw Diagnostic(
      "MTR060",
      "this is no recording of power that is known",
      at: [name],
      remedy: "CSV with a time and a power, Monsoon's .pt4, or Nordic's .ppk2"
    )
  }
}
