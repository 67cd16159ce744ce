import AssayBase
import AssayGraph
import AssayTensor

/// An operator that the reference computes; each conforms in a file `<Operator>+Reference.swift`.
protocol ReferenceOperator: Operator {
  /// The outputs, of exactly the types that `arguments` asks for.
  func evaluate(_ arguments: Arguments) throws -> [Tensor]
}

/// What one application of an operator gets.
struct Arguments {
  /// The inputs; `nil` for an absent optional one.
  let inputs: [Tensor?]
  /// The types that the outputs must have.
  let outputs: [TensorType]

  /// The type of the first output.
  var output: TensorType { outputs[0] }

  /// An input that must be there.
  func input(_ index: Int) throws -> Tensor {
    guard let tensor = optional(index) else {
      throw Diagnostic("EVL013", "input \(index) is missing")
    }
    return tensor
  }

  /// An input that may be absent.
  func optional(_ index: Int) -> Tensor? {
    inputs.indices.contains(index) ? inputs[index] : nil
  }
}

extension Tensor {
  /// The elements as real numbers (quantized ones dequantized) in double precision.
  var reals: [Double] {
    switch dtype {
    case .float64: elements(as: Double.self)
    case .int32 where quantization == nil, .uint32, .int64, .uint64: integers().map { Double($0) }
    default: floats().map { Double($0) }
    }
  }
}

/// A tensor of real numbers: quantized where the type is, truncated for plain integers.
func tensor(_ reals: [Double], _ type: TensorType) throws -> Tensor {
  switch type.dtype {
  case .float64: return Tensor(reals, type.shape, dtype: .float64)
  case .bool: return Tensor(reals.map { UInt8($0 == 0 ? 0 : 1) }, type.shape, dtype: .bool)
  case let dtype where dtype.isFloat || type.quantization != nil:
    let floats = Tensor(reals.map { Float($0) }, type.shape)
    guard let result = floats.converted(to: dtype, quantization: type.quantization) else {
      throw Diagnostic("EVL014", "elements of type \(dtype.rawValue) cannot be made")
    }
    return result
  default: return try tensor(integers: reals.map(truncated), type)
  }
}

/// A tensor of integers, clamped to what the type holds; the quantization is only attached.
func tensor(integers: [Int], _ type: TensorType) throws -> Tensor {
  func make<T: BitwiseCopyable>(_ elements: [T]) -> Tensor {
    Tensor(elements, type.shape, dtype: type.dtype, quantization: type.quantization)
  }
  switch type.dtype {
  case .bool: return make(integers.map { UInt8($0 == 0 ? 0 : 1) })
  case .int8: return make(integers.map { Int8(clamping: $0) })
  case .uint8: return make(integers.map { UInt8(clamping: $0) })
  case .int16: return make(integers.map { Int16(clamping: $0) })
  case .uint16: return make(integers.map { UInt16(clamping: $0) })
  case .int32: return make(integers.map { Int32(clamping: $0) })
  case .uint32: return make(integers.map { UInt32(clamping: $0) })
  case .int64: return make(integers.map { Int64($0) })
  case .uint64: return make(integers.map { UInt64(clamping: $0) })
  case .int4, .uint4:
    let range = type.dtype.integerRange ?? 0...0
    let codes = integers.map { UInt8(truncatingIfNeeded: clamp($0, to: range)) & 15 }
    return Tensor(codes: codes, type)
  default: throw Diagnostic("EVL014", "elements of type \(type.dtype.rawValue) cannot be made")
  }
}

/// The integer next to `real` towards zero; clamped, and 0 for NaN.
func truncated(_ real: Double) -> Int {
  if real.isNaN { return 0 }
  return real >= 0x1p63 ? Int.max : real < -0x1p63 ? Int.min : Int(real)
}

/// The same real numbers in the element type and quantization of `type`; the shape stays.
func requantized(_ x: Tensor, to type: TensorType) throws -> Tensor {
  if x.dtype == type.dtype, x.quantization == type.quantization || type.quantization == nil {
    return x.with(quantization: type.quantization)
  }
  return try tensor(x.reals, TensorType(type.dtype, x.shape, quantization: type.quantization))
}
