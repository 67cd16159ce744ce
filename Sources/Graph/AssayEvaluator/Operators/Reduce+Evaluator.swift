import AssayGraph
import AssayKernels
import AssayTensor

extension Reduce: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let reduced = Set(axes.compactMap { shape.normalized(axis: $0) })
    let (input, output, kernels) = (try builder.input(0), builder.output, builder.kernels)
    let start: Float =
      switch kind {
      case .mean, .sum, .any: 0
      case .product, .all: 1
      case .max: -.infinity
      case .min: .infinity
      }
    let combine: BinaryKernel =
      switch kind {
      case .mean, .sum: .add
      case .product: .multiply
      case .max, .any: .maximum
      case .min, .all: .minimum
      }
    // Rows of the last axes that stay are combined with a kernel; the rest is a walk over rows.
    var split = shape.rank
    while split > 0, !reduced.contains(split - 1) { split -= 1 }
    let length = shape.dims[split...].reduce(1, *)
    var kept = shape
    for axis in reduced { kept.dims[axis] = 1 }
    let rows = Shape(Array(shape.dims[..<split]))
    let targets = broadcastIndices(Shape(Array(kept.dims[..<split])), to: rows)
    let count = reduced.reduce(1) { $0 * shape.dims[$1] }
    let isMean = kind == .mean
    return {
      output.fill(start)
      if length == 1 {
        for (row, target) in targets.enumerated() {
          let (x, y) = (output[target], input[row])
          output[target] =
            switch combine {
            case .multiply: x * y
            case .maximum: x > y ? x : y
            case .minimum: x < y ? x : y
            default: x + y
            }
        }
      } else {
        for (row, target) in targets.enumerated() {
          let sum = output.part(target * length, length)
          kernels.binary(combine, sum, input.part(row * length, length), into: sum)
        }
      }
      if isMean { for index in 0..<output.count { output[index] /= Float(count) } }
    }
  }
}
