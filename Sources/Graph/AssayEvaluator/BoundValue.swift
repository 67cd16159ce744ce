import AssayBase
import AssayKernels
import AssayTensor

/// A value of a plan: its type with a known shape and the place of its floats.
struct BoundValue {
  var type: TensorType
  var buffer: FloatBuffer

  /// The rounding that a quantized value gets when it is made; `nil` for others.
  var rounding: (scale: Float, zeroPoint: Int32, range: ClosedRange<Int>)? {
    guard let quantization = type.quantization, !quantization.isPerChannel,
      type.dtype.bitWidth <= 16, type.dtype.isInteger, let range = type.dtype.integerRange
    else { return nil }
    return (quantization.scale, quantization.zeroPoint, range)
  }

  /// Rounds the floats to what the integers of a quantized value stand for.
  func round(_ kernels: Kernels) {
    guard let rounding else { return }
    kernels.roundTrip(
      buffer,
      into: buffer,
      scale: rounding.scale,
      zeroPoint: rounding.zeroPoint,
      low: Int32(rounding.range.lowerBound),
      high: Int32(rounding.range.upperBound)
    )
  }

  /// Takes over a tensor of its own type.
  func fill(_ tensor: Tensor) throws {
    if tensor.dtype == .float32 {
      unsafe tensor.withElements(as: Float.self) { source in
        unsafe buffer.base.update(
          from: source.baseAddress.unsafelyUnwrapped,
          count: min(source.count, buffer.count)
        )
      }
      return
    }
    if tensor.quantization == nil, tensor.dtype.bitWidth >= 32, tensor.dtype.isInteger,
      tensor.integers().contains(where: { $0.magnitude > 1 << 24 })
    {
      throw Diagnostic("EVL016", "integers beyond 2^24 cannot be executed exactly here")
    }
    let floats = tensor.realNumbers()
    for index in 0..<min(floats.count, buffer.count) { buffer[index] = floats[index] }
  }

  /// The value as a tensor of its own type.
  func tensor() -> Tensor {
    let floats = unsafe Tensor(TensorType(.float32, type.shape), as: Float.self) { target in
      for index in 0..<target.count { unsafe target[index] = buffer[index] }
    }
    if type.dtype == .float32 { return floats }
    return floats.converted(to: type.dtype, quantization: type.quantization) ?? floats
  }
}

extension Tensor {
  /// Part `index` of `parts` equal ones along the first axis, without a copy.
  func slab(_ index: Int, of parts: Int) throws -> Tensor {
    var dims = shape.dims
    dims[0] /= parts
    let length = bytes.count / parts
    return try Tensor(
      TensorType(dtype, Shape(dims), quantization: quantization),
      bytes: bytes.slice(index * length, length)
    )
  }

  /// Tensors of one type, joined along the first axis; a scalar becomes a vector.
  static func joining(_ parts: [Tensor]) throws -> Tensor {
    guard let first = parts.first else { throw Diagnostic("EVL010", "there is nothing to join") }
    var dims = first.shape.dims.isEmpty ? [1] : first.shape.dims
    dims[0] *= parts.count
    let type = TensorType(first.dtype, Shape(dims), quantization: first.quantization)
    let bytes = unsafe ByteView(byteCount: parts.reduce(0) { $0 + $1.bytes.count }) { target in
      var offset = 0
      for part in parts {
        unsafe part.bytes.withUnsafeBytes { source in
          let place = unsafe UnsafeMutableRawBufferPointer(
            rebasing: target[offset..<offset + source.count]
          )
          unsafe place.copyMemory(from: source)
        }
        offset += part.bytes.count
      }
    }
    return try Tensor(type, bytes: bytes)
  }
}
