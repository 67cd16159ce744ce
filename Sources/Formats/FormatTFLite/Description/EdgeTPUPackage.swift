import AssayBase
import AssayCodec

/// What one custom operator that the Edge TPU's compiler made carries: a package of executables.
///
/// The operator's options are a FlexBuffer map whose entry `4` is a FlatBuffer with the identifier
/// DWN1 (the schema that libedgetpu publishes). A package mostly holds two executables: one loads
/// parameters into the chip's memory once, the other computes and finds them there.
public struct EdgeTPUPackage: Sendable, Equatable {
  /// The name of the custom operator.
  public static let customName = "edgetpu-custom-op"

  /// Bytes of the package.
  public var byteCount: Int
  /// The oldest runtime (libedgetpu's `RuntimeVersion`) that understands it.
  public var minimumRuntime: Int
  /// The compiler's version; `nil` when it does not tell.
  public var compiler: String?
  /// What a user called the model; `nil` for nothing.
  public var model: String?
  /// Its executables, in the file's order.
  public var executables: [EdgeTPUExecutable]

  /// Parameters that stay on the chip, bytes.
  public var cachedBytes: Int {
    executables.filter { $0.role == .parameterCaching }.reduce(0) { $0 + $1.parameterBytes }
  }

  /// Parameters that are sent at each run, bytes.
  public var streamedBytes: Int {
    executables.filter { $0.role != .parameterCaching }.reduce(0) { $0 + $1.parameterBytes }
  }

  /// Instructions, bytes.
  public var instructionBytes: Int { executables.reduce(0) { $0 + $1.instructionBytes } }

  /// What goes to the chip and comes back at each run.
  public var transfers: EdgeTPUExecutable.Transfers? {
    executables.first { $0.role != .parameterCaching }?.transfers
  }

  /// The compiler's estimate of a run, cycles of the chip's clock; `nil` where it made none.
  ///
  /// It leaves the way to the chip out: a run takes longer.
  public var estimatedCycles: Int? {
    let cycles = executables.map(\.estimatedCycles).max() ?? 0
    return cycles > 0 ? cycles : nil
  }

  /// Reads the options of a custom operator.
  ///
  /// - Throws: `Diagnostic` FLB… when they are damaged, TFL028 when they are no package.
  public init(options: ByteView) throws {
    guard let entry = try FlexBuffer(options).entries?["4"], let bytes = try entry.data else {
      throw Diagnostic(
        "TFL028",
        "the operator holds no package of executables",
        remedy: "compile the model again with edgetpu_compiler"
      )
    }
    try self.init(package: bytes)
  }

  /// Reads a package.
  ///
  /// - Throws: `Diagnostic` FLB… when it is damaged.
  public init(package bytes: ByteView) throws {
    let root = try FlatBufferReader(bytes).root(identifier: "DWN1")
    byteCount = bytes.count
    minimumRuntime = Int(try root.scalar(0, default: Int32(0)))
    let version = try root.string(4) ?? ""
    compiler = version.isEmpty ? nil : version
    let name = try root.string(7) ?? ""
    model = name.isEmpty ? nil : name
    executables = []
    if let inner = try root.bytes(1) {
      let several = try FlatBufferReader(inner).root()
      for executable in try several.blobs(0).prefix(64) {
        executables.append(try EdgeTPUExecutable(executable))
      }
    }
  }

  /// The packages of a .tflite file, one for each custom operator of the compiler; none in a file that
  /// was not compiled.
  ///
  /// - Throws: `Diagnostic` FLB… or TFL… when the file or a package is damaged.
  public static func all(inFile bytes: ByteView) throws -> [EdgeTPUPackage] {
    let model = try ModelRecord(reading: bytes)
    return try model.edgeTPUOptions.map { try EdgeTPUPackage(options: $0) }
  }
}

extension ModelRecord {
  /// The options of the operators that the Edge TPU's compiler made.
  var edgeTPUOptions: [ByteView] {
    subgraphs.flatMap { subgraph in
      subgraph.operators.compactMap { entry in
        guard codes.indices.contains(entry.code),
          codes[entry.code].custom == EdgeTPUPackage.customName
        else { return nil }
        return entry.customOptions
      }
    }
  }
}
