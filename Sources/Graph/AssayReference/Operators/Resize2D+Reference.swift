import AssayBase
import AssayGraph
import AssayTensor

extension Resize2D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    guard x.count > 0 || arguments.output.shape.count == 0 else {
      throw Diagnostic("EVL016", "an image without pixels has nothing to resize")
    }
    let rows = axis(x.shape[1], size.height)
    let columns = axis(x.shape[2], size.width)
    let strides = x.shape.strides
    func picked(_ rows: [Int], _ columns: [Int]) -> [Int] {
      positions(
        zip([Array(0..<x.shape[0]), rows, columns, Array(0..<x.shape[3])], strides).map {
          AxisSelection(coordinates: $0, stride: $1)
        }
      )
    }
    if kind == .nearest {
      return [try select(x, picked(rows.lower, columns.lower), arguments.output)]
    }
    let values = x.reals
    let corners = [
      picked(rows.lower, columns.lower), picked(rows.lower, columns.upper),
      picked(rows.upper, columns.lower), picked(rows.upper, columns.upper),
    ]
    let shape = arguments.output.shape
    let results = (0..<shape.count).map { index in
      let down = rows.weight[index / (shape[3] * shape[2]) % shape[1]]
      let right = columns.weight[index / shape[3] % shape[2]]
      return values[corners[0][index]] * (1 - down) * (1 - right)
        + values[corners[1][index]] * (1 - down) * right
        + values[corners[2][index]] * down * (1 - right)
        + values[corners[3][index]] * down * right
    }
    return [try tensor(results, arguments.output)]
  }

  /// For each output coordinate the source coordinates around it and the weight of the upper one.
  ///
  /// Positions are computed in float32, because the kernels of the runtimes do and a nearest pixel
  /// depends on the last bit.
  private func axis(_ input: Int, _ output: Int) -> (lower: [Int], upper: [Int], weight: [Double]) {
    let scale =
      alignsCorners && output > 1
      ? Float(input - 1) / Float(output - 1) : Float(input) / Float(output)
    var lower: [Int] = []
    var upper: [Int] = []
    var weight: [Double] = []
    for index in 0..<output {
      let offset: Float = usesHalfPixels ? 0.5 : 0
      var position = (Float(index) + offset) * scale
      if kind == .nearest {
        position = alignsCorners ? position.rounded() : position.rounded(.down)
      } else {
        position -= offset
      }
      let below = max(Int(position.rounded(.down)), 0)
      lower.append(min(below, input - 1))
      upper.append(max(min(Int(position.rounded(.up)), input - 1), 0))
      weight.append(Double(position) - Double(below))
    }
    return (lower, upper, weight)
  }
}
