import AssayBase
import AssayGraph
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import Testing

/// Dilated convolutions as TensorFlow's converters write them, and what belongs to networks of
/// sequences.
@Suite struct DilationTests {
  @Test func blocksAroundAConvolutionAreItsDilation() throws {
    for (before, after, cropped) in [([2, 3], [2, 3], [0, 0]), ([2, 3], [3, 4], [1, 1])] {
      var chain = Chain([2, 6, 6, 3])
      try chain.add(SpaceToBatch(block: [2, 3], before: before, after: padded(before, after)))
      try chain.convolve(Conv2D(padding: .valid))
      try chain.add(
        BatchToSpace(block: [2, 3], before: [0, 0], after: crop(before, after, cropped))
      )
      let operators = try chain.canonicalOperators()
      #expect(operators.count { $0.hasPrefix("Conv2D") } == 1)
      #expect(!operators.contains { $0.hasPrefix("SpaceToBatch") || $0.hasPrefix("BatchToSpace") })
    }
  }

  /// The amounts behind, filled up to whole blocks.
  private func padded(_ before: [Int], _ after: [Int]) -> [Int] {
    zip(zip(before, after), [2, 3]).map { amounts, block in
      let total = 6 + amounts.0 + amounts.1
      return amounts.1 + (block - total % block) % block
    }
  }

  private func crop(_ before: [Int], _ after: [Int], _ least: [Int]) -> [Int] {
    zip(zip(padded(before, after), after), least).map { $0.0 - $0.1 + $1 }
  }

  @Test func sequencesAreConvolvedAlongOneAxis() throws {
    var chain = Chain([1, 20, 4])
    try chain.add(SpaceToBatch(block: [4], before: [4], after: [4]))
    let wide = chain.shape
    try chain.add(Reshape([wide[0], 1, wide[1], wide[2]]))
    let filter = chain.weights([5, 1, 3, 4])
    try chain.add(Conv2D(), [filter])
    let result = chain.shape
    try chain.add(Reshape([result[0], result[2], result[3]]))
    try chain.add(BatchToSpace(block: [4], before: [0], after: [0]))
    let operators = try chain.canonicalOperators()
    #expect(operators.map { $0.split(separator: " ").first.map(String.init) ?? $0 }.count == 3)
    #expect(operators.contains { $0.contains("1x4") || $0.hasPrefix("Conv2D") })
  }

  @Test func aStrideWithinABlockStays() throws {
    var chain = Chain([1, 8, 8, 3])
    try chain.add(SpaceToBatch(block: [2, 2], before: [0, 0], after: [0, 0]))
    try chain.convolve(Conv2D(strides: Size2D(2, 2), padding: .same))
    try chain.add(BatchToSpace(block: [2, 2], before: [0, 0], after: [0, 0]))
    let operators = try chain.canonicalOperators()
    #expect(operators.contains { $0.hasPrefix("SpaceToBatch") })
  }

  @Test func repetitionIsAResize() throws {
    for tiles in [false, true] {
      var chain = Chain([1, 5, 1, 3])
      if tiles {
        try chain.add(Tile([1, 1, 4, 1]))
      } else {
        let x = chain.last
        try chain.add(Concat(axis: 2), [x, x, x])
      }
      try chain.add(Reshape([1, -1, 3]))
      let operators = try chain.canonicalOperators()
      #expect(operators.contains { $0.hasPrefix("ResizeNearest") })
    }
  }

  @Test func reshapesLeaveSumsOfSequences() throws {
    var chain = Chain([1, 6, 3])
    try chain.add(Reshape([1, 1, 6, 3]))
    let image = chain.last
    let a = chain.weights([3, 1, 1, 3])
    try chain.add(Conv2D(), [a])
    try chain.add(Reshape([1, 6, 3]))
    let left = chain.last
    chain.last = image
    let b = chain.weights([3, 1, 3, 3])
    try chain.add(Conv2D(padding: .same), [b])
    try chain.add(Reshape([1, 6, 3]))
    try chain.add(Binary(.add, activation: .relu), [left])
    try chain.add(Reshape([1, 1, 6, 3]))
    let c = chain.weights([2, 1, 1, 3])
    try chain.add(Conv2D(), [c])
    let operators = try chain.canonicalOperators()
    #expect(operators.count { $0.hasPrefix("Reshape") } == 1)
  }
}
