/// Times of operators over several profiled runs.
///
/// The mean is that of the quiet runs: the half that took least in all, without those that took more
/// than twice as long as the quickest. A run in the middle of which the system took the processor away
/// would swamp the small operators.
public struct OperatorProfile {
  private struct Key: Hashable {
    var kind: String
    var node: String
  }

  private var order: [Key] = []
  private var times: [Key: [Int: Double]] = [:]
  private var totals: [Int: Double] = [:]

  /// Makes a profile without runs.
  public init() {}

  /// Adds the time of one operator in one run; times of the same operator and run add up.
  public mutating func add(kind: String, node: String, run: Int, nanoseconds: Double) {
    let key = Key(kind: kind, node: node)
    if times[key] == nil { order.append(key) }
    times[key, default: [:]][run, default: 0] += nanoseconds
    totals[run, default: 0] += nanoseconds
  }

  /// How often an operator was seen so far.
  public func runs(kind: String, node: String) -> Int {
    times[Key(kind: kind, node: node)]?.count ?? 0
  }

  /// The mean time of each operator in quiet runs, in the order in which they were seen first.
  public var means: [OperatorTime] {
    let ranked = totals.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    let bound = (ranked.first?.value ?? 0) * 2
    let quiet = ranked.prefix((ranked.count + 1) / 2).filter { $0.value <= bound }.map(\.key)
    return order.map { key in
      let sum = quiet.reduce(0.0) { $0 + (times[key]?[$1] ?? 0) }
      return OperatorTime(
        kind: key.kind,
        node: key.node,
        nanoseconds: quiet.isEmpty ? 0 : sum / Double(quiet.count)
      )
    }
  }
}
