import AssayBase

extension Ratings {
  /// Rows with `model`, `environment`, `task`, `dataset`, `compound_index` and `compound_rating`, the
  /// same of each part, and of each property `value`, `index` and `rating`.
  public var json: JSON {
    var result = JSON.Members()
    result["rows"] = .array(rows.map(json))
    if !boundaries.limits.isEmpty { result["boundaries"] = boundaries.json }
    if !references.isEmpty {
      var members = JSON.Members()
      for (key, model) in references.sorted(by: { $0.key < $1.key }) {
        members[key] = .string(model)
      }
      result["references"] = .members(members)
    }
    return .members(result)
  }

  private func json(_ row: Row) -> JSON {
    var members = JSON.Members()
    members["model"] = .string(row.source.model)
    members["environment"] = .string(row.source.environment)
    members["task"] = .string(row.source.task)
    members["dataset"] = .string(row.source.dataset)
    for (name, grade) in [(name: "compound", grade: row.compound)] + row.parts {
      let word = Self.word(name)
      members["\(word)_index"] = JSON(grade.index)
      members["\(word)_rating"] = .string(grade.letter.text)
    }
    var all = JSON.Members()
    for (place, property) in properties.enumerated() {
      guard let grade = row.properties[place] else { continue }
      var one = JSON.Members()
      one["value"] = row.source.values[place].map { JSON($0) } ?? .null
      one["index"] = JSON(grade.index)
      one["rating"] = .string(grade.letter.text)
      all[property.key] = .members(one)
    }
    members["properties"] = .members(all)
    return .members(members)
  }

  /// One word for a part, whatever the properties call their group.
  static func word(_ group: String) -> String {
    switch group.lowercased() {
    case "performance", "quality": "quality"
    case "resource", "resources": "resource"
    case let other: other
    }
  }
}
