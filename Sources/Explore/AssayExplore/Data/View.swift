import AssayBase
import AssayRate

/// What the overview shows of a table: computed here, so that a million rows cost the page nothing.
///
/// `view.js` computes the same for an exported site, which has no server.
struct View {
  private let rated: RatedTable
  private let query: ViewQuery
  private var table: ExplorerTable { rated.table }
  /// The rows that pass the filters.
  let shown: [Int32]
  /// Those of them that are brushed; all without a brush.
  let chosen: [Int32]

  init(_ rated: RatedTable, _ query: ViewQuery) {
    self.rated = rated
    self.query = query
    shown = Self.filtered(rated, query)
    guard let brush = query.brush else {
      chosen = shown
      return
    }
    let (xs, ys) = (rated.table.columns[query.x], rated.table.columns[query.y])
    chosen = shown.filter { brush.x.contains(xs[Int($0)]) && brush.y.contains(ys[Int($0)]) }
  }

  private static func filtered(_ rated: RatedTable, _ query: ViewQuery) -> [Int32] {
    let table = rated.table
    var keeps = [Bool](repeating: true, count: table.count)
    for (place, codes) in query.facets {
      let facet = table.facets[place]
      let wanted = facet.values.indices.map { codes.contains(UInt32($0)) }
      for row in keeps.indices where !wanted[Int(facet.codes[row])] { keeps[row] = false }
    }
    for (place, range) in query.ranges {
      let column = table.columns[place]
      // NaN is in no range.
      for row in keeps.indices where !range.contains(column[row]) { keeps[row] = false }
    }
    if !query.grades.isEmpty {
      for row in keeps.indices where !query.grades.contains(rated.grades[row]) {
        keeps[row] = false
      }
    }
    var rows: [Int32] = []
    rows.reserveCapacity(table.count)
    for row in keeps.indices where keeps[row] { rows.append(Int32(row)) }
    return rows
  }

  // MARK: The answer

  var json: JSON {
    var result = JSON.object([
      "total": JSON(table.count), "shown": JSON(shown.count), "chosen": JSON(chosen.count),
      "x": .string(table.properties[query.x].meta.key),
      "y": .string(table.properties[query.y].meta.key),
      "grades": .array(counts(of: chosen).map { JSON($0) }),
      "correlation": correlation,
      "rows": .array(tableRows.map { row(Int($0)) }),
    ])
    if query.isBrushOnly { return result }
    let drawn = shown.filter {
      !table.columns[query.x][Int($0)].isNaN && !table.columns[query.y][Int($0)].isNaN
    }
    result["drawn"] = JSON(drawn.count)
    let front = front(drawn)
    result["front"] = points(front)
    if drawn.count <= ViewQuery.pointLimit {
      result["points"] = points(drawn)
    } else {
      result["grid"] = grid(drawn)
    }
    result["tiles"] = .object(["x": tiles(query.x), "y": tiles(query.y)])
    result["facets"] = facets
    if query.goal != nil { result["goal"] = goal }
    return result
  }

  private func counts(of rows: [Int32]) -> [Int] {
    var counts = [Int](repeating: 0, count: RatedTable.letters.count)
    for row in rows { counts[Int(rated.grades[Int(row)])] += 1 }
    return counts
  }

  /// The best by compound, then in the table's order.
  private var tableRows: [Int32] {
    let index = rated.index
    func isBefore(_ a: Int32, _ b: Int32) -> Bool {
      // What is not rated comes last.
      let (one, other) = (index[Int(a)], index[Int(b)])
      let (x, y) = (one.isNaN ? -.infinity : one, other.isNaN ? -.infinity : other)
      return x != y ? x > y : a < b
    }
    // A hundred of a million rows are wanted: most are worse than the last of the best so far.
    var best: [Int32] = []
    for row in chosen {
      if best.count == query.rowLimit {
        guard let last = best.last, isBefore(row, last) else { continue }
        best.removeLast()
      }
      var (low, high) = (0, best.count)
      while low < high {
        let middle = (low + high) / 2
        if isBefore(row, best[middle]) { high = middle } else { low = middle + 1 }
      }
      best.insert(row, at: low)
    }
    return best
  }

  /// A row with all that it has, for the table behind the chart.
  func row(_ row: Int) -> JSON {
    let detail = rated.detail(row)
    return .object([
      "row": JSON(row), "id": .string(table.ids[row]),
      "facets": .array(table.facets.map { .string($0[row]) }),
      "values": .array(table.columns.map { JSON($0[row]) }),
      "lows": .array(table.lows.map { JSON($0[row]) }),
      "highs": .array(table.highs.map { JSON($0[row]) }),
      "grades": .array(rated.propertyGrades.map { .string(RatedTable.letters[Int($0[row])]) }),
      "indices": .array(detail.indices.map { JSON($0) }),
      "index": JSON(rated.index[row]),
      "chances": .string(detail.chances),
      "grade": .string(RatedTable.letters[Int(rated.grades[row])]),
      "parts": .array(
        detail.parts.map {
          .object([
            "name": .string($0.name), "index": JSON($0.index),
            "grade": .string(RatedTable.letters[Int($0.grade)]),
          ])
        }
      ),
    ])
  }

