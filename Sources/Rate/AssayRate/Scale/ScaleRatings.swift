import AssayBase

/// Several subjects rated by one scale, with what can only be told of them together.
public struct ScaleRatings: Sendable, Equatable {
  /// What they were rated by.
  public var scale: Scale
  /// A rating for each subject, in the order given; each is what `Scale.rate` says of it alone.
  public var ratings: [Rating]
  /// By place the subjects that are as good in everything and better in something.
  public var dominators: [[Int]]
  /// Findings about the subjects together.
  public var notes: [Diagnostic]

  /// Rates subjects.
  public init(_ subjects: [Subject], by scale: Scale, gates: [Gate] = []) {
    self.scale = scale
    ratings = subjects.map { scale.rate($0, gates: gates) }
    dominators = Dominance.dominators(of: subjects, by: scale)
    notes = unlikeConditions(of: subjects)
  }

  /// Places in the order in which they are shown: the best compound first, then those without one.
  public var ranking: [Int] {
    ratings.indices.sorted { a, b in
      let x = ratings[a].compound?.index ?? -.infinity
      let y = ratings[b].compound?.index ?? -.infinity
      return x == y ? a < b : x > y
    }
  }

  /// How many have each letter over all, and how many have none.
  public var counts: (letters: [Int], none: Int) {
    var letters = Letter.allCases.map { _ in 0 }
    var none = 0
    for rating in ratings {
      if let letter = rating.compound?.letter { letters[letter.rawValue] += 1 } else { none += 1 }
    }
    return (letters, none)
  }

  /// The rows of `Rating.json` with `pareto` and `dominatedBy`, the scale that was taken and its
  /// limits.
  public var json: JSON {
    var result = JSON.Members()
    result["schema"] = "assay.ratings/1"
    result["method"] = .string(Scale.method)
    result["scale"] = .object([
      "name": .string(scale.name), "version": JSON(scale.version), "about": .string(scale.about),
    ])
    result["rows"] = .array(
      ratings.indices.map { place in
        var row = ratings[place].json
        row["pareto"] = .bool(dominators[place].isEmpty)
        row["dominatedBy"] = .array(dominators[place].map { .string(ratings[$0].subject.id) })
        return row
      }
    )
    result["boundaries"] = scale.boundaries.json
    var values = JSON.Members()
    for property in scale.properties {
      guard let limits = scale.values(atLimitsOf: property.key) else { continue }
      values[property.key] = .array(limits.map { JSON($0) })
    }
    result["boundaryValues"] = .members(values)
    result["notes"] = .array(notes.map(\.json))
    return .members(result)
  }
}
