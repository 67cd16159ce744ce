/// Horizontal places in the order of the rows (Brandes and Köpf 2002): four extreme alignments of items
/// with the medians of their neighbours, and the mean of the two in the middle.
struct Coordinates {
  /// The center of each item.
  private(set) var positions: [Double]

  init(_ mesh: LayerMesh, widths: [Double], gap: Double) {
    let conflicts = Self.conflicts(mesh)
    var layouts: [[Double]] = []
    for isUpward in [false, true] {
      for isRightward in [false, true] {
        var rows = isUpward ? mesh.rows.reversed() : mesh.rows
        if isRightward { rows = rows.map { $0.reversed() } }
        let neighbours = isUpward ? mesh.below : mesh.above
        let alignment = Alignment(rows, neighbours, conflicts, count: mesh.count)
        let xs = alignment.compacted(rows, widths: widths, gap: gap, isBend: mesh.isBend)
        layouts.append(isRightward ? xs.map { -$0 } : xs)
      }
    }
    Self.moveTogether(&layouts, widths)
    positions = (0..<mesh.count).map { item in
      let sorted = layouts.map { $0[item] }.sorted()
      return (sorted[1] + sorted[2]) / 2
    }
  }

  /// Edges that cross a straight stretch between two bends: these stay straight.
  private static func conflicts(_ mesh: LayerMesh) -> Set<Pair> {
    var result: Set<Pair> = []
    for (upper, lower) in zip(mesh.rows, mesh.rows.dropFirst()) {
      var position: [Int: Int] = [:]
      for (index, item) in upper.enumerated() { position[item] = index }
      var left = 0
      var scanned = 0
      for (index, item) in lower.enumerated() {
        let inner =
          mesh.isBend(item) ? mesh.above[item].first { mesh.isBend($0) } : nil
        let right = inner.flatMap { position[$0] } ?? upper.count
        guard inner != nil || index == lower.count - 1 else { continue }
        for scan in lower[scanned...index] {
          for neighbour in mesh.above[scan] {
            guard let place = position[neighbour], place < left || place > right,
              !(mesh.isBend(neighbour) && mesh.isBend(scan))
            else { continue }
            result.insert(Pair(neighbour, scan))
          }
        }
        scanned = index + 1
        left = right
      }
    }
    return result
  }

  /// Moves the four layouts to the edges of the narrowest one.
  private static func moveTogether(_ layouts: inout [[Double]], _ widths: [Double]) {
    func range(_ xs: [Double]) -> (low: Double, high: Double) {
      var (low, high) = (Double.infinity, -Double.infinity)
      for (index, x) in xs.enumerated() {
        low = min(low, x - widths[index] / 2)
        high = max(high, x + widths[index] / 2)
      }
      return (low, high)
    }
    let ranges = layouts.map(range)
    guard let narrow = ranges.min(by: { $0.high - $0.low < $1.high - $1.low }) else { return }
    for index in layouts.indices {
      let isRightward = index % 2 == 1
      let shift =
        isRightward ? narrow.high - ranges[index].high : narrow.low - ranges[index].low
      layouts[index] = layouts[index].map { $0 + shift }
    }
  }
}

/// An edge between two items of neighbouring rows.
private struct Pair: Hashable {
  var low: Int
  var high: Int
  init(_ a: Int, _ b: Int) { (low, high) = (min(a, b), max(a, b)) }
}

/// Items that stand above one another, as chains with one root each.
private struct Alignment {
  private var root: [Int]

  init(_ rows: [[Int]], _ neighbours: [[Int]], _ conflicts: Set<Pair>, count: Int) {
    root = Array(0..<count)
    var next = Array(0..<count)
    var position = [Int](repeating: 0, count: count)
    for row in rows { for (index, item) in row.enumerated() { position[item] = index } }
    for row in rows {
      var last = -1
      for item in row {
        let found = neighbours[item].sorted { position[$0] < position[$1] }
        guard !found.isEmpty else { continue }
        for index in Set([(found.count - 1) / 2, found.count / 2]).sorted() {
          let neighbour = found[index]
          guard next[item] == item, last < position[neighbour],
            !conflicts.contains(Pair(item, neighbour))
          else { continue }
          next[neighbour] = item
          root[item] = root[neighbour]
          next[item] = root[item]
          last = position[neighbour]
        }
      }
    }
  }

  /// The places of the chains, as far left as their rows allow, then as far right as that costs nothing.
  func compacted(
    _ rows: [[Int]],
    widths: [Double],
    gap: Double,
    isBend: (Int) -> Bool
  ) -> [Double] {
    // A graph of chains: the least distance between those that are neighbours in some row.
    var after: [Int: [Int: Double]] = [:]
    var before: [Int: [Int: Double]] = [:]
    for row in rows {
      for (a, b) in zip(row, row.dropFirst()) {
        let space = isBend(a) && isBend(b) ? gap / 2 : gap
        let distance = (widths[a] + widths[b]) / 2 + space
        let (x, y) = (root[a], root[b])
        after[x, default: [:]][y] = max(after[x]?[y] ?? 0, distance)
        before[y, default: [:]][x] = max(before[y]?[x] ?? 0, distance)
      }
    }
    let roots = Set(root)
    var order: [Int] = []
    var missing = Dictionary(uniqueKeysWithValues: roots.map { ($0, before[$0]?.count ?? 0) })
    var ready = roots.filter { missing[$0] == 0 }.sorted()
    while let item = ready.popLast() {
      order.append(item)
      for neighbour in (after[item] ?? [:]).keys.sorted() {
        missing[neighbour, default: 0] -= 1
        if missing[neighbour] == 0 { ready.append(neighbour) }
      }
    }
    var x = [Double](repeating: 0, count: root.count)
    for item in order {
      x[item] = (before[item] ?? [:]).map { x[$0.key] + $0.value }.max() ?? 0
    }
    for item in order.reversed() {
      if let limit = (after[item] ?? [:]).map({ x[$0.key] - $0.value }).min() {
        x[item] = max(x[item], limit)
      }
    }
    return root.map { x[$0] }
  }
}
