import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The delay differential equation of Mackey and Glass (1977):
/// `x'(t) = beta * x(t - tau) / (1 + x(t - tau)^n) - gamma * x(t)`, with a constant past.
///
/// With the usual values the solution is chaotic: it never repeats itself, and two integrations that
/// differ in the last bit agree for some thousand time units only.
public struct MackeyGlass: Sendable, Equatable {
  /// The delay, in time units.
  public var tau = 18.0
  /// The exponent `n`.
  public var exponent = 10.0
  /// The rate of growth.
  public var beta = 0.25
  /// The rate of decay.
  public var gamma = 0.1
  /// The value at all times before 0, and at 0.
  public var history = 0.9
  /// Time between two samples.
  public var step = 1.0

  /// The equation of the published anomaly benchmark.
  public init() {}

  /// Throws what cannot be integrated.
  ///
  /// - Throws: `Diagnostic` DTC010 with the parameter that is out of range.
  public func check() throws {
    func demand(_ holds: Bool, _ name: String, _ value: Double, _ range: String) throws {
      guard holds else {
        throw Diagnostic("DTC010", "\(name) is \(value), and must be \(range)")
      }
    }
    try demand(tau > 0 && tau <= 10_000, "tau", tau, "above 0 and at most 10000")
    try demand(step > 0 && step <= 10_000, "the step", step, "above 0 and at most 10000")
    try demand(exponent > 0 && exponent <= 1000, "the exponent", exponent, "above 0, at most 1000")
    try demand(gamma >= 0 && gamma * tau <= 500, "gamma", gamma, "at least 0, and gamma * tau 500")
    try demand(abs(beta) <= 1000, "beta", beta, "between -1000 and 1000")
    try demand(history >= 0 && history <= 1e6, "the history", history, "from 0 to 1000000")
  }

  /// The first `count` samples, one every `step` from time 0.
  ///
  /// - Parameters:
  ///   - tolerance: the error of one piece of the solution, relative to it.
  ///   - progress: told now and then how many samples are there.
  /// - Throws: `Diagnostic` DTC010 for parameters that cannot be integrated, DTC011 where the solution
  ///   grows without bounds; what `progress` throws.
  public func samples(
    _ count: Int,
    tolerance: Double = 1e-10,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> [Double] {
    try check()
    var solver = DelaySolver(self, tolerance: tolerance)
    var samples: [Double] = []
    samples.reserveCapacity(count)
    while samples.count < count {
      try solver.advance()
      while samples.count < count, let value = solver.value(at: Double(samples.count) * step) {
        samples.append(value)
        if samples.count % 10_000 == 0 { try progress(samples.count) }
      }
    }
    return samples
  }

  /// An estimate of the greatest Lyapunov exponent, per time unit: how fast neighbouring solutions part.
  ///
  /// The linearized equation is integrated beside the solution, and its growth over each `step` is
  /// averaged after the first `skipped` steps.
  ///
  /// - Returns: the mean and its standard error (of blocks of 50 steps, which hardly depend on one
  ///   another).
  /// - Throws: as `samples`.
  public func lyapunovExponent(
    steps: Int = 20_000,
    skipped: Int = 400
  ) throws -> (mean: Double, standardError: Double) {
    try check()
    var solver = DelaySolver(self, tolerance: 1e-10, hasTangent: true)
    // The growth between the ends of blocks of the solver, of about one time unit each.
    let stepsPerBlock = solver.blockLength / step
    var growth: [Double] = []
    var last = 0.0
    var time = 0.0
    while time < Double(steps) {
      try solver.advance()
      let size = solver.tangentLogarithm
      time += stepsPerBlock
      if time > Double(skipped) { growth.append((size - last) / solver.blockLength) }
      last = size
    }
    let width = max(1, min(50, growth.count / 4))
    let means = stride(from: 0, to: growth.count - width + 1, by: width).map { start in
      growth[start..<start + width].reduce(0, +) / Double(width)
    }
    guard means.count > 1 else {
      throw Diagnostic("DTC010", "\(steps) steps are too few for the exponent's error")
    }
    let mean = means.reduce(0, +) / Double(means.count)
    let spread = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count - 1)
    return (mean, (spread / Double(means.count)).squareRoot())
  }
}

/// Integrates the equation by the method of steps: over a block the delayed value is known from the
/// blocks before, so the equation is linear there.
///
/// A block is a whole part of the delay, so that the kinks that the start sends through the solution at
/// multiples of the delay lie between blocks. A block is halved until its polynomials hold the tolerance.
private struct DelaySolver {
  /// A part of a block with the solution at Chebyshev points.
  struct Piece {
    /// The first place and the width, as parts of the block.
    var start: Double
    var width: Double
    var values: [Double]
    /// The solution of the linearized equation, if it is asked for.
    var tangent: [Double]
  }

