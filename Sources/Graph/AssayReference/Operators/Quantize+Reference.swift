import AssayGraph
import AssayTensor

extension Quantize: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let type = arguments.output
    guard let from = x.quantization, x.dtype.isInteger, !from.isPerChannel,
      let to = type.quantization, !to.isPerChannel, let range = type.dtype.integerRange
    else { return [try tensor(x.reals, type)] }
    let multiplier = FixedPointMultiplier(Double(from.scale) / Double(to.scale))
    let integers = x.integers().map {
      clamp(multiplier.apply($0 - Int(from.zeroPoint)) + Int(to.zeroPoint), to: range)
    }
    return [try tensor(integers: integers, type)]
  }
}

extension Dequantize: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    [try tensor(try arguments.input(0).reals, arguments.output)]
  }
}

extension Cast: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0).with(quantization: nil)
    var type = arguments.output
    let quantization = type.quantization
    type.quantization = nil
    if !saturates, SmallFloat(type.dtype) != nil,
      let result = x.converted(to: type.dtype, saturates: false)
    {
      return [result]
    }
    if x.dtype.isFloat || type.dtype.isFloat {
      return [try tensor(x.reals, type).with(quantization: quantization)]
    }
    return [try tensor(integers: x.integers(), type).with(quantization: quantization)]
  }
}
