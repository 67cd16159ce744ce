import AssayBase
import AssayGraph
import AssayTensor

/// Which values share a scale, and the range of each such group.
struct ScaleGroups {
  private var parent: [Int]
  private var ranges: [Calibration.Range?]
  private var fixed: [Quantization?]

  init(count: Int) {
    parent = Array(0..<count)
    ranges = [Calibration.Range?](repeating: nil, count: count)
    fixed = [Quantization?](repeating: nil, count: count)
  }

  private func root(_ id: ValueID) -> Int {
    var index = id.index
    while parent[index] != index { index = parent[index] }
    return index
  }

  /// Widens the range of a value's group.
  mutating func widen(_ id: ValueID, by range: Calibration.Range) {
    let root = root(id)
    ranges[root] = ranges[root]?.union(range) ?? range
  }

  /// Gives a value the quantization that the specification fixes.
  mutating func fix(_ id: ValueID, _ quantization: Quantization) { fixed[root(id)] = quantization }

  /// The quantization that the specification fixes for a value's group.
  func fixed(_ id: ValueID) -> Quantization? { fixed[root(id)] }

  /// The range of a value's group.
  func range(_ id: ValueID) -> Calibration.Range? { ranges[root(id)] }

  /// A number that values of one group have in common.
  func group(_ id: ValueID) -> Int { root(id) }

  /// Gives a group another range.
  mutating func setRange(_ group: Int, _ range: Calibration.Range) { ranges[group] = range }

  /// Makes two values share a scale.
  mutating func join(_ a: ValueID, _ b: ValueID) {
    let (one, other) = (root(a), root(b))
    guard one != other else { return }
    parent[other] = one
    if let range = ranges[other] { ranges[one] = ranges[one]?.union(range) ?? range }
    if fixed[one] == nil { fixed[one] = fixed[other] }
  }

  /// The quantization of a value's group in integers of this type; `nil` when its range is not known.
  ///
  /// What the specification fixes, it fixes for the type that the group's values are made in.
  func quantization(_ id: ValueID, _ dtype: DType, made: DType?) -> Quantization? {
    let root = root(id)
    if let fixed = fixed[root], made == nil || dtype == made { return fixed }
    return ranges[root].map { range in
      dtype == .int16
        ? .int16(low: range.least, high: range.greatest) : .int8(low: range.low, high: range.high)
    }
  }
}
