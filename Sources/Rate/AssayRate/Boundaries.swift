import AssayBase

/// The four limits between the five ratings of each property, on the scale of indices.
public struct Boundaries: Sendable, Equatable {
  /// The quantiles that limits are taken at.
  static let quantiles = [0.8, 0.6, 0.4, 0.2]
  /// What holds for a property without limits of its own.
  static let usual = [0.9, 0.8, 0.7, 0.6]

  /// Four limits, best first, by property.
  public var limits: [String: [Double]]

  /// Makes boundaries.
  public init(_ limits: [String: [Double]] = [:]) { self.limits = limits }

  /// The limits of a property.
  public subscript(key: String) -> [Double] { limits[key] ?? limits["default"] ?? Self.usual }

  /// The limits at which an index counts among the best, second, … fifth of those given; `nil` for
  /// none.
  static func quantiles(of indices: [Double]) -> [Double]? {
    guard !indices.isEmpty else { return nil }
    let sorted = indices.sorted()
    return quantiles.map { quantile(sorted, $0) }
  }

  /// By property, either four limits or five intervals from an upper to a lower end; as they were
  /// saved by `json` or by the published programs.
  ///
  /// - Throws: `Diagnostic` RAT004 for anything else.
  public init(json: JSON) throws {
    guard let pairs = json.pairs else {
      throw Diagnostic("RAT004", "boundaries are an object of properties")
    }
    var limits: [String: [Double]] = [:]
    for (key, value) in pairs {
      let rows = value.array ?? []
      let numbers = rows.compactMap(\.double)
      let lower = rows.compactMap { $0.array?.last?.double }
      let found = numbers.count == rows.count ? numbers : Array(lower.dropLast())
      guard found.count == 4, numbers.count == rows.count || lower.count == 5 else {
        throw Diagnostic(
          "RAT004",
          "no four limits",
          at: ["property '\(key)'"],
          remedy: "write four numbers, best first: [0.9, 0.8, 0.7, 0.6]"
        )
      }
      guard zip(found, found.dropFirst()).allSatisfy({ $0 >= $1 }) else {
        throw Diagnostic("RAT004", "the limits do not fall", at: ["property '\(key)'"])
      }
      limits[key] = found
    }
    self.limits = limits
  }

  /// Four limits by property, sorted by name.
  public var json: JSON {
    var members = JSON.Members()
    for (key, values) in limits.sorted(by: { $0.key < $1.key }) {
      members[key] = .array(values.map { .number($0) })
    }
    return .members(members)
  }
}
