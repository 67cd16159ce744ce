import AssayTensor

/// Reals to quantized integers, or quantized integers to other ones.
public struct Quantize: Operator {
  /// The integer type of the output.
  public var dtype: DType
  /// The output's quantization.
  public var quantization: Quantization

  /// Makes a quantization.
  public init(_ dtype: DType, _ quantization: Quantization) {
    self.dtype = dtype
    self.quantization = quantization
  }

  public var name: String { "Quantize" }
  public var attributes: [(name: String, value: String)] { [("dtype", dtype.rawValue)] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    return [TensorType(dtype, x.shape, quantization: quantization)]
  }
}

/// Quantized integers, or halves, to float32.
public struct Dequantize: Operator {
  /// Makes a dequantization.
  public init() {}

  public var name: String { "Dequantize" }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    return [TensorType(.float32, x.shape)]
  }
}

/// Elements in another type, by value.
public struct Cast: Operator {
  /// The type of the output.
  public var dtype: DType
  /// Whether a number too large for a float of at most 8 bits becomes the greatest one, otherwise
  /// infinity or NaN.
  public var saturates: Bool

  /// Makes a cast.
  public init(_ dtype: DType, saturates: Bool = true) {
    self.dtype = dtype
    self.saturates = saturates
  }

  public var name: String { "Cast" }
  public var attributes: [(name: String, value: String)] {
    [("dtype", dtype.rawValue)] + (saturates ? [] : [("saturates", "false")])
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    return [TensorType(dtype, x.shape)]
  }
}
