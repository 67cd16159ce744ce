/// The owner of bytes that do not change while it lives: a mapped file or a block of memory.
public protocol ByteOwner: AnyObject, Sendable {
  /// All bytes that it owns; valid only while `self` lives.
  var allBytes: UnsafeRawBufferPointer { get }
}

/// An immutable run of bytes that keeps its owner alive.
///
/// Slicing copies nothing. Every access is checked and throws rather than traps, so parsers of
/// hostile files build on it. Multi-byte loads are unaligned and little-endian.
public struct ByteView: Sendable {
  /// An access outside the bytes.
  public struct OutOfBounds: Error, Sendable, Equatable {
    /// The offset asked for, relative to the view.
    public var offset: Int
    /// How many bytes were asked for.
    public var length: Int
    /// How many there are.
    public var count: Int
  }

  private let owner: any ByteOwner
  private let start: Int
  /// The number of bytes.
  public let count: Int

  /// All bytes of an owner.
  public init(_ owner: some ByteOwner) {
    self.owner = owner
    start = 0
    count = unsafe owner.allBytes.count
  }

  /// A copy of `bytes` in memory of its own (64-byte aligned).
  public init(_ bytes: some Collection<UInt8>) {
    let block = ByteBlock(byteCount: bytes.count)
    unsafe block.bytes.copyBytes(from: bytes)
    self.init(block)
  }

  /// Memory of `byteCount` bytes (64-byte aligned, zeroed), filled by `body`.
  public init(byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let block = ByteBlock(byteCount: byteCount)
    try unsafe body(block.bytes)
    self.init(block)
  }

  private init(owner: any ByteOwner, start: Int, count: Int) {
    self.owner = owner
    self.start = start
    self.count = count
  }

  /// The bytes from `offset`, `length` of them.
  public func slice(_ offset: Int, _ length: Int) throws(OutOfBounds) -> ByteView {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
      throw OutOfBounds(offset: offset, length: length, count: count)
    }
    return ByteView(owner: owner, start: start + offset, count: length)
  }

  /// The bytes from `offset` to the end.
  public func dropFirst(_ offset: Int) throws(OutOfBounds) -> ByteView {
    guard offset >= 0, offset <= count else {
      throw OutOfBounds(offset: offset, length: 0, count: count)
    }
    return ByteView(owner: owner, start: start + offset, count: count - offset)
  }

  /// A little-endian value of a fixed-width integer or float type at `offset`.
  @inline(__always)
  public func load<T: BitwiseCopyable>(
    _ type: T.Type = T.self,
    at offset: Int
  ) throws(OutOfBounds)
    -> T
  {
    guard offset >= 0, offset <= count, MemoryLayout<T>.size <= count - offset else {
      throw OutOfBounds(offset: offset, length: MemoryLayout<T>.size, count: count)
    }
    return unsafe owner.allBytes.loadUnaligned(fromByteOffset: start + offset, as: type)
  }

  /// Calls `body` with the bytes; the pointer must not escape.
  public func withUnsafeBytes<R, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R
  {
    try withExtendedLifetime(owner) { () throws(E) -> R in
      try unsafe body(UnsafeRawBufferPointer(rebasing: owner.allBytes[start..<start + count]))
    }
  }

  /// A copy of the bytes as an array.
  public var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }

  /// The bytes as text, or `nil` when they are not UTF-8.
  public var utf8: String? { String(validating: array, as: UTF8.self) }

  /// Whether both views have the same bytes.
  public func hasSameBytes(as other: ByteView) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBytes { a in
      unsafe other.withUnsafeBytes { b in unsafe a.elementsEqual(b) }
    }
  }

  /// Whether the bytes begin with `prefix`.
  public func starts(with prefix: some Collection<UInt8>) -> Bool {
    unsafe withUnsafeBytes { unsafe $0.starts(with: prefix) }
  }
}

// Safe because: the bytes are written only before the block is shared (in ByteView's initialisers).
/// A zeroed, 64-byte-aligned block of memory that is freed with its owner.
@safe private final class ByteBlock: ByteOwner, @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    unsafe bytes = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
    length = byteCount
  }

  private let length: Int

  var allBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: bytes[..<length]) }

  deinit { unsafe bytes.deallocate() }
}
