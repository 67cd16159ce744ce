import AssayBase

/// What a scale's reference set comes to: middles, steps and limits.
struct Frozen: Sendable, Equatable {
  /// Of one property.
  struct Row: Sendable, Equatable {
    /// The figure of index 0; `nil` where it is each subject's original.
    var reference: Double?
    /// The doublings of one index.
    var step: Double
    /// The least indices of A to D.
    var limits: [Double]
  }

  /// By property.
  var rows: [Row]
  /// The references' indices by property.
  private var indices: [[Double?]]

  /// As few models as quantiles are taken of.
  private static let minimumCount = 5

  init(
    _ properties: [Scale.Property],
    _ references: [Scale.Reference],
    isRelative: Bool
  ) throws {
    guard !properties.isEmpty else {
      throw Diagnostic("RAT020", "the scale has no properties")
    }
    guard Set(properties.map(\.key)).count == properties.count else {
      throw Diagnostic("RAT020", "a property is there twice")
    }
    rows = []
    indices = references.map { _ in [] }
    for property in properties {
      let row = try locating("property '\(property.key)'") {
        try Self.row(property, references, isRelative)
      }
      rows.append(row)
      for (place, reference) in references.enumerated() {
        let index = row.reference.flatMap { middle in
          reference.values[property.key].flatMap { property.doublings($0, over: middle) }
        }
        indices[place].append(index.map { $0 / row.step })
      }
    }
    guard properties.contains(where: { $0.weight > 0 }) else {
      throw Diagnostic("RAT020", "every weight is 0", remedy: "give at least one property a weight")
    }
  }

  private static func row(
    _ property: Scale.Property,
    _ references: [Scale.Reference],
    _ isRelative: Bool
  ) throws -> Row {
    guard property.weight >= 0, property.weight.isFinite else {
      throw Diagnostic("RAT020", "a weight of \(property.weight)", remedy: "a number from 0 on")
    }
    let figures = references.compactMap { $0.values[property.key] }
    if property.comparison != .fraction, let figure = figures.first(where: { !($0 > 0) }) {
      throw Diagnostic("RAT020", "the reference set has \(figure), which has no ratio to others")
    }
    // Against any fixed figure the order and the distances are the same.
    let raw = figures.compactMap { property.doublings($0, over: figures[0]) }.sorted()
    let isSet = raw.count >= minimumCount
    var reference = property.reference
    if !isRelative, reference == nil, isSet {
      reference = value(property, quantile(raw, 0.5), over: figures[0])
    }
    guard isRelative || reference != nil else {
      throw Diagnostic(
        "RAT020",
        "\(raw.count) models of the reference set have it, and it has no reference of its own",
        remedy: "give 'reference', 'step' and 'limits', or \(minimumCount) models"
      )
    }
    let spread = isSet ? (quantile(raw, 0.8) - quantile(raw, 0.2)) / 2 : 0
    guard let step = property.step ?? (spread > 0 ? spread : nil), step > 0, step.isFinite else {
      throw Diagnostic("RAT020", "it has no step, and the reference set does not vary in it")
    }
    var limits = property.limits
    if limits == nil, isSet, let reference,
      let center = property.doublings(reference, over: figures[0])
    {
      limits = Boundaries.quantiles(of: raw)?.map { ($0 - center) / step }
    }
    guard let limits, limits.count == 4, limits.allSatisfy(\.isFinite),
      zip(limits, limits.dropFirst()).allSatisfy({ $0 >= $1 })
    else {
      throw Diagnostic(
        "RAT020",
        "it has no four limits that fall",
        remedy: "'limits': the least indices of A, B, C and D, such as [1, 0.3, -0.3, -1]"
      )
    }
    return Row(reference: isRelative ? property.reference : reference, step: step, limits: limits)
  }

  /// The figure that is so many doublings better than another.
  private static func value(
    _ property: Scale.Property,
    _ doublings: Double,
    over reference: Double
  ) -> Double {
    let factor = power2(doublings)
    return switch property.comparison {
    case .less: reference / factor
    case .more: reference * factor
    case .fraction: 1 - Scale.Property.error(reference) / factor
    }
  }

  /// The least compounds of A to D over some of the properties.
  ///
  /// Quantiles of the compounds of those references that have all of them, so that a fifth of the
  /// reference set has an A whatever the weights; the weighted mean of the properties' limits where
  /// fewer than five have them, or where a property's limits were set.
  func limits(ofCompound places: Set<Int>, _ properties: [Scale.Property]) -> [Double] {
    let counting = places.sorted().filter { properties[$0].weight > 0 }
    let sum = counting.reduce(0) { $0 + properties[$1].weight }
    guard sum > 0 else { return [0, 0, 0, 0] }
    func mean(_ value: (Int) -> Double) -> Double {
      counting.reduce(0) { $0 + properties[$1].weight / sum * value($1) }
    }
    let compounds = indices.compactMap { row -> Double? in
      counting.allSatisfy { row[$0] != nil } ? mean { row[$0] ?? 0 } : nil
    }
    let areSet = counting.contains { properties[$0].limits != nil }
    if !areSet, compounds.count >= Self.minimumCount,
      let limits = Boundaries.quantiles(of: compounds)
    {
      return limits
    }
    return (0..<4).map { limit in mean { rows[$0].limits[limit] } }
  }
}
