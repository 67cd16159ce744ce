import AssayGraph
import AssayTensor

extension BandPart: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let (rows, columns) = (max(x.shape[-2], 1), max(x.shape[-1], 1))
    let sources = (0..<x.count).map { index in
      let offset = index % columns - index / columns % rows
      let isInside = (lowest.map { offset >= $0 } ?? true) && (highest.map { offset <= $0 } ?? true)
      return isInside ? index : -1
    }
    let zero = try tensor([0], TensorType(x.dtype, [1], quantization: x.quantization))
    return [try select(x, sources, arguments.output, fill: zero)]
  }
}
