#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How `x' = f(t) - decay * x` is integrated over one piece on which `f` is known at Chebyshev points.
///
/// The solution at each point is `exp(...) * start` plus an integral of `f` against the kernel
/// `exp(-decay * (t - s))`. The polynomial through the points of `f` is integrated exactly (by Gauss's
/// rule, to rounding), so the only error is that of the polynomial, which the size of its last
/// Chebyshev coefficients tells.
struct CollocationRule {
  /// The degree of the polynomials.
  static let degree = 16
  /// Points of a piece, its ends included.
  static let count = degree + 1

  /// The Chebyshev points of [0, 1], ascending.
  static let points: [Double] = (0...degree).map { index in
    if index == 0 { return 0 }
    if index == degree { return 1 }
    return (1 - cos(.pi * Double(index) / Double(degree))) / 2
  }

  /// How much of the piece's first value is left at each point.
  let decay: [Double]
  /// What each point's `f` adds to each point's solution, by rows of solutions.
  let weights: [Double]
  /// The length of the piece.
  let length: Double

  init(length: Double, decayRate: Double) {
    self.length = length
    decay = Self.points.map { exp(-decayRate * length * $0) }
    let (nodes, shares) = gaussLegendre(32)
    var weights = [Double](repeating: 0, count: Self.count * Self.count)
    for (row, end) in Self.points.enumerated() where end > 0 {
      for (node, share) in zip(nodes, shares) {
        let place = end * node
        let kernel = exp(-decayRate * length * (end - place)) * share * end * length
        for (column, part) in Self.basis(at: place).enumerated() {
          weights[row * Self.count + column] += kernel * part
        }
      }
    }
    self.weights = weights
  }

  /// The solution at the points for `f` at the points.
  func solution(start: Double, _ values: [Double]) -> [Double] {
    (0..<Self.count).map { row in
      var sum = decay[row] * start
      for column in 0..<Self.count { sum += weights[row * Self.count + column] * values[column] }
      return sum
    }
  }

  /// What the solution may be wrong by: what the last two Chebyshev coefficients of `f` add up to.
  func error(_ values: [Double]) -> Double {
    let (last, before) = Self.tail(values)
    return (abs(last) + abs(before)) * length
  }

  /// The last two Chebyshev coefficients of the polynomial through the points.
  private static func tail(_ values: [Double]) -> (Double, Double) {
    var (last, before) = (0.0, 0.0)
    for index in 0...degree {
      let share = index == 0 || index == degree ? 0.5 : 1
      last += share * values[index] * (index % 2 == 0 ? 1 : -1)
      before += share * values[index] * turns[index]
    }
    return (last / Double(degree), 2 * before / Double(degree))
  }

  private static let turns: [Double] = (0...degree).map { index in
    cos(.pi * Double((degree - 1) * (degree - index)) / Double(degree))
  }

  /// The value at `place` in [0, 1] of the polynomial through the points (barycentric).
  static func value(_ values: some Collection<Double>, at place: Double) -> Double {
    var (above, below) = (0.0, 0.0)
    for (index, value) in values.enumerated() {
      let distance = place - points[index]
      if distance == 0 { return value }
      let weight = barycentric[index] / distance
      above += weight * value
      below += weight
    }
    return above / below
  }

  private static let barycentric: [Double] = (0...degree).map { index in
    (index % 2 == 0 ? 1 : -1) * (index == 0 || index == degree ? 0.5 : 1)
  }

  /// The value at `place` of each polynomial that is 1 at one point and 0 at the others.
  private static func basis(at place: Double) -> [Double] {
    if let hit = points.firstIndex(of: place) { return points.indices.map { $0 == hit ? 1 : 0 } }
    let parts = points.indices.map { barycentric[$0] / (place - points[$0]) }
    let sum = parts.reduce(0, +)
    return parts.map { $0 / sum }
  }
}

/// The nodes and weights of Gauss's rule with `count` points on [0, 1].
private func gaussLegendre(_ count: Int) -> (nodes: [Double], weights: [Double]) {
  var nodes: [Double] = []
  var weights: [Double] = []
  for index in 0..<count {
    var x = cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
    var slope = 1.0
    for _ in 0..<100 {
      var (value, before) = (1.0, 0.0)
      for degree in 1...count {
        let next =
          (Double(2 * degree - 1) * x * value - Double(degree - 1) * before) / Double(degree)
        (before, value) = (value, next)
      }
      slope = Double(count) * (x * value - before) / (x * x - 1)
      let step = value / slope
      x -= step
      if abs(step) < 1e-16 { break }
    }
    nodes.append((1 - x) / 2)
    weights.append(1 / ((1 - x * x) * slope * slope))
  }
  return (nodes, weights)
}
