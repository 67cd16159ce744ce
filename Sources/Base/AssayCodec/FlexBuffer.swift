import AssayBase

/// One value of a FlexBuffer (the schemaless sibling of FlatBuffers), read from untrusted bytes.
///
/// Every offset is checked when it is followed and leads backward, so that nothing runs in a circle.
/// Faults are diagnostics FLB005.
public struct FlexBuffer: Sendable {
  private let bytes: ByteView
  /// Where the value, or the offset to it, lies.
  private let position: Int
  /// Bytes of what lies at `position`.
  private let parentWidth: Int
  /// Bytes of the elements and the length of what it leads to.
  private let width: Int
  private let kind: UInt8

  private enum Kind {
    static let int: UInt8 = 1
    static let unsigned: UInt8 = 2
    static let float: UInt8 = 3
    static let string: UInt8 = 5
    static let indirectInt: UInt8 = 6
    static let indirectUnsigned: UInt8 = 7
    static let indirectFloat: UInt8 = 8
    static let map: UInt8 = 9
    static let vector: UInt8 = 10
    static let typedVectors: ClosedRange<UInt8> = 11...15
    static let blob: UInt8 = 25
    static let bool: UInt8 = 26
    static let bools: UInt8 = 36
  }

  /// The root value.
  ///
  /// - Throws: `Diagnostic` FLB005 when there is none.
  public init(_ bytes: ByteView) throws(Diagnostic) {
    guard bytes.count >= 3 else { throw Self.fault(0) }
    let width = Int(try Self.unsigned(bytes, bytes.count - 1, 1))
    let packed = UInt8(truncatingIfNeeded: try Self.unsigned(bytes, bytes.count - 2, 1))
    guard [1, 2, 4, 8].contains(width), bytes.count >= 2 + width else {
      throw Self.fault(bytes.count - 1)
    }
    self.init(bytes, bytes.count - 2 - width, parentWidth: width, packed: packed)
  }

  private init(_ bytes: ByteView, _ position: Int, parentWidth: Int, packed: UInt8) {
    self.bytes = bytes
    self.position = position
    self.parentWidth = parentWidth
    width = 1 << Int(packed & 3)
    kind = packed >> 2
  }

  private static func fault(_ position: Int) -> Diagnostic {
    Diagnostic(
      "FLB005",
      "an operator's options are damaged",
      at: ["byte \(position) of the options"],
      remedy: "make or download the file again"
    )
  }

  private static func unsigned(
    _ bytes: ByteView,
    _ position: Int,
    _ width: Int
  ) throws(Diagnostic) -> UInt64 {
    do {
      switch width {
      case 1: return UInt64(try bytes.load(UInt8.self, at: position))
      case 2: return UInt64(try bytes.load(UInt16.self, at: position))
      case 4: return UInt64(try bytes.load(UInt32.self, at: position))
      default: return try bytes.load(UInt64.self, at: position)
      }
    } catch {
      throw fault(position)
    }
  }

  private static func signed(
    _ bytes: ByteView,
    _ position: Int,
    _ width: Int
  ) throws(Diagnostic) -> Int {
    let bits = try unsigned(bytes, position, width)
    let shift = UInt64(64 - 8 * width)
    return Int(Int64(bitPattern: bits << shift) >> Int64(shift))
  }

  private static func real(
    _ bytes: ByteView,
    _ position: Int,
    _ width: Int
  ) throws(Diagnostic) -> Double {
    let bits = try unsigned(bytes, position, width)
    switch width {
    case 4: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case 8: return Double(bitPattern: bits)
    default: throw fault(position)
    }
  }

  /// Where the offset at `position` leads.
  private func target(_ position: Int, _ width: Int) throws(Diagnostic) -> Int {
    let distance = try Self.unsigned(bytes, position, width)
    guard distance > 0, distance <= UInt64(position) else { throw Self.fault(position) }
    return position - Int(distance)
  }

  /// The start and the length of a vector, a text or a blob.
  private func run(elementWidth: Int) throws(Diagnostic) -> (start: Int, count: Int) {
    let start = try target(position, parentWidth)
    guard start >= width else { throw Self.fault(position) }
    let count = try Self.unsigned(bytes, start - width, width)
    guard count <= UInt64(bytes.count - start) / UInt64(elementWidth) else {
      throw Self.fault(start - width)
    }
    return (start, Int(count))
  }

