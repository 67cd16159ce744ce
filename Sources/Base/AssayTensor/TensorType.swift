/// What is known of a tensor before it has elements: element type, shape, quantization.
public struct TensorType: Sendable, Hashable {
  /// The type of the elements.
  public var dtype: DType
  /// The extents.
  public var shape: Shape
  /// How integers stand for reals; `nil` for floats and for plain integers.
  public var quantization: Quantization?

  /// Makes a type.
  public init(_ dtype: DType, _ shape: Shape, quantization: Quantization? = nil) {
    self.dtype = dtype
    self.shape = shape
    self.quantization = quantization
  }

  /// Bytes of the packed elements; `nil` when an extent is unknown or the number overflows.
  public var byteCount: Int? { shape.elementCount.flatMap { dtype.byteCount($0) } }
}

extension TensorType: CustomStringConvertible {
  /// The type as `float32[1x28x28x3]`.
  public var description: String { "\(dtype.rawValue)[\(shape)]" }
}
