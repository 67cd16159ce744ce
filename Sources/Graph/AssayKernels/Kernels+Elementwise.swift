import CKernels

/// A function of two floats that has a kernel.
public enum BinaryKernel: UInt32, Sendable, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum, squaredDifference
}

/// A function of one float that has a kernel.
public enum UnaryKernel: Sendable, Equatable {
  case clamp(Float, Float)
  case sigmoid, tanh, exp, abs, negative, square, sqrt, rsqrt
  /// `x` where positive, the factor times `x` elsewhere.
  case leaky(Float)
  case hardSwish

  var code: (ck_unary, Float, Float) {
    switch self {
    case .clamp(let low, let high): (CK_CLAMP, low, high)
    case .sigmoid: (CK_SIGMOID, 0, 0)
    case .tanh: (CK_TANH, 0, 0)
    case .exp: (CK_EXP, 0, 0)
    case .abs: (CK_ABS, 0, 0)
    case .negative: (CK_NEGATIVE, 0, 0)
    case .square: (CK_SQUARE, 0, 0)
    case .sqrt: (CK_SQRT, 0, 0)
    case .rsqrt: (CK_RSQRT, 0, 0)
    case .leaky(let alpha): (CK_LEAKY, alpha, 0)
    case .hardSwish: (CK_HARD_SWISH, 0, 0)
    }
  }
}

/// The least and greatest of some floats.
public struct FloatRange: Sendable, Equatable {
  /// The least element that is a number; infinity when there is none.
  public var low: Float
  /// The greatest element that is a number; minus infinity when there is none.
  public var high: Float
  /// How many elements are NaN or infinite.
  public var faults: Int

  /// Makes a range.
  public init(low: Float, high: Float, faults: Int) {
    self.low = low
    self.high = high
    self.faults = faults
  }
}

extension Kernels {
  /// `kind` of each pair of elements, clamped; an operand of one element pairs with all of the other.
  public func binary(
    _ kind: BinaryKernel,
    _ a: FloatBuffer,
    _ b: FloatBuffer,
    into output: FloatBuffer,
    low: Float = -.infinity,
    high: Float = .infinity
  ) {
    guard let table = unsafe table else {
      return PortableKernels.binary(kind, a, b, into: output, low: low, high: high)
    }
    unsafe table.pointee.binary(
      ck_binary(rawValue: kind.rawValue),
      a.base,
      a.count == 1 ? 0 : 1,
      b.base,
      b.count == 1 ? 0 : 1,
      output.base,
      Int64(output.count),
      low,
      high
    )
  }

  /// `kind` of each element.
  public func unary(_ kind: UnaryKernel, _ input: FloatBuffer, into output: FloatBuffer) {
    guard let table = unsafe table else {
      return PortableKernels.unary(kind, input, into: output)
    }
    let (code, p, q) = kind.code
    unsafe table.pointee.unary(code, input.base, output.base, Int64(output.count), p, q)
  }

  /// `scale[i] * x + offset[i]` on each row of `scale.count` elements.
  public func scaleRows(
    _ input: FloatBuffer,
    scale: FloatBuffer,
    offset: FloatBuffer,
    into output: FloatBuffer
  ) {
    guard scale.count > 0 else { return }
    guard let table = unsafe table else {
      for index in 0..<output.count {
        let channel = index % scale.count
        output[index] = scale[channel] * input[index] + offset[channel]
      }
      return
    }
    unsafe table.pointee.scale_rows(
      input.base,
      scale.base,
      offset.base,
      output.base,
      Int64(output.count / scale.count),
      Int64(scale.count)
    )
  }

  /// The softmax of each row of `extent` elements.
  public func softmax(_ input: FloatBuffer, into output: FloatBuffer, extent: Int, beta: Float) {
    guard extent > 0 else { return }
    guard let table = unsafe table else {
      return PortableKernels.softmax(input, into: output, extent: extent, beta: beta)
    }
    unsafe table.pointee.softmax(
      input.base,
      output.base,
      Int64(output.count / extent),
      Int64(extent),
      beta
    )
  }

  /// The least and greatest element.
  public func range(_ input: FloatBuffer) -> FloatRange {
    guard let table = unsafe table else { return PortableKernels.range(input) }
    var result = FloatRange(low: 0, high: 0, faults: 0)
    result.faults = unsafe Int(
      table.pointee.range(input.base, Int64(input.count), &result.low, &result.high)
    )
    return result
  }

  /// The nearest real numbers that quantized integers stand for (see `Quantization`).
  public func roundTrip(
    _ input: FloatBuffer,
    into output: FloatBuffer,
    scale: Float,
    zeroPoint: Int32,
    low: Int32,
    high: Int32
  ) {
    guard let table = unsafe table else {
      return PortableKernels.roundTrip(
        input,
        into: output,
        scale: scale,
        zeroPoint: zeroPoint,
        low: low,
        high: high
      )
    }
    unsafe table.pointee.round_trip(
      input.base,
      output.base,
      Int64(output.count),
      scale,
      zeroPoint,
      low,
      high
    )
  }
}
