import CRunner

/// A runtime's library, loaded on the device.
protocol RuntimeLibrary: AnyObject {
  /// Its version as it tells it; `nil` when only the host knows.
  var version: String? { get }
  /// Loads a model.
  func session(_ source: Runner.Source, isProfiling: Bool) throws(Failure) -> any RuntimeSession
}

/// A model that is loaded into a runtime, as the runner drives it.
protocol RuntimeSession: Session {
  var inputs: [Port] { get }
  var outputs: [Port] { get }
  var readNanoseconds: UInt64 { get }
  var compileNanoseconds: UInt64 { get }
  /// What executes it, in the runtime's words.
  var provider: String { get }
  /// Operators of the file, and how many of them run on the provider where that is known.
  var total: Int { get }
  var placed: Int? { get }
  var notes: [String] { get }
  /// What a record keeps of an accelerator; `nil` without one that is known.
  var accelerator: Value? { get }
  /// The runtime's words for the last failure.
  var failureText: String { get }
  func write(_ bytes: ArraySlice<UInt8>, toInput index: Int) throws(Failure)
  func read(output index: Int) throws(Failure) -> [UInt8]
  /// Times of operators, in a session that was made for that, and what is placed where in the light of
  /// them.
  func profile(runs: Int) throws(Failure) -> (times: [OperatorTime], placed: Int?)
}

/// Functions of a shared library as a table.
enum FunctionTable {
  /// Fills a table of functions from a library.
  ///
  /// - Parameter names: the functions in the order of the table, each ended by NUL, an empty one last.
  /// - Returns: the names that the library lacks, each with a space in front.
  static func fill(
    _ fields: UnsafeMutableRawBufferPointer,
    _ names: UnsafePointer<CChar>?,
    _ library: UnsafeMutableRawPointer
  ) -> String {
    var missing = ""
    var offset = 0
    guard var name = names else { return " all" }
    while name.pointee != 0, offset + 8 <= fields.count {
      let address = crunner_symbol(library, name)
      if address == nil { missing += " " + String(cString: name) }
      fields.storeBytes(of: UInt(bitPattern: address), toByteOffset: offset, as: UInt.self)
      offset += 8
      while name.pointee != 0 { name += 1 }
      name += 1
    }
    return missing
  }
}

/// Names of ports as the author wrote them, where that leaves them distinct.
func plainNames(_ ports: inout [Port]) {
  var names: [String] = []
  for port in ports {
    var text = Array(port.name.utf8)
    let prefix = Array("serving_default_".utf8)
    if text.starts(with: prefix) { text.removeFirst(prefix.count) }
    if let colon = text.lastIndex(of: 58),
      text[(colon + 1)...].allSatisfy({ (48...57).contains($0) })
    {
      text.removeLast(text.count - colon)
    }
    let name = text.isEmpty ? port.name : String(decoding: text, as: UTF8.self)
    for other in names where other == name { return }
    names.append(name)
  }
  for index in ports.indices { ports[index].name = names[index] }
}
