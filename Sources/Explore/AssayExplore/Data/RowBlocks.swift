import AssayBase
import AssayCodec
import AssayRate

/// Writes lists of numbers and texts one after the other: a length and the elements as they lie in memory.
struct RowWriter {
  static let magic = Array("ASSYROWS".utf8)

  private var blocks = [ByteView(RowWriter.magic)]

  mutating func put<Number: BitwiseCopyable>(_ numbers: [Number]) {
    let bytes = unsafe numbers.withUnsafeBytes { unsafe Array($0) }
    blocks.append(ByteView(Self.bytes(of: UInt64(bytes.count))))
    blocks.append(ByteView(bytes))
  }

  mutating func put(_ texts: [String]) {
    put(texts.map { UInt32($0.utf8.count) })
    var bytes: [UInt8] = []
    for text in texts { bytes += text.utf8 }
    put(bytes)
  }

  /// Figures by their parts; the kind of one that is missing is 0.
  mutating func put(_ figures: [Measured?]) {
    var kinds: [UInt8] = []
    var sources: [UInt8] = []
    var values: [Double] = []
    var parts: [Double] = []
    for figure in figures {
      guard let figure else {
        kinds.append(0)
        continue
      }
      sources.append(UInt8(Provenance.allCases.firstIndex(of: figure.provenance) ?? 0))
      values.append(figure.value)
      switch figure.uncertainty {
      case .exact: kinds.append(1)
      case .unknown: kinds.append(2)
      case .relative(let error, let freedom):
        kinds.append(3)
        parts += [error, freedom]
      case .counted(let count):
        kinds.append(4)
        parts += [Double(count), 0]
      }
    }
    put(kinds)
    put(sources)
    put(values)
    put(parts)
  }

  /// All of it, with a checksum at the end.
  consuming func finish() -> [ByteView] {
    let sum = blocks.reduce(UInt32(0)) { Zlib.crc32($1, continuing: $0) }
    blocks.append(ByteView(Self.bytes(of: UInt64(sum))))
    return blocks
  }

  private static func bytes(of number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}

/// Reads what `RowWriter` wrote.
struct RowReader {
  /// The bytes are not what was expected.
  struct Damage: Error {}

  private let bytes: ByteView
  private var place: Int

  /// - Returns: `nil` when the beginning or the checksum is not right.
  init?(_ file: ByteView) {
    guard file.count >= 16, file.starts(with: RowWriter.magic),
      let content = try? file.slice(0, file.count - 8),
      let sum = try? file.load(UInt64.self, at: file.count - 8), UInt64(Zlib.crc32(content)) == sum
    else { return nil }
    bytes = content
    place = RowWriter.magic.count
  }

  private mutating func block() throws -> ByteView {
    let length = try bytes.load(UInt64.self, at: place)
    guard let count = Int(exactly: length), count <= bytes.count - place - 8 else { throw Damage() }
    defer { place += 8 + count }
    return try bytes.slice(place + 8, count)
  }

  /// Numbers: so many, or at most so many.
  mutating func numbers<Number: BitwiseCopyable>(
    _ type: Number.Type,
    _ count: Int? = nil,
    atMost most: Int = .max
  ) throws -> [Number] {
    let view = try block()
    let size = MemoryLayout<Number>.stride
    let found = view.count / size
    guard view.count % size == 0, found == count ?? found, found <= most else { throw Damage() }
    return unsafe view.withUnsafeBytes { source in
      unsafe Array(unsafeUninitializedCapacity: found) { target, made in
        unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        made = found
      }
    }
  }

  mutating func texts(_ count: Int? = nil) throws -> [String] {
    let lengths = try numbers(UInt32.self, count)
    let all = try numbers(UInt8.self)
    var start = 0
    return try lengths.map { length in
      guard Int(length) <= all.count - start,
        let text = String(validating: all[start..<start + Int(length)], as: UTF8.self)
      else { throw Damage() }
      start += Int(length)
      return text
    }
  }

  mutating func codes(_ count: Int, below limit: Int) throws -> [UInt32] {
    let codes = try numbers(UInt32.self, count)
    guard codes.allSatisfy({ Int($0) < limit }) else { throw Damage() }
    return codes
  }

  mutating func letters(_ count: Int, below limit: Int) throws -> [UInt8] {
    let letters = try numbers(UInt8.self, count)
    guard letters.allSatisfy({ Int($0) < limit }) else { throw Damage() }
    return letters
  }

  mutating func figures(_ count: Int) throws -> [Measured?] {
    let kinds = try letters(count, below: 5)
    let there = kinds.count { $0 != 0 }
    let sources = try letters(there, below: Provenance.allCases.count)
    let values = try numbers(Double.self, there)
    let parts = try numbers(Double.self, 2 * kinds.count { $0 > 2 })
    var (next, nextPart) = (0, 0)
    return try kinds.map { kind in
      guard kind != 0 else { return nil }
      let uncertainty: Uncertainty
      switch kind {
      case 1: uncertainty = .exact
      case 2: uncertainty = .unknown
      case 3: uncertainty = .relative(standardError: parts[nextPart], freedom: parts[nextPart + 1])
      default:
        guard let count = Int(exactly: parts[nextPart]) else { throw Damage() }
        uncertainty = .counted(count)
      }
      if kind > 2 { nextPart += 2 }
      defer { next += 1 }
      return Measured(values[next], uncertainty, Provenance.allCases[Int(sources[next])])
    }
  }
}
