import AssayGraph
import AssayKernels
import AssayTensor

extension Resize2D: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let channels = shape[3]
    let (input, output) = (try builder.input(0), builder.output)
    if kind == .nearest {
      let offsets = [
        (0..<shape[0]).map { $0 * shape[1] * shape[2] * channels },
        (0..<size.height).map { nearest($0, shape[1], size.height) * shape[2] * channels },
        (0..<size.width).map { nearest($0, shape[2], size.width) * channels },
        Array(0..<channels),
      ]
      return try builder.moving(offsets)
    }
    let rows = (0..<size.height).map { neighbours($0, shape[1], size.height) }
    let columns = (0..<size.width).map { neighbours($0, shape[2], size.width) }
    return {
      var target = 0
      for n in 0..<shape[0] {
        let image = input.part(n * shape[1] * shape[2] * channels, shape[1] * shape[2] * channels)
        for row in rows {
          for column in columns {
            let topLeft = (row.low * shape[2] + column.low) * channels
            let topRight = (row.low * shape[2] + column.high) * channels
            let bottomLeft = (row.high * shape[2] + column.low) * channels
            let bottomRight = (row.high * shape[2] + column.high) * channels
            let (y, x) = (row.fraction, column.fraction)
            for c in 0..<channels {
              output[target + c] =
                image[topLeft + c] * (1 - y) * (1 - x) + image[bottomLeft + c] * y * (1 - x)
                + image[topRight + c] * (1 - y) * x + image[bottomRight + c] * y * x
            }
            target += channels
          }
        }
      }
    }
  }

  private func scale(_ input: Int, _ output: Int) -> Float {
    alignsCorners && output > 1
      ? Float(input - 1) / Float(output - 1) : Float(input) / Float(output)
  }

  private func nearest(_ index: Int, _ input: Int, _ output: Int) -> Int {
    let position = (Float(index) + (usesHalfPixels ? 0.5 : 0)) * scale(input, output)
    let rounded = alignsCorners ? position.rounded() : position.rounded(.down)
    return min(max(Int(rounded), 0), input - 1)
  }

  private func neighbours(
    _ index: Int,
    _ input: Int,
    _ output: Int
  ) -> (low: Int, high: Int, fraction: Float) {
    let position =
      usesHalfPixels
      ? (Float(index) + 0.5) * scale(input, output) - 0.5 : Float(index) * scale(input, output)
    let low = max(Int(position.rounded(.down)), 0)
    let high = min(Int(position.rounded(.up)), input - 1)
    return (low, max(high, 0), position - Float(low))
  }
}
