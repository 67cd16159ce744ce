/// A load whose power is known at every moment: levels that change at given times, with a ripple.
public struct VirtualLoad: Sendable {
  /// Changes: from this time (nanoseconds) on this many watts.
  private var changes: [(time: Double, watts: Double)]
  /// Joules up to each change.
  private var joules: [Double]

  /// A load that begins at the first change.
  ///
  /// - Precondition: there is a change, and times rise.
  public init(_ changes: [(time: Double, watts: Double)]) {
    precondition(!changes.isEmpty, "a load begins somewhere")
    self.changes = changes
    var sum = 0.0
    joules = [0]
    for index in 1..<max(changes.count, 1) {
      sum += changes[index - 1].watts * (changes[index].time - changes[index - 1].time) / 1e9
      joules.append(sum)
    }
  }

  private func segment(_ time: Double) -> Int {
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].time > time { high = middle } else { low = middle + 1 }
    }
    return max(low - 1, 0)
  }

  /// Watts at a moment.
  public func watts(at time: Double) -> Double { changes[segment(time)].watts }

  /// Joules from the beginning to a moment.
  public func joules(at time: Double) -> Double {
    let index = segment(time)
    return joules[index] + changes[index].watts * max(time - changes[index].time, 0) / 1e9
  }

  /// Joules between two moments.
  public func joules(from begin: Double, to end: Double) -> Double {
    joules(at: end) - joules(at: begin)
  }
}
