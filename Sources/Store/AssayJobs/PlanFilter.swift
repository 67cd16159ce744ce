import AssayBase

/// Combinations by the values of some axes: those that have one of the values on every axis named.
public struct PlanFilter: Sendable, Equatable {
  /// The wanted values of each axis.
  public var values: [String: [JSON]]
  /// The line of the plan.
  public var line: Int

  /// The axes that a filter may name.
  public static let axes = [
    "model", "recipe", "runtime", "provider", "threads", "batch", "device", "scenario", "meter",
  ]

  /// Whether a combination is one of them.
  public func matches(_ cell: SweepCell) -> Bool {
    values.allSatisfy { axis, wanted in
      let value = cell.value(of: axis)
      return wanted.contains { PlanFilter.isSame($0, value) }
    }
  }

  private static func isSame(_ wanted: JSON, _ value: JSON) -> Bool {
    // A pattern such as `static_*` stands for every name of that form.
    if let pattern = wanted.string, let text = value.string {
      return isSame(pattern: Array(pattern.utf8)[...], Array(text.utf8)[...])
    }
    return wanted == value
  }

  private static func isSame(pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    // The last star seen and the text that it has taken: no recursion, so that no pattern is slow.
    var (p, t) = (pattern.startIndex, text.startIndex)
    var star: (pattern: Int, text: Int)?
    while t < text.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        star = (p, t)
        p += 1
      } else if p < pattern.endIndex, pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        (p, t) = (last.pattern + 1, last.text + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
