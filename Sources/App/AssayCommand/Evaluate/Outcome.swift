import AssayAccuracy
import AssayBase

/// What one item came to: as little as every figure can be derived from.
enum Outcome: Sendable, Equatable {
  case label(ClassOutcome)
  case objects([FoundObject])
  case regions(RegionScore.Counts)

  /// The outcome of an item as the ledger keeps it.
  func json(_ index: Int) -> JSON {
    switch self {
    case .label(let outcome):
      var line = JSON.object([
        "i": JSON(index), "p": JSON(outcome.predicted), "l": JSON(outcome.label),
        "r": JSON(outcome.rank),
      ])
      if let confidence = outcome.confidence { line["c"] = JSON(confidence) }
      return line
    case .objects(let found):
      return .object([
        "i": JSON(index),
        "f": .array(
          found.map { find in
            var entry: [JSON] = [
              JSON(find.category), JSON(find.score), JSON(find.box.x), JSON(find.box.y),
              JSON(find.box.width), JSON(find.box.height),
            ]
            if let mask = find.mask {
              entry += [JSON(mask.width), JSON(mask.height), .string(mask.text)]
            }
            return .array(entry)
          }
        ),
      ])
    case .regions(let counts):
      func list(_ values: [Int]) -> JSON { .array(values.map { JSON($0) }) }
      return .object([
        "i": JSON(index), "h": list(counts.hits), "t": list(counts.truths),
        "n": list(counts.found),
      ])
    }
  }

  /// Reads what `json` gives; `nil` for something else.
  static func read(_ json: JSON) -> (index: Int, outcome: Outcome)? {
    guard let index = json["i"]?.int else { return nil }
    if let predicted = json["p"]?.int, let label = json["l"]?.int, let rank = json["r"]?.int {
      let outcome = ClassOutcome(
        predicted: predicted,
        label: label,
        rank: rank,
        confidence: json["c"]?.double
      )
      return (index, .label(outcome))
    }
    if let found = json["f"]?.array {
      let objects = found.compactMap { object($0) }
      return objects.count == found.count ? (index, .objects(objects)) : nil
    }
    guard let hits = json["h"]?.ints, let truths = json["t"]?.ints, let taken = json["n"]?.ints,
      hits.count == truths.count, hits.count == taken.count
    else { return nil }
    var counts = RegionScore.Counts(classCount: hits.count)
    (counts.hits, counts.truths, counts.found) = (hits, truths, taken)
    return (index, .regions(counts))
  }

  private static func object(_ json: JSON) -> FoundObject? {
    guard let parts = json.array, parts.count == 6 || parts.count == 9, let category = parts[0].int
    else { return nil }
    let numbers = parts[1..<6].compactMap(\.double)
    guard numbers.count == 5 else { return nil }
    var mask: Mask?
    if parts.count == 9 {
      guard let width = parts[6].int, let height = parts[7].int, let text = parts[8].string,
        let read = try? Mask(text: text, width: width, height: height)
      else { return nil }
      mask = read
    }
    return FoundObject(
      category: category,
      score: numbers[0],
      box: Box(x: numbers[1], y: numbers[2], width: numbers[3], height: numbers[4]),
      mask: mask
    )
  }
}
