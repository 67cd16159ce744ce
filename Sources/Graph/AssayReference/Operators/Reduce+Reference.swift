import AssayGraph
import AssayTensor

extension Reduce: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let reduced = Set(axes.compactMap { x.shape.normalized(axis: $0) })
    let kept = Shape(x.shape.dims.enumerated().map { reduced.contains($0) ? 1 : $1 })
    let strides = kept.strides
    let targets = positions(
      x.shape.dims.enumerated().map { axis, extent in
        AxisSelection(
          coordinates: Array(0..<extent),
          stride: reduced.contains(axis) ? 0 : strides[axis]
        )
      }
    )
    let start: Double =
      switch kind {
      case .mean, .sum, .any: 0
      case .product, .all: 1
      case .max: -.infinity
      case .min: .infinity
      }
    var result = [Double](repeating: start, count: kept.count)
    for (value, target) in zip(x.reals, targets) {
      switch kind {
      case .mean, .sum: result[target] += value
      case .product: result[target] *= value
      case .any: if value != 0 { result[target] = 1 }
      case .all: if value == 0 { result[target] = 0 }
      case .max: result[target] = value.isNaN ? .nan : max(result[target], value)
      case .min: result[target] = value.isNaN ? .nan : min(result[target], value)
      }
    }
    if kind == .mean {
      let count = Double(reduced.reduce(1) { $0 * x.shape.dims[$1] })
      for index in result.indices { result[index] /= count }
    }
    return [try tensor(result, arguments.output)]
  }
}
