import AssayTensor

/// One output of a network, as numbers.
public struct Output: Sendable {
  /// The network's name for it.
  public var name: String
  /// Its extents, without those of 1 in front.
  public var extents: [Int]
  /// Its values, dequantized.
  public var values: [Float]

  /// Makes an output.
  ///
  /// - Precondition: there are as many values as the extents say.
  public init(name: String, extents: [Int], values: [Float]) {
    precondition(values.count == extents.reduce(1, *), "\(values.count) values")
    self.name = name
    self.extents = extents
    self.values = values
  }

  /// A tensor's values; the axis of the samples is left out.
  public init(name: String, tensor: Tensor) {
    var extents = tensor.shape.dims
    if extents.count > 1, extents[0] == 1 { extents.removeFirst() }
    let plain = tensor.quantization == nil && tensor.dtype.isInteger
    self.init(
      name: name,
      extents: extents,
      values: plain ? tensor.integers().map { Float($0) } : tensor.floats()
    )
  }

  /// The values as rows of `columns`, whichever of both axes comes first in the file.
  func rows(of columns: Int) -> [Float]? {
    guard extents.count == 2 else { return nil }
    if extents[1] == columns { return values }
    guard extents[0] == columns else { return nil }
    var result = [Float](repeating: 0, count: values.count)
    let count = extents[1]
    for column in 0..<columns {
      for row in 0..<count { result[row * columns + column] = values[column * count + row] }
    }
    return result
  }
}
