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

@Suite struct TurnedTests {
  @Test func turnedTensorsAreWhatPermutedOnesAre() throws {
    let permutations = [[2, 0, 1], [1, 0, 2], [0, 1, 2], [2, 1, 0], [0, 2, 1]]
    let shapes: [Shape] = [[2, 3, 4], [1, 5, 3], [4, 1, 1], [3, 0, 2]]
    for shape in shapes {
      let tensor = Tensor((0..<shape.count).map { Float($0) }, shape)
      for permutation in permutations {
        let eager = try #require(tensor.permuted(permutation))
        let lazy = try #require(tensor.turned(permutation))
        #expect(lazy.type == eager.type && lazy.floats() == eager.floats())
        #expect(lazy.byteCount == eager.byteCount && lazy.bytes.hasSameBytes(as: eager.bytes))
        #expect(lazy.hasSameElements(as: eager) && eager.hasSameElements(as: lazy))
        #expect(lazy.aligned.floats() == eager.floats())
        let flat = lazy.reshaped([shape.count])
        #expect(flat.floats() == eager.floats())
        #expect(flat.permuted([0])?.floats() == eager.floats())
        for second in permutations {
          let twice = try #require(eager.permuted(second))
          #expect(lazy.permuted(second)?.floats() == twice.floats())
          #expect(lazy.turned(second)?.floats() == twice.floats())
        }
      }
      #expect(tensor.turned([0, 0, 1]) == nil && tensor.turned([0, 1]) == nil)
    }
  }

  @Test func turnedTensorsDifferWhereTheirElementsDo() throws {
    let one = try #require(Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3]).turned([1, 0]))
    let other = try #require(Tensor([1, 2, 3, 4, 5, 7] as [Float], [2, 3]).turned([1, 0]))
    #expect(one.hasSameElements(as: one) && !one.hasSameElements(as: other))
    #expect(!one.hasSameElements(as: one.reshaped([2, 3])))
  }

  @Test func alignmentCopiesOnlyWhatLiesAskew() throws {
    let bytes = ByteView([9, 0, 0, 128, 63, 0, 0, 0, 64])
    let tensor = try Tensor(TensorType(.float32, [2]), bytes: bytes.slice(1, 8))
    let aligned = tensor.aligned
    #expect(aligned.floats() == [1, 2])
    let isFit = unsafe aligned.bytes.withUnsafeBytes {
      UInt(bitPattern: $0.baseAddress) % 4 == 0
    }
    #expect(isFit)
  }
}
