import AssayGraph
import AssayTensor

extension Reshape: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let type = arguments.output
    return [try requantized(try arguments.input(0).reshaped(type.shape), to: type)]
  }
}
