/// Names that are given out once: one that is taken gets a number.
public struct UniqueNames: Sendable {
  private var used: Set<String>
  /// The next number to try behind a name, so that many of one name are not counted from the beginning
  /// each time.
  private var next: [String: Int] = [:]
  private let separator: String
  private let first: Int

  /// Names of which some are taken.
  ///
  /// - Parameters:
  ///   - separator: what stands between a name and its number.
  ///   - first: the number that the second of a name gets.
  public init(_ used: Set<String> = [], separator: String = "_", first: Int = 1) {
    self.used = used
    self.separator = separator
    self.first = first
  }

  /// Takes a name as it is.
  ///
  /// - Returns: whether it was free.
  @discardableResult
  public mutating func take(_ name: String) -> Bool { used.insert(name).inserted }

  /// Gives a name back.
  public mutating func free(_ name: String) { used.remove(name) }

  /// `name`, or `name` with a number when it is taken.
  public mutating func unique(_ name: String) -> String {
    if used.insert(name).inserted { return name }
    var number = next[name] ?? first
    var candidate = "\(name)\(separator)\(number)"
    while !used.insert(candidate).inserted {
      number += 1
      candidate = "\(name)\(separator)\(number)"
    }
    next[name] = number + 1
    return candidate
  }
}

extension Graph {
  /// The graph with every value under a name of its own: inputs and outputs keep theirs, a later
  /// value of the same name gets a number.
  public func uniquelyNamed() -> Graph {
    var result = self
    let fixed = inputs + outputs.filter { !inputs.contains($0) }
    var names = UniqueNames(Set(fixed.map { self[$0].name }))
    for index in values.indices where !fixed.contains(ValueID(index)) {
      let name = values[index].name
      let unique = names.unique(name)
      if unique != name { result[ValueID(index)].name = unique }
    }
    return result
  }
}