  let equation: MackeyGlass
  let tolerance: Double
  let hasTangent: Bool
  /// Blocks in one delay.
  let perDelay: Int
  let blockLength: Double
  /// Blocks made so far.
  private var blockCount = 0
  /// The last `perDelay` blocks, the block with number n at n modulo their count.
  private var ring: [[Piece]]
  private var end: Double
  private var tangentEnd = 1.0
  /// The logarithm of what the tangent was divided by so far.
  private var tangentScale = 0.0
  /// Rules by how often the block was halved.
  private var rules: [CollocationRule]

  static let greatestDepth = 16

  init(_ equation: MackeyGlass, tolerance: Double, hasTangent: Bool = false) {
    self.equation = equation
    self.tolerance = tolerance
    self.hasTangent = hasTangent
    perDelay = max(1, Int(equation.tau.rounded(.up)))
    blockLength = equation.tau / Double(perDelay)
    end = equation.history
    let past = Piece(
      start: 0,
      width: 1,
      values: [Double](repeating: equation.history, count: CollocationRule.count),
      tangent: hasTangent ? [Double](repeating: 1, count: CollocationRule.count) : []
    )
    ring = [[Piece]](repeating: [past], count: perDelay)
    rules = [CollocationRule(length: blockLength, decayRate: equation.gamma)]
  }

  /// Makes the next block.
  mutating func advance() throws {
    let place = blockCount % perDelay
    // The block that it replaces is the one that it is a delay behind.
    let delayed = ring[place]
    var made: [Piece] = []
    try integrate(start: 0, depth: 0, delayed, &made)
    ring[place] = made
    blockCount += 1
    if hasTangent { rescaleTangent() }
  }

  private mutating func integrate(
    start: Double,
    depth: Int,
    _ delayed: [Piece],
    _ made: inout [Piece]
  ) throws {
    if rules.count <= depth {
      rules.append(
        CollocationRule(
          length: blockLength / Double(1 << depth),
          decayRate: equation.gamma
        )
      )
    }
    let rule = rules[depth]
    let width = 1 / Double(1 << depth)
    var source = [Double](repeating: 0, count: CollocationRule.count)
    var tangentSource = source
    for (index, point) in CollocationRule.points.enumerated() {
      let place = start + width * point
      let y = Self.value(delayed, at: place, isTangent: false)
      let power = pow(y, equation.exponent)
      source[index] = equation.beta * y / (1 + power)
      if hasTangent {
        let slope = (1 + (1 - equation.exponent) * power) / ((1 + power) * (1 + power))
        tangentSource[index] =
          equation.beta * slope * Self.value(delayed, at: place, isTangent: true)
      }
    }
    let values = rule.solution(start: end, source)
    let size = values.reduce(0) { max($0, abs($1)) }
    guard size.isFinite, size < 1e12 else {
      throw Diagnostic(
        "DTC011",
        "the solution grows without bounds",
        at: ["time \(Double(blockCount) * blockLength)"],
        remedy: "change tau, the exponent, beta or gamma; the defaults are 18, 10, 0.25 and 0.1"
      )
    }
    // The published series was made with an absolute tolerance of 1e-16, which never counts.
    let allowed = 1e-16 + tolerance * size
    if depth < Self.greatestDepth, rule.error(source) > allowed {
      try integrate(start: start, depth: depth + 1, delayed, &made)
      try integrate(start: start + width / 2, depth: depth + 1, delayed, &made)
      return
    }
    var piece = Piece(start: start, width: width, values: values, tangent: [])
    end = values[CollocationRule.degree]
    if hasTangent {
      piece.tangent = rule.solution(start: tangentEnd, tangentSource)
      tangentEnd = piece.tangent[CollocationRule.degree]
    }
    made.append(piece)
  }

  /// The solution at a time in the last `perDelay` blocks; `nil` for one that is not made yet.
  func value(at time: Double) -> Double? {
    let position = time / blockLength
    var block = Int(position)
    var place = position - Double(block)
    // The end of the last block is there; it is not the start of one.
    if block == blockCount, place < 1e-9 { (block, place) = (block - 1, 1) }
    guard block >= 0, block < blockCount else { return nil }
    return Self.value(ring[block % perDelay], at: place, isTangent: false)
  }

  private static func value(
    _ pieces: [Piece],
    at place: Double,
    isTangent: Bool
  ) -> Double {
    let piece = pieces.last { $0.start <= place } ?? pieces[0]
    return CollocationRule.value(
      isTangent ? piece.tangent : piece.values,
      at: min((place - piece.start) / piece.width, 1)
    )
  }

  /// The logarithm of the tangent's size over the last delay.
  var tangentLogarithm: Double {
    var (sum, count) = (0.0, 0)
    for block in ring {
      for piece in block {
        for value in piece.tangent { sum += value * value * piece.width }
        count += 1
      }
    }
    return tangentScale + log(sum) / 2
  }

  private mutating func rescaleTangent() {
    let size = abs(tangentEnd)
    guard size > 1e50 || size < 1e-50, size > 0 else { return }
    tangentScale += log(size)
    tangentEnd /= size
    for block in ring.indices {
      for piece in ring[block].indices {
        for index in ring[block][piece].tangent.indices {
          ring[block][piece].tangent[index] /= size
        }
      }
    }
  }
}
