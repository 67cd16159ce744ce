import AssayBase

/// A dense row-major tensor: a type and its packed little-endian elements.
///
/// The elements may lie in a mapped file; a tensor is a value and is never changed in place. They may
/// also lie there in another order (see `turned(_:)`), and are then put in order when they are read.
public struct Tensor: Sendable {
  /// Element type, shape and quantization.
  public var type: TensorType
  private let content: Content

  private enum Content: Sendable {
    case packed(ByteView)
    /// Elements of these extents whose axes are to be permuted.
    case turned(ByteView, Shape, permutation: [Int])
  }

  /// The packed elements; a new copy each time for a tensor that is turned.
  public var bytes: ByteView {
    switch content {
    case .packed(let bytes): bytes
    case .turned(let bytes, let shape, let permutation):
      Tensor(unchecked: TensorType(dtype, shape), bytes: bytes).permuted(permutation)?.bytes
        ?? bytes
    }
  }

  /// How many bytes the packed elements take.
  public var byteCount: Int {
    switch content {
    case .packed(let bytes), .turned(let bytes, _, _): bytes.count
    }
  }

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
    self.init(unchecked: type, bytes: bytes)
  }

  private init(unchecked type: TensorType, bytes: ByteView) {
    self.type = type
    content = .packed(bytes)
  }

  private init(_ type: TensorType, _ content: Content) {
    self.type = type
    self.content = content
  }

  /// The elements with the axes in another order, which are copied only while somebody reads them.
  ///
  /// `permuted(_:)` makes the copy now and once; this is for large weights that stay in a mapped file
  /// and are read once or twice: what holds the tensor holds no memory.
  ///
  /// - Returns: the tensor, or `nil` where `permuted(_:)` gives `nil`.
  public func turned(_ permutation: [Int]) -> Tensor? {
    guard case .packed(let bytes) = content, dtype.bitWidth >= 8, permutation.count > 1,
      permutation.sorted() == Array(0..<shape.rank), shape.isStatic
    else { return permuted(permutation) }
    let long = permutation.filter { shape.dims[$0] != 1 }
    if long == long.sorted() { return permuted(permutation) }
    let result = Shape(permutation.map { shape.dims[$0] })
    return Tensor(
      TensorType(dtype, result, quantization: quantization),
      .turned(bytes, shape, permutation: permutation)
    )
  }

  /// The tensor as it lies, and the permutation of it that gives this one permuted; `nil` for a tensor
  /// that is not turned or has another shape by now.
  func source(of permutation: [Int]) -> (tensor: Tensor, permutation: [Int])? {
    guard case .turned(let bytes, let lying, let first) = content,
      shape.dims == first.map({ lying.dims[$0] }),
      permutation.sorted() == Array(0..<shape.rank)
    else { return nil }
    let tensor = Tensor(
      unchecked: TensorType(dtype, lying, quantization: quantization),
      bytes: bytes
    )
    return (tensor, permutation.map { first[$0] })
  }

  /// Whether both have the same elements, bit for bit; those that are turned alike are compared as
  /// they lie.
  public func hasSameElements(as other: Tensor) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    if case .turned(let a, let shape, let permutation) = content,
      case .turned(let b, shape, permutation) = other.content
    {
      return a.hasSameBytes(as: b)
    }
    return bytes.hasSameBytes(as: other.bytes)
  }

  /// The tensor with its elements at an address fit for them: copied where a file has them anywhere.
  public var aligned: Tensor {
    guard case .packed(let bytes) = content else { return self }
    let width = UInt(max(dtype.bitWidth / 8, 1))
    let isAligned = unsafe bytes.withUnsafeBytes {
      UInt(bitPattern: $0.baseAddress) % width == 0
    }
    if isAligned { return self }
    let copy = unsafe bytes.withUnsafeBytes { source in
      unsafe ByteView(byteCount: source.count) { unsafe $0.copyMemory(from: source) }
    }
    return Tensor(unchecked: type, bytes: copy)
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
    let bytes = try unsafe ByteView(byteCount: type.byteCount ?? 0) { raw in
      try unsafe body(raw.bindMemory(to: T.self))
    }
    content = .packed(bytes)
  }

  /// A tensor whose packed bytes `body` writes into zeroed memory.
  init(
    _ type: TensorType,
    packed byteCount: Int,
    _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    self.type = type
    content = .packed(try unsafe ByteView(byteCount: byteCount, body))
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
    return Tensor(TensorType(dtype, shape, quantization: quantization), content)
  }

  /// The same bits with another quantization.
  public func with(quantization: Quantization?) -> Tensor {
    Tensor(TensorType(dtype, shape, quantization: quantization), content)
  }
}
