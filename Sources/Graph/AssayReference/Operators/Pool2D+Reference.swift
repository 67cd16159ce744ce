import AssayGraph
import AssayTensor

extension Pool2D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let type = arguments.output
    let image = x.shape
    let filter: Shape = [1, window.height, window.width, 1]
    let (top, left) = padding.start(image, filter, strides, .one)
    // Integers of one quantization are pooled as they are; TFLite rounds means half away from zero.
    let isInteger = x.dtype.isInteger && x.quantization == type.quantization
    let values = isInteger ? x.integers().map { Double($0) } : x.reals
    var result: [Double] = []
    result.reserveCapacity(type.shape.count)
    for n in 0..<type.shape[0] {
      for oy in 0..<type.shape[1] {
        for ox in 0..<type.shape[2] {
          let rows = inside(oy * strides.height - top, window.height, image[1])
          let columns = inside(ox * strides.width - left, window.width, image[2])
          for c in 0..<type.shape[3] {
            var sum = 0.0
            var greatest = -Double.infinity
            for y in rows {
              for column in columns {
                let value = values[((n * image[1] + y) * image[2] + column) * image[3] + c]
                sum += value
                greatest = value.isNaN || greatest.isNaN ? .nan : max(greatest, value)
              }
            }
            result.append(kind == .max ? greatest : sum / Double(rows.count * columns.count))
          }
        }
      }
    }
    guard isInteger else { return [try tensor(result.map(activation.apply), type)] }
    let bounds = integerBounds(activation, type)
    let integers = result.map {
      clamp(truncated($0.rounded(.toNearestOrAwayFromZero)), to: bounds)
    }
    return [try tensor(integers: integers, type)]
  }

  /// The part of a window from `start` that lies on an axis of `extent`.
  private func inside(_ start: Int, _ length: Int, _ extent: Int) -> Range<Int> {
    let lower = min(max(start, 0), extent)
    return lower..<max(lower, min(start + length, extent))
  }
}