  /// An integer, or a truth value as 0 or 1; `nil` for another kind or one that is too large.
  public var integer: Int? {
    get throws(Diagnostic) {
      switch kind {
      case Kind.int: return try Self.signed(bytes, position, parentWidth)
      case Kind.unsigned, Kind.bool:
        return Int(exactly: try Self.unsigned(bytes, position, parentWidth))
      case Kind.indirectInt:
        return try Self.signed(bytes, target(position, parentWidth), width)
      case Kind.indirectUnsigned:
        return Int(exactly: try Self.unsigned(bytes, target(position, parentWidth), width))
      default: return nil
      }
    }
  }

  /// A number; `nil` for another kind.
  public var real: Double? {
    get throws(Diagnostic) {
      switch kind {
      case Kind.float: return try Self.real(bytes, position, parentWidth)
      case Kind.indirectFloat:
        return try Self.real(bytes, target(position, parentWidth), width)
      default: return try integer.map { Double($0) }
      }
    }
  }

  /// The bytes of a text or a blob, not copied; `nil` for another kind.
  public var data: ByteView? {
    get throws(Diagnostic) {
      guard kind == Kind.string || kind == Kind.blob else { return nil }
      let (start, count) = try run(elementWidth: 1)
      do { return try bytes.slice(start, count) } catch { throw Self.fault(start) }
    }
  }

  /// A text; `nil` for another kind.
  public var text: String? {
    get throws(Diagnostic) {
      guard kind == Kind.string else { return nil }
      return try data?.utf8
    }
  }

  /// The elements of a vector, or the values of a map; `nil` for another kind.
  public var elements: [FlexBuffer]? {
    get throws(Diagnostic) {
      let isTyped = Kind.typedVectors.contains(kind) || kind == Kind.bools
      guard kind == Kind.vector || kind == Kind.map || isTyped else { return nil }
      // Elements of mixed kinds have a byte each that tells the kind.
      let (start, count) = try run(elementWidth: isTyped ? width : width + 1)
      var result: [FlexBuffer] = []
      result.reserveCapacity(count)
      for index in 0..<count {
        let packed: UInt8
        if isTyped {
          packed = (kind == Kind.bools ? Kind.bool : kind - 10) << 2
        } else {
          packed = UInt8(
            truncatingIfNeeded: try Self.unsigned(bytes, start + count * width + index, 1)
          )
        }
        result.append(
          FlexBuffer(bytes, start + index * width, parentWidth: width, packed: packed)
        )
      }
      return result
    }
  }

  /// The entries of a map; `nil` for another kind.
  public var entries: [String: FlexBuffer]? {
    get throws(Diagnostic) {
      guard kind == Kind.map, let values = try elements else { return nil }
      let start = try target(position, parentWidth)
      guard start >= 3 * width else { throw Self.fault(start) }
      let keys = try target(start - 3 * width, width)
      let keyWidth = Int(truncatingIfNeeded: try Self.unsigned(bytes, start - 2 * width, width))
      guard [1, 2, 4, 8].contains(keyWidth), values.count <= (bytes.count - keys) / keyWidth else {
        throw Self.fault(start)
      }
      var result: [String: FlexBuffer] = [:]
      for (index, value) in values.enumerated() {
        let first = try target(keys + index * keyWidth, keyWidth)
        var characters: [UInt8] = []
        while characters.count < 256 {
          let byte = UInt8(
            truncatingIfNeeded: try Self.unsigned(bytes, first + characters.count, 1)
          )
          if byte == 0 { break }
          characters.append(byte)
        }
        guard let key = String(validating: characters, as: UTF8.self) else {
          throw Self.fault(first)
        }
        result[key] = value
      }
      return result
    }
  }

  /// The bytes of a vector of two texts, the second of which may hold any bytes.
  public static func pair(_ first: String, _ second: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    func append(_ value: Int) {
      for byte in 0..<4 { result.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    var starts: [Int] = []
    for text in [Array(first.utf8), second] {
      append(text.count)
      starts.append(result.count)
      result += text + [0]
      while result.count % 4 != 0 { result.append(0) }
    }
    append(2)
    let vector = result.count
    for start in starts { append(result.count - start) }
    // Widths of four bytes everywhere: what is longer does not fit a file of this format.
    result += [Kind.string << 2 | 2, Kind.string << 2 | 2]
    while result.count % 4 != 0 { result.append(0) }
    append(result.count - vector)
    result += [Kind.vector << 2 | 2, 4]
    return result
  }
}
