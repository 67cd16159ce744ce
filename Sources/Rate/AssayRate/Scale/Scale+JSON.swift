import AssayBase

extension Scale {
  /// The scale in the form that `init(json:)` reads.
  public var json: JSON {
    var members = JSON.Members()
    members["schema"] = "assay.scale/1"
    members["name"] = .string(name)
    members["version"] = JSON(version)
    members["about"] = .string(about)
    members["datasets"] = .array(datasets.map { .string($0) })
    if isRelative { members["relative"] = true }
    members["conditions"] = JSON.dictionary(conditions) { .array($0.map { .string($0) }) }
    members["properties"] = .array(properties.map(\.json))
    members["sources"] = JSON.dictionary(sources) { .string($0) }
    members["references"] = .array(
      references.map { reference in
        .object([
          "model": .string(reference.model),
          "values": JSON.dictionary(reference.values) { .number($0) },
          "sources": JSON.dictionary(reference.sources) { .string($0) },
        ])
      }
    )
    return .members(members)
  }

  /// Reads a scale.
  ///
  /// - Throws: `Diagnostic` RAT021 for what is no scale, RAT020 for one that cannot rate.
  public init(json: JSON) throws {
    guard json["schema"]?.string == "assay.scale/1" else {
      throw Diagnostic(
        "RAT021",
        "this is no scale",
        at: ["schema"],
        remedy: "its first member is \"schema\": \"assay.scale/1\"; see docs/rating.md"
      )
    }
    func text(_ key: String) throws -> String {
      guard let value = json[key]?.string, !value.isEmpty else {
        throw Diagnostic("RAT021", "'\(key)' is no text", at: [key])
      }
      return value
    }
    guard let version = json["version"]?.int, version >= 1 else {
      throw Diagnostic("RAT021", "'version' is no whole number from 1 on", at: ["version"])
    }
    var conditions: [String: [String]] = [:]
    for (key, value) in json["conditions"]?.pairs ?? [] {
      let words = (value.array ?? []).compactMap(\.string)
      guard !words.isEmpty, words.count == value.array?.count else {
        throw Diagnostic("RAT021", "a condition is a list of words", at: ["conditions", key])
      }
      conditions[key] = words
    }
    try self.init(
      name: text("name"),
      version: version,
      about: json["about"]?.string ?? "",
      datasets: (json["datasets"]?.array ?? []).compactMap(\.string),
      isRelative: json["relative"]?.bool ?? false,
      properties: (json["properties"]?.array ?? []).enumerated().map { place, value in
        try locating("properties[\(place)]") { try Property(json: value) }
      },
      references: (json["references"]?.array ?? []).enumerated().map { place, value in
        try locating("references[\(place)]") { try Reference(json: value) }
      },
      sources: JSON.texts(json["sources"]),
      conditions: conditions
    )
  }
}

extension Scale.Property {
  var json: JSON {
    var members = JSON.Members()
    members["key"] = .string(key)
    members["name"] = .string(name)
    members["group"] = .string(group)
    members["unit"] = .string(unit.rawValue)
    members["better"] = .string(comparison.rawValue)
    members["weight"] = .number(weight)
    if let reference { members["reference"] = .number(reference) }
    if let step { members["step"] = .number(step) }
    if let limits { members["limits"] = .array(limits.map { .number($0) }) }
    return .members(members)
  }

  init(json: JSON) throws {
    func fault(_ key: String, _ expected: String) -> Diagnostic {
      Diagnostic("RAT021", "'\(key)' is not \(expected)", at: [key])
    }
    guard let key = json["key"]?.string, !key.isEmpty else { throw fault("key", "a text") }
    let known = Self.known.first { $0.key == key }
    func word<T>(_ name: String, _ usual: T?, _ all: [String], _ read: (String) -> T?) throws -> T {
      if let text = json[name]?.string, let value = read(text) { return value }
      guard json[name] == nil, let usual else { throw fault(name, all.joined(separator: " or ")) }
      return usual
    }
    func number(_ name: String) throws -> Double? {
      guard let value = json[name], !value.isNull else { return nil }
      guard let number = value.double, number.isFinite else { throw fault(name, "a number") }
      return number
    }
    var limits: [Double]?
    if let value = json["limits"], !value.isNull {
      let rows = value.array ?? []
      let numbers = rows.compactMap(\.double)
      guard numbers.count == rows.count else { throw fault("limits", "four numbers") }
      limits = numbers
    }
    self.init(
      key,
      name: json["name"]?.string ?? known?.name,
      group: json["group"]?.string ?? known?.group ?? "resource",
      unit: try word("unit", known?.unit, Scale.Unit.allCases.map(\.rawValue)) {
        Scale.Unit(rawValue: $0)
      },
      comparison: try word("better", known?.comparison, Scale.Comparison.allCases.map(\.rawValue)) {
        Scale.Comparison(rawValue: $0)
      },
      weight: try number("weight") ?? known?.weight ?? 1,
      reference: try number("reference"),
      step: try number("step"),
      limits: limits
    )
  }
}

extension Scale.Reference {
  fileprivate init(json: JSON) throws {
    guard let model = json["model"]?.string, !model.isEmpty else {
      throw Diagnostic("RAT021", "'model' is no text", at: ["model"])
    }
    var values: [String: Double] = [:]
    for (key, value) in json["values"]?.pairs ?? [] {
      guard let number = value.double, number.isFinite else {
        throw Diagnostic("RAT021", "the figure is no number", at: ["values", key])
      }
      values[key] = number
    }
    self.init(model: model, values: values, sources: JSON.texts(json["sources"]))
  }
}

extension JSON {
  /// An object with sorted keys.
  static func dictionary<Value>(_ values: [String: Value], _ json: (Value) -> JSON) -> JSON {
    var members = Members()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) { members[key] = json(value) }
    return .members(members)
  }

  /// The texts of an object.
  static func texts(_ json: JSON?) -> [String: String] {
    var result: [String: String] = [:]
    for (key, value) in json?.pairs ?? [] { result[key] = value.string }
    return result
  }
}
