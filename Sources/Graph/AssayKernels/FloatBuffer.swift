/// A run of floats that its holder keeps alive: what kernels read and write.
///
/// Subscripts are not checked; operators derive every index from shapes that the graph has checked.
@safe public struct FloatBuffer: @unchecked Sendable {
  // Safe because: whoever hands a buffer to another thread divides its elements (see ThreadPool).
  /// The first element.
  public let base: UnsafeMutablePointer<Float>
  /// The number of elements.
  public let count: Int

  /// A run of `count` floats at `base`.
  public init(_ base: UnsafeMutablePointer<Float>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// One element.
  @inlinable
  public subscript(index: Int) -> Float {
    @inline(__always) get { unsafe base[index] }
    @inline(__always) nonmutating set { unsafe base[index] = newValue }
  }

  /// The elements from `offset`, `count` of them.
  @inlinable
  public func part(_ offset: Int, _ count: Int) -> FloatBuffer {
    unsafe FloatBuffer(base + offset, count: count)
  }

  /// Sets every element.
  public func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }

  /// Takes over the elements of another buffer of the same length.
  @inlinable
  public func copy(_ source: FloatBuffer) {
    unsafe base.update(from: source.base, count: min(count, source.count))
  }

  /// The elements as an array.
  public var array: [Float] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }
}

// Safe because: only the address is shared; writers are ordered by the evaluator's steps.
/// Zeroed floats (64-byte aligned) that live as long as the block.
@safe public final class FloatBlock: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  /// The floats.
  public let buffer: FloatBuffer

  /// A block of `count` floats.
  public init(count: Int) {
    let length = max(count, 1)
    unsafe memory = .allocate(byteCount: length * 4, alignment: 64)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    let floats = unsafe memory.assumingMemoryBound(to: Float.self)
    buffer = unsafe FloatBuffer(floats.baseAddress.unsafelyUnwrapped, count: count)
  }

  /// A block with these elements.
  public convenience init(_ elements: [Float]) {
    self.init(count: elements.count)
    for index in elements.indices { buffer[index] = elements[index] }
  }

  deinit { unsafe memory.deallocate() }
}
