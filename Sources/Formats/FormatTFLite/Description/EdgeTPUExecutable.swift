import AssayBase
import AssayCodec

/// One executable of a package: instructions, parameters, and what is sent to and fro.
public struct EdgeTPUExecutable: Sendable, Equatable {
  /// What an executable of a package does.
  public enum Role: Int16, Sendable {
    case standAlone = 0
    case parameterCaching = 1
    case executionOnly = 2

    /// In words.
    public var text: String {
      switch self {
      case .standAlone: "all in one"
      case .parameterCaching: "loads parameters"
      case .executionOnly: "computes"
      }
    }
  }

  /// An input or output as the chip has it.
  public struct Layer: Sendable, Equatable {
    /// The tensor's name in the model.
    public var name: String
    /// Rows, columns and channels.
    public var extents: [Int]
    /// Bytes with the padding that the chip wants.
    public var byteCount: Int
    /// How often it is sent in one inference.
    public var timesEach: Int
  }

  /// Bytes that one run sends, as the compiler planned the transfers.
  public struct Transfers: Sendable, Equatable {
    /// To the chip: inputs and streamed parameters.
    public var toChip = 0
    /// The parameters among them.
    public var parameters = 0
    /// Back from the chip.
    public var fromChip = 0
    /// How many single transfers there are.
    public var count = 0
    /// Whether the plan lists every transfer; then none waits for an answer of the driver.
    public var isWhole = false

    /// No transfers.
    public init() {}
  }

  /// What it does; `nil` for a role that is not known.
  public var role: Role?
  /// Its name; `nil` when it has none.
  public var name: String?
  /// The chip that it was made for.
  public var chip: String?
  /// Inputs that one run takes at once.
  public var batchSize: Int
  /// Parameters, bytes: cached on the chip, or streamed at each run by one that computes.
  public var parameterBytes: Int
  /// Instructions, bytes.
  public var instructionBytes: Int
  /// Parts that the instructions come in.
  public var bitstreams: Int
  /// Memory of the host that it needs for intermediate values, bytes.
  public var scratchBytes: Int
  /// The compiler's estimate of the cycles of a run; 0 where it made none.
  public var estimatedCycles: Int
  /// Memory for activations that each tile of the chip uses, bytes.
  public var narrowBytesPerTile: Int
  /// Executables with the same token share the chip's memory for parameters.
  public var cachingToken: UInt64
  /// What it takes.
  public var inputs: [Layer]
  /// What it gives.
  public var outputs: [Layer]
  /// What one run sends; `nil` when the compiler planned no transfers.
  public var transfers: Transfers?

  init(_ bytes: ByteView) throws {
    // Hints of transfers are small tables, three for each; the usual budget is meant for models.
    let reader = FlatBufferReader(bytes, maximumTables: max(10_000, bytes.count / 4))
    let table = try reader.root()
    name = try table.string(1)
    batchSize = Int(try table.scalar(3, default: Int32(0)))
    scratchBytes = Int(try table.scalar(4, default: Int32(0)))
    bitstreams = 0
    instructionBytes = 0
    for stream in try table.tables(5) {
      bitstreams += 1
      instructionBytes += try stream.bytes(0)?.count ?? 0
    }
    parameterBytes = try table.bytes(6)?.count ?? 0
    transfers = try table.table(7).map { try Transfers($0) }
    inputs = try table.tables(8).map { try Layer($0) }
    outputs = try table.tables(9).map { try Layer($0) }
    chip = try table.string(10)
    let cycles = Int(try table.scalar(16, default: Int64(0)))
    estimatedCycles = cycles > 0 ? cycles : Int(try table.scalar(11, default: Int32(0)))
    narrowBytesPerTile = Int(try table.scalar(12, default: Int32(0)))
    role = Role(rawValue: try table.scalar(13, default: Int16(0)))
    cachingToken = try table.scalar(14, default: UInt64(0))
  }
}

extension EdgeTPUExecutable.Layer {
  fileprivate init(_ table: FlatTable) throws {
    name = try table.string(0) ?? ""
    byteCount = Int(try table.scalar(1, default: Int32(0)))
    extents = try (2...4).map { Int(try table.scalar($0, default: Int32(0))) }
    timesEach = Int(try table.scalar(9, default: Int32(1)))
  }
}

extension EdgeTPUExecutable.Transfers {
  /// Kinds of hints, numbers of the union AnyHint.
  private static let descriptor: UInt8 = 1
  /// What a descriptor leads to, numbers of the enum Description.
  private static let parameter: Int16 = 2

  fileprivate init(_ table: FlatTable) throws {
    isWhole = try table.bool(1)
    for hint in try table.tables(0) {
      guard try hint.scalar(0, default: UInt8(0)) == Self.descriptor,
        let descriptor = try hint.table(1)
      else { continue }
      // A count that a damaged file makes negative tells nothing.
      let bytes = max(Int(try descriptor.scalar(2, default: Int32(0))), 0)
      count += 1
      if try hint.scalar(2, default: Int16(0)) == 1 {
        fromChip += bytes
        continue
      }
      toChip += bytes
      let meaning = try descriptor.table(0)?.scalar(0, default: Int16(0)) ?? 0
      if meaning == Self.parameter { parameters += bytes }
    }
  }
}