  /// Points as columns, with what the drawing needs of each.
  private func points(_ rows: [Int32]) -> JSON {
    let places = rows.map { Int($0) }
    func column(_ values: [Double]) -> JSON { .array(places.map { JSON(values[$0]) }) }
    func column(_ values: SparseColumn) -> JSON { .array(places.map { JSON(values[$0]) }) }
    let (model, environment) = (table.facets[0], table.facets[1])
    return .object([
      "row": .array(places.map { JSON($0) }),
      "x": column(table.columns[query.x]), "y": column(table.columns[query.y]),
      "xLow": column(table.lows[query.x]), "xHigh": column(table.highs[query.x]),
      "yLow": column(table.lows[query.y]), "yHigh": column(table.highs[query.y]),
      "model": .array(places.map { .string(model[$0]) }),
      "environment": .array(places.map { .string(environment[$0]) }),
      "grade": .array(places.map { JSON(Int(rated.grades[$0])) }),
      "index": column(rated.index),
    ])
  }

  /// The rows that no other beats on both axes, from the best on x on.
  private func front(_ rows: [Int32]) -> [Int32] {
    let (xs, ys) = (table.columns[query.x], table.columns[query.y])
    let signX = table.properties[query.x].meta.isMaximized ? -1.0 : 1.0
    let signY = table.properties[query.y].meta.isMaximized ? -1.0 : 1.0
    // Along the front x rises and y falls; of equal points the first row stands for all.
    var front: [(x: Double, y: Double, row: Int32)] = []
    for row in rows {
      let (x, y) = (signX * xs[Int(row)], signY * ys[Int(row)])
      var (low, high) = (0, front.count)
      while low < high {
        let middle = (low + high) / 2
        if front[middle].x <= x { low = middle + 1 } else { high = middle }
      }
      // All before this place are at least as good on x.
      if low > 0, front[low - 1].y <= y { continue }
      let first = low > 0 && front[low - 1].x == x ? low - 1 : low
      var end = low
      while end < front.count, front[end].y >= y { end += 1 }
      front.replaceSubrange(first..<end, with: [(x: x, y: y, row: row)])
      // A million rows along a line would all be on it: from here on order is cheaper than places.
      if front.count > 4096 { return sortedFront(rows, xs, ys, signX, signY) }
    }
    return front.prefix(ViewQuery.pointLimit).map(\.row)
  }

  private func sortedFront(
    _ rows: [Int32],
    _ xs: [Double],
    _ ys: [Double],
    _ signX: Double,
    _ signY: Double
  ) -> [Int32] {
    let order = rows.sorted {
      (signX * xs[Int($0)], signY * ys[Int($0)], $0)
        < (signX * xs[Int($1)], signY * ys[Int($1)], $1)
    }
    var best = Double.infinity
    var front: [Int32] = []
    for row in order where signY * ys[Int(row)] < best {
      best = signY * ys[Int(row)]
      front.append(row)
    }
    return Array(front.prefix(ViewQuery.pointLimit))
  }

  /// Counts of rows in cells, 96 by 64, on logarithmic axes where all values are positive and spread.
  private func grid(_ rows: [Int32]) -> JSON {
    let (wide, high) = (96, 64)
    let (xs, ys) = (table.columns[query.x], table.columns[query.y])
    let (onX, onY) = (Scale(xs, rows), Scale(ys, rows))
    var counts = [Int](repeating: 0, count: wide * high)
    for row in rows {
      let cell =
        onY.cell(ys[Int(row)], of: high) * wide + onX.cell(xs[Int(row)], of: wide)
      counts[cell] += 1
    }
    return .object([
      "x": onX.edges(wide), "y": onY.edges(high), "isLogX": .bool(onX.isLog),
      "isLogY": .bool(onY.isLog),
      "counts": .array(
        (0..<high).map { line in
          .array(counts[line * wide..<(line + 1) * wide].map { JSON($0) })
        }
      ),
    ])
  }

