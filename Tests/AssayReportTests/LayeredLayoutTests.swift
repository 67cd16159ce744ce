import AssayBase
import AssayTestSupport
import Testing

@testable import AssayReport

@Suite struct LayeredLayoutTests {
  private typealias Edge = (from: Int, to: Int)

  private func layout(_ count: Int, _ edges: [Edge], width: Double = 100) -> LayeredLayout {
    let sizes = [(width: Double, height: Double)](repeating: (width, 40), count: count)
    return LayeredLayout(sizes: sizes, edges: edges)
  }

  @Test func aChainIsAStraightLine() {
    let drawing = layout(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    #expect(drawing.layers == [0, 1, 2, 3, 4])
    #expect(Set(drawing.centers.map(\.x)).count == 1)
    #expect(drawing.width == 100)
  }

  @Test func aSkipIsLedPastTheBoxes() {
    // 0 -> 1 -> 2 -> 3, and 0 -> 3.
    let drawing = layout(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    let stretches = drawing.routes[0].stretches
    #expect(stretches.count == 6)
    for stretch in stretches where stretch.from.x == stretch.to.x && !stretch.isEnd {
      for box in [1, 2] {
        let center = drawing.centers[box]
        let isBeside = abs(stretch.from.x - center.x) > 50
        let isElsewhere = stretch.to.y <= center.y - 20 || stretch.from.y >= center.y + 20
        #expect(isBeside || isElsewhere)
      }
    }
  }

  @Test func branchesOfADiamondDoNotCross() {
    let drawing = layout(6, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (4, 5)])
    let row = [1, 2, 3].map { drawing.centers[$0] }
    #expect(Set(row.map(\.y)).count == 1)
    // The one in the middle stands above what joins them.
    let middle = row.map(\.x).sorted()[1]
    #expect(abs(middle - drawing.centers[4].x) < 1)
  }

  @Test func whatIsNoEdgeIsLeftOut() {
    let drawing = layout(2, [(0, 1), (1, 0), (0, 0), (0, 7), (-1, 1), (0, 1)])
    #expect(drawing.layers == [0, 1])
    #expect(drawing.routes.count == 1)
    #expect(layout(0, []).centers.isEmpty)
  }

  @Test func boxesNeverOverlapAndEdgesLeadDown() {
    forAll(count: 30) { rng in
      let count = rng.int(2...60)
      var edges: [Edge] = []
      for to in 1..<count {
        for _ in 0..<rng.int(0...3) { edges.append((rng.int(0...(to - 1)), to)) }
      }
      let sizes = (0..<count).map { _ in
        (width: Double(rng.int(40...200)), height: Double(rng.int(20...50)))
      }
      let drawing = LayeredLayout(sizes: sizes, edges: edges)
      for a in 0..<count {
        for b in 0..<a where drawing.layers[a] == drawing.layers[b] {
          let distance = abs(drawing.centers[a].x - drawing.centers[b].x)
          try #require(distance >= (sizes[a].width + sizes[b].width) / 2 - 1e-6)
        }
        try #require(drawing.centers[a].x - sizes[a].width / 2 >= -1e-6)
        try #require(drawing.centers[a].x + sizes[a].width / 2 <= drawing.width + 1e-6)
      }
      for edge in edges { try #require(drawing.layers[edge.from] < drawing.layers[edge.to]) }
      for route in drawing.routes {
        for stretch in route.stretches { try #require(stretch.from.y <= stretch.to.y + 1e-6) }
      }
    }
  }

  @Test func everyReaderIsReachedFromItsSource() {
    forAll(count: 20) { rng in
      let count = rng.int(3...40)
      var edges: Set<[Int]> = []
      for to in 1..<count {
        for _ in 0..<rng.int(1...3) { edges.insert([rng.int(0...(to - 1)), to]) }
      }
      let drawing = layout(count, edges.map { ($0[0], $0[1]) })
      for route in drawing.routes {
        let ends = route.stretches.count { $0.isEnd }
        try #require(ends == edges.count { $0[0] == route.source })
      }
    }
  }

  @Test func twoThousandOperatorsTakeNoTime() {
    var rng = SeededRNG(seed: 5)
    var edges: [Edge] = []
    for to in 1..<2000 {
      edges.append((to - 1, to))
      if rng.int(0...3) == 0 { edges.append((max(0, to - rng.int(2...40)), to)) }
    }
    let clock = ContinuousClock()
    let time = clock.measure { _ = layout(2000, edges) }
    #expect(time < .seconds(5), "\(time)")
  }
}
