/// Places of boxes in layers and the paths of what flows between them, top to bottom.
///
/// Sugiyama's method: layers by longest path, one chain of bends for all readers of a far-reaching
/// value, orders by medians with the fewest crossings seen, and coordinates by Brandes and Köpf (Fast
/// and Simple Horizontal Coordinate Assignment, 2002), which leaves long edges straight.
struct LayeredLayout {
  /// A point of the drawing.
  struct Point: Equatable {
    var x: Double
    var y: Double
  }

  /// A stretch of an edge between two rows.
  struct Stretch: Equatable {
    var from: Point
    var to: Point
    /// Whether it ends at a box.
    var isEnd: Bool
  }

  /// The centers of the boxes.
  private(set) var centers: [Point]
  /// For each source box that is read, the stretches to all of its readers.
  private(set) var routes: [(source: Int, stretches: [Stretch])] = []
  /// The layer of each box, from the top.
  private(set) var layers: [Int]
  /// Extents of the drawing.
  private(set) var width = 0.0
  private(set) var height = 0.0

  /// Space between rows, between boxes of a row, and around a bend.
  static let rowGap = 34.0, boxGap = 22.0, bendWidth = 14.0

  /// Lays boxes out.
  ///
  /// - Parameters:
  ///   - sizes: extents of the boxes.
  ///   - edges: from a box to a later one; others are left out.
  init(sizes: [(width: Double, height: Double)], edges: [(from: Int, to: Int)]) {
    var seen: Set<[Int]> = []
    let sound = edges.filter { edge in
      edge.from < edge.to && sizes.indices.contains(edge.from) && sizes.indices.contains(edge.to)
        && seen.insert([edge.from, edge.to]).inserted
    }
    let layers = LayeredLayout.layers(count: sizes.count, sound)
    self.layers = layers
    var mesh = LayerMesh(boxes: sizes.count, layers: layers, edges: sound)
    mesh.order()
    let widths = (0..<mesh.count).map { $0 < sizes.count ? sizes[$0].width : Self.bendWidth }
    let xs = Coordinates(mesh, widths: widths, gap: Self.boxGap).positions
    let rows = mesh.rows
    var tops: [Double] = []
    var y = 0.0
    var heights: [Double] = []
    for row in rows {
      let height = row.filter { $0 < sizes.count }.map { sizes[$0].height }.max() ?? 0
      tops.append(y)
      heights.append(height)
      y += height + Self.rowGap
    }
    height = max(0, y - Self.rowGap)
    let left = (0..<mesh.count).map { xs[$0] - widths[$0] / 2 }.min() ?? 0
    width = ((0..<mesh.count).map { xs[$0] + widths[$0] / 2 }.max() ?? 0) - left
    centers = sizes.indices.map { box in
      Point(x: xs[box] - left, y: tops[layers[box]] + heights[layers[box]] / 2)
    }
    for source in sizes.indices {
      let stretches = Self.stretches(
        from: source,
        mesh,
        xs.map { $0 - left },
        sizes,
        centers,
        tops,
        heights
      )
      if !stretches.isEmpty { routes.append((source, stretches)) }
    }
  }

  /// The longest way from the top; a box that only feeds others moves down to them.
  private static func layers(count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var layer = [Int](repeating: 0, count: count)
    var readers = [[Int]](repeating: [], count: count)
    var sources = [Int](repeating: 0, count: count)
    for edge in edges {
      readers[edge.from].append(edge.to)
      sources[edge.to] += 1
    }
    for box in 0..<count {
      for reader in readers[box] { layer[reader] = max(layer[reader], layer[box] + 1) }
    }
    for box in stride(from: count - 1, through: 0, by: -1) {
      guard let first = readers[box].map({ layer[$0] }).min() else { continue }
      if sources[box] == 0 || readers[box].count > sources[box] {
        layer[box] = max(layer[box], first - 1)
      }
    }
    let top = layer.min() ?? 0
    return layer.map { $0 - top }
  }

  private static func stretches(
    from source: Int,
    _ mesh: LayerMesh,
    _ xs: [Double],
    _ sizes: [(width: Double, height: Double)],
    _ centers: [Point],
    _ tops: [Double],
    _ heights: [Double]
  ) -> [Stretch] {
    var result: [Stretch] = []
    var pending = [source]
    while let item = pending.popLast() {
      let isBox = item < sizes.count
      let row = mesh.layer[item]
      let start = Point(
        x: xs[item],
        y: isBox ? centers[item].y + sizes[item].height / 2 : tops[row] + heights[row]
      )
      if !isBox {
        // A bend runs straight past the boxes of its row.
        result.append(Stretch(from: Point(x: xs[item], y: tops[row]), to: start, isEnd: false))
      }
      for next in mesh.below[item] {
        guard next < sizes.count else {
          let below = mesh.layer[next]
          result.append(
            Stretch(from: start, to: Point(x: xs[next], y: tops[below]), isEnd: false)
          )
          pending.append(next)
          continue
        }
        // Readers of several things are reached side by side, in the order of where these come from.
        let sources = mesh.above[next].sorted { xs[$0] < xs[$1] }
        let room = min(16, sizes[next].width * 0.6 / Double(max(sources.count, 1)))
        let place = Double(sources.firstIndex(of: item) ?? 0) - Double(sources.count - 1) / 2
        let end = Point(
          x: xs[next] + place * room,
          y: centers[next].y - sizes[next].height / 2
        )
        result.append(Stretch(from: start, to: end, isEnd: true))
      }
    }
    return result
  }
}

/// Boxes and bends in rows, joined to neighbouring rows only.
struct LayerMesh {
  /// Boxes come first, bends after them.
  let boxes: Int
  private(set) var layer: [Int]
  private(set) var above: [[Int]]
  private(set) var below: [[Int]]
  /// The items of each row from left to right.
  private(set) var rows: [[Int]] = []