  /// The values between which a property's grade changes, best grade first; `null` when grades mix, as
  /// they do when each environment has its own limits.
  private func tiles(_ place: Int) -> JSON {
    let column = table.columns[place]
    let grades = rated.propertyGrades[place]
    let sign = table.properties[place].meta.isMaximized ? -1.0 : 1.0
    var least = [Double](repeating: .infinity, count: 5)
    var most = [Double](repeating: -.infinity, count: 5)
    for row in shown {
      let (grade, value) = (Int(grades[Int(row)]), sign * column[Int(row)])
      guard grade < 5, !value.isNaN else { continue }
      least[grade] = min(least[grade], value)
      most[grade] = max(most[grade], value)
    }
    var limits: [JSON] = []
    var end = -Double.infinity
    for grade in 0..<5 where least[grade] <= most[grade] {
      guard least[grade] >= end else { return .null }
      if end > -.infinity {
        limits.append(
          .object([
            "value": JSON(sign * (end + least[grade]) / 2),
            "grade": .string(RatedTable.letters[grade]),
          ])
        )
      } else {
        limits.append(.object(["value": .null, "grade": .string(RatedTable.letters[grade])]))
      }
      end = most[grade]
    }
    return .array(limits)
  }

  /// Pearson's correlation of each pair of properties over the rows that have both.
  private var correlation: JSON {
    let used = table.properties.indices.filter { place in
      let column = table.columns[place]
      return chosen.contains { !column[Int($0)].isNaN }
    }
    var matrix = [[Double]](
      repeating: [Double](repeating: .nan, count: used.count),
      count: used.count
    )
    for one in used.indices {
      for other in one..<used.count {
        matrix[one][other] = correlation(used[one], used[other])
        matrix[other][one] = matrix[one][other]
      }
    }
    return .object([
      "keys": .array(used.map { .string(table.properties[$0].meta.key) }),
      "values": .array(matrix.map { .array($0.map { JSON($0) }) }),
    ])
  }

  private func correlation(_ one: Int, _ other: Int) -> Double {
    let (a, b) = (table.columns[one], table.columns[other])
    var count = 0.0
    var (meanA, meanB, ss, tt, st) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for row in chosen {
      let (x, y) = (a[Int(row)], b[Int(row)])
      guard x.isFinite, y.isFinite else { continue }
      count += 1
      // Welford's sums: plain ones lose the small differences of large values.
      let (dx, dy) = (x - meanA, y - meanB)
      meanA += dx / count
      meanB += dy / count
      ss += dx * (x - meanA)
      tt += dy * (y - meanB)
      st += dx * (y - meanB)
    }
    guard count > 2, ss > 0, tt > 0 else { return .nan }
    return st / (ss * tt).squareRoot()
  }

  /// How many of the shown rows have each value, the most frequent first.
  private var facets: JSON {
    var result = JSON.Members()
    for facet in table.facets {
      var counts = [Int](repeating: 0, count: facet.values.count)
      for row in shown { counts[Int(facet.codes[Int(row)])] += 1 }
      let order = counts.indices.sorted { (counts[$0], $1) > (counts[$1], $0) }
      result[facet.key] = .array(
        order.prefix(200).map { .array([.string(facet.values[$0]), JSON(counts[$0])]) }
      )
    }
    return .members(result)
  }

  /// The row that is best in one property among those good enough in another.
  private var goal: JSON {
    guard let goal = query.goal else { return .null }
    let (wanted, given) = (table.columns[goal.best], table.columns[goal.given])
    let isMore = table.properties[goal.given].meta.isMaximized
    let sign = table.properties[goal.best].meta.isMaximized ? -1.0 : 1.0
    let fitting = shown.filter { row in
      let value = given[Int(row)]
      return !wanted[Int(row)].isNaN && (isMore ? value >= goal.bound : value <= goal.bound)
    }
    let found = fitting.min { (sign * wanted[Int($0)], $0) < (sign * wanted[Int($1)], $1) }
    guard let found else { return .object(["row": .null]) }
    return .object(["row": row(Int(found)), "candidates": JSON(fitting.count)])
  }
}

/// An axis of a grid.
private struct Scale {
  let isLog: Bool
  private let low: Double
  private let high: Double

  init(_ column: [Double], _ rows: [Int32]) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for row in rows where column[Int(row)].isFinite {
      low = min(low, column[Int(row)])
      high = max(high, column[Int(row)])
    }
    isLog = low > 0 && high / low > 20
    self.low = isLog ? logarithm10(low) : low
    self.high = isLog ? logarithm10(high) : high
  }

  func cell(_ value: Double, of count: Int) -> Int {
    let place =
      ((isLog ? logarithm10(value) : value) - low) / max(high - low, .leastNormalMagnitude)
    guard place.isFinite else { return 0 }
    return min(max(Int(place * Double(count)), 0), count - 1)
  }

  /// The ends of the cells, one more than there are cells; logarithms to base 10 on such an axis.
  func edges(_ count: Int) -> JSON {
    .array((0...count).map { JSON(low + (high - low) * Double($0) / Double(count)) })
  }
}
