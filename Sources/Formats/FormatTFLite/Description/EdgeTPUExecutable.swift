import AssayBase
import AssayCodec

/// What a custom operator that the Edge TPU compiler made tells of itself.
///
/// Its options are a FlexBuffer map whose entry `4` is a package (a FlatBuffer with the identifier
/// DWN1) of executables. One that caches parameters loads them once; another then only computes.
struct EdgeTPUExecutable: Sendable, Equatable {
  /// The name of the custom operator.
  static let customName = "edgetpu-custom-op"

  /// What an executable of a package does.
  enum Role: Int16 {
    case standAlone = 0
    case parameterCaching = 1
    case executionOnly = 2

    var text: String {
      switch self {
      case .standAlone: "all in one"
      case .parameterCaching: "loads parameters"
      case .executionOnly: "computes"
      }
    }
  }

  var role: Role?
  var name: String?
  var chip: String?
  /// Parameters in bytes: cached on the chip, or streamed at each run by one that computes.
  var parameterBytes = 0
  var instructionBytes = 0
  var bitstreams = 0
  var scratchBytes = 0
  /// The compiler's estimate of the cycles of a run; 0 where it made none.
  var estimatedCycles = 0
  /// Memory for activations that each tile uses.
  var narrowBytesPerTile = 0
  var cachingToken: UInt64 = 0

  /// A package of executables.
  struct Package: Sendable {
    var bytes: Int
    var runtimeVersion: Int
    var compiler: String?
    var executables: [EdgeTPUExecutable]

    /// Parameters that stay on the chip, in bytes.
    var cachedBytes: Int {
      executables.filter { $0.role == .parameterCaching }.reduce(0) { $0 + $1.parameterBytes }
    }
    /// Parameters that are sent at each run, in bytes.
    var streamedBytes: Int {
      executables.filter { $0.role != .parameterCaching }.reduce(0) { $0 + $1.parameterBytes }
    }
    /// Instructions in bytes.
    var instructionBytes: Int { executables.reduce(0) { $0 + $1.instructionBytes } }
    /// The estimate of the cycles of a run; `nil` where there is none.
    var estimatedCycles: Int? {
      let cycles = executables.map(\.estimatedCycles).max() ?? 0
      return cycles > 0 ? cycles : nil
    }
  }

  /// Reads the options of a custom operator.
  ///
  /// - Throws: `Diagnostic` FLB… when they are damaged, TFL028 when they are no package.
  static func package(_ options: ByteView) throws -> Package {
    guard let entry = try FlexBuffer(options).entries?["4"], let bytes = try entry.data else {
      throw Diagnostic("TFL028", "the operator holds no package of executables")
    }
    let root = try FlatBufferReader(bytes).root(identifier: "DWN1")
    var package = Package(
      bytes: bytes.count,
      runtimeVersion: Int(try root.scalar(0, default: Int32(0))),
      compiler: try root.string(4),
      executables: []
    )
    if let inner = try root.bytes(1) {
      let several = try FlatBufferReader(inner).root()
      for executable in try several.blobs(0).prefix(64) {
        package.executables.append(try EdgeTPUExecutable(executable))
      }
    }
    return package
  }

  private init(_ bytes: ByteView) throws {
    let table = try FlatBufferReader(bytes).root()
    name = try table.string(1)
    scratchBytes = Int(try table.scalar(4, default: Int32(0)))
    for stream in try table.tables(5) {
      bitstreams += 1
      instructionBytes += try stream.bytes(0)?.count ?? 0
    }
    parameterBytes = try table.bytes(6)?.count ?? 0
    chip = try table.string(10)
    let cycles = Int(try table.scalar(16, default: Int64(0)))
    estimatedCycles = cycles > 0 ? cycles : Int(try table.scalar(11, default: Int32(0)))
    narrowBytesPerTile = Int(try table.scalar(12, default: Int32(0)))
    role = Role(rawValue: try table.scalar(13, default: Int16(0)))
    cachingToken = try table.scalar(14, default: UInt64(0))
  }
}