  var count: Int { layer.count }
  func isBend(_ item: Int) -> Bool { item >= boxes }

  init(boxes: Int, layers: [Int], edges: [(from: Int, to: Int)]) {
    self.boxes = boxes
    layer = layers
    above = [[Int]](repeating: [], count: boxes)
    below = above
    var readers = [[Int]](repeating: [], count: boxes)
    for edge in edges { readers[edge.from].append(edge.to) }
    for source in 0..<boxes where !readers[source].isEmpty {
      let far = readers[source].map { layer[$0] }.max() ?? 0
      var chain = [source]
      if layer[source] + 1 < far {
        for row in (layer[source] + 1)..<far {
          let bend = layer.count
          layer.append(row)
          above.append([])
          below.append([])
          join(chain[chain.count - 1], bend)
          chain.append(bend)
        }
      }
      for reader in readers[source] { join(chain[layer[reader] - layer[source] - 1], reader) }
    }
    rows = [[Int]](repeating: [], count: (layer.max() ?? -1) + 1)
    for item in placedInOrderOfDescent() { rows[layer[item]].append(item) }
  }

  private mutating func join(_ upper: Int, _ lower: Int) {
    below[upper].append(lower)
    above[lower].append(upper)
  }

  /// All items, each after what it hangs from, depth first: branches lie side by side from the start.
  private func placedInOrderOfDescent() -> [Int] {
    var seen = [Bool](repeating: false, count: count)
    var result: [Int] = []
    for root in 0..<count where above[root].isEmpty {
      var pending = [root]
      while let item = pending.popLast() {
        if seen[item] { continue }
        seen[item] = true
        result.append(item)
        pending += below[item].reversed()
      }
    }
    return result
  }

  // MARK: Order

  /// Sorts rows by the medians of their neighbours, down and up, and keeps the order with the fewest
  /// crossings.
  mutating func order() {
    var best = rows
    var fewest = crossings()
    var idle = 0
    // Large meshes cost more a sweep and gain less by another one.
    let sweeps = count > 20_000 ? 8 : count > 6000 ? 16 : 28
    for sweep in 0..<sweeps where fewest > 0 && idle < 6 {
      let goesDown = sweep % 2 == 0
      let order =
        goesDown ? Array(rows.indices.dropFirst()) : Array(rows.indices.dropLast().reversed())
      for row in order { sortRow(row, beside: goesDown ? row - 1 : row + 1) }
      if count <= 6000 { for row in order { swapNeighbours(row) } }
      let now = crossings()
      if now < fewest {
        (best, fewest, idle) = (rows, now, 0)
      } else {
        idle += 1
      }
    }
    rows = best
  }

  private mutating func sortRow(_ row: Int, beside adjacent: Int) {
    var place = [Int: Double](minimumCapacity: rows[row].count)
    let position = positions(adjacent)
    var last = -1.0
    for item in rows[row] {
      let found = (adjacent < row ? above[item] : below[item]).compactMap { position[$0] }.sorted()
      if found.isEmpty {
        // Nothing to say where: beside its left neighbour.
        place[item] = last
      } else {
        place[item] = Self.median(found)
      }
      last = place[item] ?? last
    }
    rows[row] = rows[row].enumerated().sorted { a, b in
      let (x, y) = (place[a.element] ?? 0, place[b.element] ?? 0)
      return x == y ? a.offset < b.offset : x < y
    }.map(\.element)
  }

  private static func median(_ sorted: [Int]) -> Double {
    let middle = sorted.count / 2
    if sorted.count % 2 == 1 { return Double(sorted[middle]) }
    return Double(sorted[middle - 1] + sorted[middle]) / 2
  }

  private func positions(_ row: Int) -> [Int: Int] {
    var result = [Int: Int](minimumCapacity: rows[row].count)
    for (index, item) in rows[row].enumerated() { result[item] = index }
    return result
  }

  /// Swaps neighbours of a row while that takes crossings away.
  private mutating func swapNeighbours(_ row: Int) {
    let upper = row > 0 ? positions(row - 1) : [:]
    let lower = row + 1 < rows.count ? positions(row + 1) : [:]
    func pairs(_ a: [Int], _ b: [Int]) -> Int {
      // How many of a lie to the right of those of b.
      var total = 0
      for x in a { for y in b where x > y { total += 1 } }
      return total
    }
    for index in rows[row].indices.dropLast() {
      let (a, b) = (rows[row][index], rows[row][index + 1])
      let (a1, b1) = (above[a].compactMap { upper[$0] }, above[b].compactMap { upper[$0] })
      let (a2, b2) = (below[a].compactMap { lower[$0] }, below[b].compactMap { lower[$0] })
      if pairs(a1, b1) + pairs(a2, b2) > pairs(b1, a1) + pairs(b2, a2) {
        rows[row].swapAt(index, index + 1)
      }
    }
  }

  /// The number of crossings of the whole mesh.
  func crossings() -> Int {
    var total = 0
    for row in rows.indices.dropLast() {
      let lower = positions(row + 1)
      // Ends from left to right; each crosses those before it that end further right.
      var tree = [Int](repeating: 0, count: rows[row + 1].count + 1)
      var entered = 0
      for item in rows[row] {
        let ends = below[item].compactMap { lower[$0] }.sorted()
        for end in ends {
          var sum = 0
          var index = end + 1
          while index > 0 {
            sum += tree[index]
            index -= index & -index
          }
          total += entered - sum
        }
        for end in ends {
          entered += 1
          var index = end + 1
          while index < tree.count {
            tree[index] += 1
            index += index & -index
          }
        }
      }
    }
    return total
  }
}
