import AssayBase
import AssayGraph
import AssayTensor

extension ZooEntry {
  /// Made-up samples for the network, as many as its inputs take, by the inputs' names.
  ///
  /// They are pictures of soft shapes with some noise, in the numbers that the network expects, or
  /// whatever else it takes.
  public func syntheticInputs(of network: Network, seed: UInt64) -> [String: Tensor] {
    var rng = SeededRNG(seed: seed ^ 0x5A00)
    var result: [String: Tensor] = [:]
    for id in network.graph.inputs {
      let value = network.graph[id]
      result[value.name] = tensor(value.type, name: value.name, &rng)
    }
    return result
  }

  private func tensor(_ type: TensorType, name: String, _ rng: inout SeededRNG) -> Tensor {
    switch input {
    case .picture(_, _, _, let pixels) where type.shape.rank == 4:
      let samples = (0..<type.shape[0]).flatMap { _ in picture(type.shape, pixels.range, &rng) }
      return Tensor(samples, type.shape)
    case .tokens(_, let vocabulary) where type.dtype == .int32:
      // All pieces count, and all belong to the first text.
      if name.contains("mask") || name.contains("type") {
        let number: Int32 = name.contains("mask") ? 1 : 0
        return Tensor([Int32](repeating: number, count: type.shape.count), type.shape)
      }
      let limit = UInt64(max(vocabulary, 1))
      return Tensor((0..<type.shape.count).map { _ in Int32(rng.next() % limit) }, type.shape)
    default:
      return Tensor((0..<type.shape.count).map { _ in rng.normal() }, type.shape)
    }
  }

  /// Three grids of random numbers, each finer than the one before, stretched over the picture, and
  /// noise: neighbors are alike, as in photographs.
  private func picture(
    _ shape: Shape,
    _ range: ClosedRange<Float>,
    _ rng: inout SeededRNG
  ) -> [Float] {
    let (rows, columns, depth) = (shape[1], shape[2], shape[3])
    var values = [Float](repeating: 0, count: rows * columns * depth)
    for (cells, weight) in [(3, Float(0.45)), (9, 0.25), (33, 0.15)] {
      let grid = (0..<(cells + 1) * (cells + 1) * depth).map { _ in rng.uniform() }
      for row in 0..<rows {
        let y = Float(row) * Float(cells) / Float(max(rows, 1))
        let (top, v) = (Int(y), y - Float(Int(y)))
        for column in 0..<columns {
          let x = Float(column) * Float(cells) / Float(max(columns, 1))
          let (left, u) = (Int(x), x - Float(Int(x)))
          let corner = (top * (cells + 1) + left) * depth
          let below = corner + (cells + 1) * depth
          let place = (row * columns + column) * depth
          for c in 0..<depth {
            let upper = grid[corner + c] * (1 - u) + grid[corner + depth + c] * u
            let lower = grid[below + c] * (1 - u) + grid[below + depth + c] * u
            values[place + c] += weight * (upper * (1 - v) + lower * v)
          }
        }
      }
    }
    let width = range.upperBound - range.lowerBound
    for place in values.indices {
      values[place] = range.lowerBound + width * (values[place] + 0.15 * rng.uniform())
    }
    return values
  }
}
