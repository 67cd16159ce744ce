import AssayBase

/// A dense row-major tensor: a type and its packed little-endian elements.
///
/// The elements may lie in a mapped file; a tensor is a value and is never changed in place.
public struct Tensor: Sendable {
  /// Element type, shape and quantization.
  public var type: TensorType
  /// The packed elements.
  public let bytes: ByteView

  /// The type of the elements.
  public var dtype: DType { type.dtype }
  /// The extents.
  public var shape: Shape { type.shape }
  /// How integers stand for reals.
  public var quantization: Quantization? { type.quantization }
  /// The number of elements.
  public var count: Int { type.shape.count }

  /// A tensor over existing bytes.
  ///
  /// - Throws: `Diagnostic` TSR001 when the number of bytes does not fit the type.
  public init(_ type: TensorType, bytes: ByteView) throws {
    guard let expected = type.byteCount else {
      throw Diagnostic("TSR001", "the extents of \(type) are unknown or too large")
    }
    guard bytes.count == expected || type.dtype == .string else {
      throw Diagnostic("TSR001", "\(type) takes \(expected) bytes, there are \(bytes.count)")
    }
    self.type = type
    self.bytes = bytes
  }

  private init(unchecked type: TensorType, bytes: ByteView) {
    self.type = type
    self.bytes = bytes
  }

  /// A tensor whose elements `body` writes into zeroed memory.
  ///
  /// - Precondition: the type is static and `T` has the width of its elements.
  public init<T: BitwiseCopyable>(
    _ type: TensorType,
    as element: T.Type,
    _ body: (UnsafeMutableBufferPointer<T>) throws -> Void
  ) rethrows {
    precondition(MemoryLayout<T>.size * 8 == type.dtype.bitWidth, "element type \(T.self)")
    self.type = type
    bytes = try unsafe ByteView(byteCount: type.byteCount ?? 0) { raw in
      try unsafe body(raw.bindMemory(to: T.self))
    }
  }

  /// A tensor whose packed bytes `body` writes into zeroed memory.
  init(
    _ type: TensorType,
    packed byteCount: Int,
    _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    self.type = type
    bytes = try unsafe ByteView(byteCount: byteCount, body)
  }

  /// A tensor of the given elements.
  ///
  /// - Precondition: there are as many elements as the shape has, of the width of `dtype`.
  public init<T: BitwiseCopyable>(
    _ elements: [T],
    _ shape: Shape,
    dtype: DType,
    quantization: Quantization? = nil
  ) {
    precondition(elements.count == shape.count, "\(elements.count) elements for \(shape)")
    unsafe self.init(TensorType(dtype, shape, quantization: quantization), as: T.self) { target in
      for index in elements.indices { unsafe target[index] = elements[index] }
    }
  }

  /// A float32 tensor.
  public init(_ elements: [Float], _ shape: Shape) {
    self.init(elements, shape, dtype: .float32)
  }

  /// An int32 tensor.
  public init(_ elements: [Int32], _ shape: Shape) {
    self.init(elements, shape, dtype: .int32)
  }

  /// Calls `body` with the elements; the pointer must not escape.
  ///
  /// Elements that do not lie at an address fit for `T` are copied first.
  ///
  /// - Precondition: `T` has the width of the elements.
  public func withElements<T: BitwiseCopyable, R>(
    as element: T.Type,
    _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(MemoryLayout<T>.size * 8 == dtype.bitWidth, "element type \(T.self) of \(dtype)")
    return try unsafe bytes.withUnsafeBytes { raw in
      let address = UInt(bitPattern: raw.baseAddress)
      if address % UInt(MemoryLayout<T>.alignment) == 0 {
        return try unsafe body(raw.bindMemory(to: T.self))
      }
      let copy = UnsafeMutableRawBufferPointer.allocate(
        byteCount: raw.count,
        alignment: MemoryLayout<T>.alignment
      )
      defer { unsafe copy.deallocate() }
      unsafe copy.copyMemory(from: raw)
      return try unsafe body(UnsafeBufferPointer(copy.bindMemory(to: T.self)))
    }
  }

  /// The elements as an array.
  ///
  /// - Precondition: `T` has the width of the elements.
  public func elements<T: BitwiseCopyable>(as element: T.Type) -> [T] {
    unsafe withElements(as: element) { unsafe Array($0) }
  }

  /// The same elements under another shape of as many elements.
  ///
  /// - Precondition: the numbers of elements agree.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) as \(shape)")
    return Tensor(
      unchecked: TensorType(dtype, shape, quantization: quantization),
      bytes: bytes
    )
  }

  /// The same bits with another quantization.
  public func with(quantization: Quantization?) -> Tensor {
    Tensor(unchecked: TensorType(dtype, shape, quantization: quantization), bytes: bytes)
  }
}
