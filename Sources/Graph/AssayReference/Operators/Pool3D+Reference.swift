import AssayGraph
import AssayTensor

extension Pool3D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let type = arguments.output
    let channels = x.shape[4]
    let windows = WindowPositions(
      window: window,
      strides: strides,
      dilations: .one,
      padding: padding,
      over: x.shape
    )
    let values = x.reals
    var result: [Double] = []
    result.reserveCapacity(type.shape.count)
    windows.forEach(type.shape) { positions in
      for c in 0..<channels {
        var sum = 0.0
        var greatest = -Double.infinity
        for (_, position) in positions {
          let value = values[position * channels + c]
          sum += value
          greatest = value.isNaN || greatest.isNaN ? .nan : max(greatest, value)
        }
        result.append(kind == .max ? greatest : sum / Double(positions.count))
      }
    }
    return [try tensor(result.map(activation.apply), type)]
  }
}
