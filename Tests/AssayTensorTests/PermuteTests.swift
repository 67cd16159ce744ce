import AssayBase
import AssayTensor
import Testing

@Suite struct PermuteTests {
  /// Every order of the axes 0..<rank.
  static func orders(_ rank: Int) -> [[Int]] {
    guard rank > 0 else { return [[]] }
    return orders(rank - 1).flatMap { order in
      (0...order.count).map { place in
        var longer = order
        longer.insert(rank - 1, at: place)
        return longer
      }
    }
  }

  /// The definition: the element at each position of the result.
  static func slow(_ tensor: Tensor, _ permutation: [Int]) -> [Int32] {
    let elements = tensor.elements(as: Int32.self)
    let shape = Shape(permutation.map { tensor.shape.dims[$0] })
    let strides = tensor.shape.strides
    return (0..<shape.count).map { index in
      var source = 0
      for (axis, step) in shape.strides.enumerated() {
        source += index / step % shape.dims[axis] * strides[permutation[axis]]
      }
      return elements[source]
    }
  }

  @Test(arguments: [
    [], [5], [3, 70], [1, 4, 1], [2, 3, 4], [17, 1, 65], [3, 2, 5, 4], [0, 3],
  ])
  func permutesAsDefined(dims: [Int]) throws {
    let shape = Shape(dims)
    let tensor = Tensor((0..<Int32(shape.count)).map { $0 }, shape)
    for order in Self.orders(shape.rank) {
      let result = try #require(tensor.permuted(order))
      #expect(result.shape.dims == order.map { dims[$0] })
      #expect(result.elements(as: Int32.self) == Self.slow(tensor, order), "\(dims) \(order)")
    }
  }

  @Test func copiesNothingWhenTheOrderStays() throws {
    let tensor = Tensor([1, 2, 3] as [Int32], [1, 3, 1])
    let result = try #require(tensor.permuted([1, 0, 2]))
    let same = unsafe tensor.bytes.withUnsafeBytes { a in
      unsafe result.bytes.withUnsafeBytes { b in unsafe a.baseAddress == b.baseAddress }
    }
    #expect(same)
  }

  @Test(arguments: [[0], [0, 0], [0, 2], [0, 1, 2]])
  func refusesWhatIsNoOrder(permutation: [Int]) {
    #expect(Tensor([1, 2] as [Int32], [1, 2]).permuted(permutation) == nil)
  }
}
