import AssayBase
import AssayTensor
import Testing

/// Runs `body` with `count` generators, seeded `seed`, `seed + 1`, …; stops at the first that throws
/// and records its seed.
///
/// Bodies state properties with `try #require`, which throws.
public func forAll(
  seed: UInt64 = 1,
  count: Int = 100,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (inout SeededRNG) throws -> Void
) {
  for offset in 0..<UInt64(count) {
    var rng = SeededRNG(seed: seed &+ offset)
    do {
      try body(&rng)
    } catch {
      Issue.record(
        "fails with forAll(seed: \(seed &+ offset), count: 1): \(error)",
        sourceLocation: sourceLocation
      )
      return
    }
  }
}

extension SeededRNG {
  /// An integer in `range`.
  public mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// Whether a coin shows heads.
  public mutating func bool() -> Bool { next() & 1 == 1 }

  /// One of the elements.
  public mutating func pick<T>(_ elements: [T]) -> T { elements[int(0...elements.count - 1)] }

  /// A float32 tensor of standard normal samples.
  public mutating func tensor(_ shape: Shape, scale: Float = 1) -> Tensor {
    Tensor((0..<shape.count).map { _ in scale * normal() }, shape)
  }
}

/// The largest |a - b|, and the same over the largest |b| (0 when both are 0); infinite when the
/// counts differ or a NaN stands on one side only.
public func largestDifference(_ a: [Float], _ b: [Float]) -> (absolute: Float, relative: Float) {
  guard a.count == b.count else { return (.infinity, .infinity) }
  var (worst, peak): (Float, Float) = (0, 0)
  for (x, y) in zip(a, b) {
    if x.isNaN, y.isNaN { continue }
    if x.isNaN != y.isNaN { return (.infinity, .infinity) }
    if x != y { worst = max(worst, abs(x - y)) }
    peak = max(peak, abs(y))
  }
  return (worst, peak > 0 ? worst / peak : worst)
}
