import AssayKernels
import AssayQuantize

/// Which weights of a layer stay; the others are zero.
public struct PruningMask: Sendable, Equatable {
  /// Whether each weight stays, in the Constant's order.
  public private(set) var keeps: [Bool]

  /// What stays, weight by weight.
  public init(_ keeps: [Bool]) { self.keeps = keeps }

  /// Everything stays.
  public init(count: Int) { keeps = [Bool](repeating: true, count: count) }

  /// The weights of least magnitude fall, of equals the first.
  ///
  /// - Parameters:
  ///   - weights: the layer's weights, in the Constant's order.
  ///   - layer: their shape.
  ///   - pattern: which fall together; whole channels are `ChannelPlan`'s.
  ///   - sparsity: the part that falls, from 0 to 1. Of single weights just so many fall (to the
  ///     nearest whole number), of blocks the same part of blocks. A pattern of parts has its own.
  public init(
    _ weights: [Float],
    of layer: LayerWeights,
    _ pattern: Pruning.Pattern,
    sparsity: Double
  ) {
    self.init(count: weights.count)
    switch pattern {
    case .single:
      for index in Self.least(sparsity, of: weights.map(\.magnitude)) { keeps[index] = false }
    case .block(let rows, let columns):
      dropBlocks(weights, layer, rows, columns, sparsity)
    case .part(let zeros, let of):
      dropParts(weights, layer, zeros, of)
    case .channels: break
    }
  }

  /// The part of weights that are zero.
  public var sparsity: Double {
    keeps.isEmpty ? 0 : Double(keeps.count { !$0 }) / Double(keeps.count)
  }

  /// Sets the weights that do not stay to zero.
  public func apply(to weights: inout [Float]) {
    for index in weights.indices { if !keeps[index] { weights[index] = 0 } }
  }

  /// Sets the elements of weights that do not stay to zero.
  func apply(to elements: FloatBuffer) {
    for index in 0..<min(keeps.count, elements.count) { if !keeps[index] { elements[index] = 0 } }
  }

  /// The places of the least numbers, of equals the first; `part` of all of them.
  private static func least(_ part: Double, of numbers: [Float]) -> [Int] {
    let count = Int((part * Double(numbers.count)).rounded())
    guard count > 0 else { return [] }
    // A magnitude's bits order as the magnitude does, so that one integer holds it and its place.
    var keys = numbers.enumerated().map { UInt64($1.magnitude.bitPattern) << 32 | UInt64($0) }
    keys.sort()
    return keys.prefix(count).map { Int($0 & 0xFFFF_FFFF) }
  }

  private mutating func dropBlocks(
    _ weights: [Float],
    _ layer: LayerWeights,
    _ rows: Int,
    _ columns: Int,
    _ sparsity: Double
  ) {
    let across = (layer.columns + columns - 1) / columns
    let down = (layer.rows + rows - 1) / rows
    func members(_ block: Int) -> [Int] {
      let (top, left) = (block / across * rows, block % across * columns)
      var result: [Int] = []
      for row in top..<min(top + rows, layer.rows) {
        for column in left..<min(left + columns, layer.columns) {
          result.append(layer.index(row, column))
        }
      }
      return result
    }
    // Blocks at the border are smaller, so means are compared.
    let means = (0..<down * across).map { block -> Float in
      let places = members(block)
      return places.reduce(0) { $0 + weights[$1].magnitude } / Float(max(places.count, 1))
    }
    for block in Self.least(sparsity, of: means) {
      for index in members(block) { keeps[index] = false }
    }
  }

  /// A rest of fewer weights than a part has stays whole.
  private mutating func dropParts(
    _ weights: [Float],
    _ layer: LayerWeights,
    _ zeros: Int,
    _ of: Int
  ) {
    for row in 0..<layer.rows {
      var start = 0
      while start + of <= layer.columns {
        let places = (start..<start + of).map { layer.index(row, $0) }
        let sorted = places.sorted { (weights[$0].magnitude, $0) < (weights[$1].magnitude, $1) }
        for index in sorted.prefix(zeros) { keeps[index] = false }
        start += of
      }
    }
  }
}
