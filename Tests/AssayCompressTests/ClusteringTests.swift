import AssayBase
import AssayCompress
import AssayGraph
import AssayQuantize
import AssayTensor
import AssayTestSupport
import Testing

private func matrix(_ rows: Int, _ columns: Int) -> LayerWeights {
  LayerWeights(
    node: "layer",
    op: "Conv2D",
    value: ValueID(0),
    rows: rows,
    columns: columns,
    isTransposed: false
  )
}

private func squaredError(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
}

@Suite struct ClusteringTests {
  @Test(arguments: Clustering.Initialization.allCases)
  func everyWeightTakesTheNearestValue(initialization: Clustering.Initialization) {
    forAll(count: 60) { rng in
      let layer = matrix(rng.int(1...6), rng.int(1...60))
      let weights = rng.tensor([layer.count]).floats()
      let clustering = Clustering(rng.int(2...9), initialization)
      let made = ClusteredWeights(weights, of: layer, clustering, keepsZeros: false, seed: 1)
      let values = made.centroids[0]
      try #require(values.count <= clustering.count && values == values.sorted())
      try #require(values.count == min(clustering.count, Set(weights).count))
      for (weight, value) in zip(weights, made.weights) {
        let least = values.map { abs($0 - weight) }.min()
        try #require(abs(value - weight) == least)
      }
      // A fixed point of Lloyd's algorithm: values are the means of what they stand for.
      for value in values {
        let members = zip(weights, made.weights).filter { $1 == value }.map(\.0)
        let mean = members.reduce(0.0) { $0 + Double($1) } / Double(max(members.count, 1))
        try #require(abs(Double(value) - mean) < 1e-5, "\(value) for \(members)")
      }
    }
  }

  @Test func threeHeapsAreFound() {
    var rng = SeededRNG(seed: 3)
    let weights = (0..<300).map { Float($0 % 3) * 10 + rng.normal() * 0.1 }
    let made = ClusteredWeights(
      weights,
      of: matrix(1, 300),
      Clustering(3),
      keepsZeros: false,
      seed: 5
    )
    #expect(zip(made.centroids[0], [0, 10, 20]).allSatisfy { abs($0 - $1) < 0.1 })
    #expect(squaredError(weights, made.weights) < 300 * 0.03)
  }

  @Test func theSameSeedGivesTheSameValues() {
    var rng = SeededRNG(seed: 3)
    let (layer, weights) = (matrix(4, 100), rng.tensor([400]).floats())
    func made(_ seed: UInt64) -> ClusteredWeights {
      ClusteredWeights(weights, of: layer, Clustering(16), keepsZeros: false, seed: seed)
    }
    #expect(made(1) == made(1))
    #expect((2...9).contains { made($0) != made(1) })
  }

  @Test func eachChannelHasValuesOfItsOwn() {
    var rng = SeededRNG(seed: 3)
    let layer = matrix(5, 64)
    let weights = (0..<layer.count).map { Float($0 / 64 + 1) * rng.normal() }
    let whole = ClusteredWeights(weights, of: layer, Clustering(4), keepsZeros: false, seed: 1)
    let own = ClusteredWeights(
      weights,
      of: layer,
      Clustering(4, isPerChannel: true),
      keepsZeros: false,
      seed: 1
    )
    #expect(Set(whole.weights).count == 4)
    #expect(own.centroids.count == 5)
    for row in 0..<5 { #expect(Set(own.weights[row * 64..<(row + 1) * 64]).count == 4) }
    #expect(squaredError(weights, own.weights) < squaredError(weights, whole.weights))
  }

  @Test func zerosStayAndNothingElseBecomesOne() {
    forAll(count: 60) { rng in
      let layer = matrix(2, 50)
      let weights = rng.tensor([100]).floats().map { rng.bool() ? 0 : $0 }
      let clustering = Clustering(rng.int(2...8), isPerChannel: rng.bool())
      let made = ClusteredWeights(weights, of: layer, clustering, keepsZeros: true, seed: 1)
      for (weight, value) in zip(weights, made.weights) {
        try #require((weight == 0) == (value == 0))
      }
      for list in made.centroids { try #require(list.count <= clustering.count) }
    }
  }

  @Test func equalWeightsNeedNoMoreValues() {
    let weights = [Float](repeating: 0.5, count: 10) + [Float](repeating: -1, count: 5)
    let made = ClusteredWeights(
      weights,
      of: matrix(1, 15),
      Clustering(8),
      keepsZeros: true,
      seed: 1
    )
    #expect(made.centroids == [[-1, 0.5]] && made.weights == weights)
  }
}
