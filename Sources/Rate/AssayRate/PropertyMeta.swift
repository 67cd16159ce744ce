import AssayBase

/// What is known of one measured property: how it is called, and what it counts for.
public struct PropertyMeta: Sendable, Equatable {
  /// The column.
  public var key: String
  /// What people read.
  public var name: String
  /// What a narrow column shows.
  public var shortName: String
  /// The unit of the values, in words (`seconds`, `wattseconds`, `percent`).
  public var unit: String
  /// The group whose compound it belongs to (`Performance`, `Quality`, `Resources`, …).
  public var group: String
  /// Its share of a compound; `nil` when nothing was said.
  public var weight: Double?
  /// Whether more is better.
  public var isMaximized: Bool
  /// The property of a scale that it is; `nil` when no scale knows it.
  public var scaleKey: String?
  /// What turns its values into the scale's unit.
  public var factor = 1.0
  /// The column with the number of items that the value is a fraction of.
  public var countColumn: String?
  /// Where its values come from.
  public var provenance = Provenance.given

  /// Makes a property.
  public init(
    _ key: String,
    name: String? = nil,
    shortName: String? = nil,
    unit: String = "number",
    group: String,
    weight: Double? = nil,
    isMaximized: Bool
  ) {
    self.key = key
    self.name = name ?? key
    self.shortName = shortName ?? String(key.prefix(4))
    self.unit = unit
    self.group = group
    self.weight = weight
    self.isMaximized = isMaximized
    scaleKey = Self.published[key] ?? Scale.Property.known.first { $0.key == key }?.key
  }

  /// Columns of the published tables that are properties of scales, in the same units.
  static let published = [
    "running_time": "latency", "approx_USB_power_draw": "energy", "accuracy_k1": "accuracy",
    "total_parameters": "parameters",
  ]

  /// The properties that scales know among a table's columns, for a table that nobody described.
  public static func known(among columns: [String]) -> [PropertyMeta] {
    columns.compactMap { column in
      let meta = PropertyMeta(column, group: "Resources", isMaximized: false)
      guard let property = Scale.Property.known.first(where: { $0.key == meta.scaleKey }) else {
        return nil
      }
      return PropertyMeta(
        column,
        name: property.name,
        unit: property.unit.rawValue,
        group: property.group == "quality" ? "Quality" : "Resources",
        weight: property.weight,
        isMaximized: property.comparison != .less
      )
    }
  }

  /// The properties of a JSON object, column by column, in its order.
  ///
  /// Members of each: `name`, `shortname`, `unit`, `group`, `weight`, `maximize` (false unless given);
  /// for scales `is`, `factor`, `count` and `provenance`.
  /// An object that has them under `properties` is taken too.
  ///
  /// - Throws: `Diagnostic` RAT001 for what is no such object.
  public static func read(_ json: JSON) throws -> [PropertyMeta] {
    let source = json["properties"] ?? json
    guard let pairs = source.pairs, !pairs.isEmpty else {
      throw Diagnostic(
        "RAT001",
        "no properties are described",
        remedy: #"write {"COLUMN": {"group": "Resources", "weight": 0.5, "maximize": false}, …}"#
      )
    }
    return try pairs.map { key, value in
      try locating("property '\(key)'") {
        guard value.pairs != nil else {
          throw Diagnostic("RAT001", "its description is no object")
        }
        let weight = try number(value, "weight")
        if let weight, weight < 0 || !weight.isFinite {
          throw Diagnostic("RAT001", "a weight of \(weight)", remedy: "give a number from zero on")
        }
        var meta = PropertyMeta(
          key,
          name: value["name"]?.string,
          shortName: value["shortname"]?.string,
          unit: value["unit"]?.string ?? "number",
          group: value["group"]?.string ?? "Quality",
          weight: weight,
          isMaximized: value["maximize"]?.bool ?? false
        )
        if let word = value["is"]?.string { meta.scaleKey = word }
        if let factor = try number(value, "factor") {
          guard factor > 0, factor.isFinite else {
            throw Diagnostic("RAT001", "a factor of \(factor)", remedy: "give a number above zero")
          }
          meta.factor = factor
        }
        meta.countColumn = value["count"]?.string
        if let word = value["provenance"]?.string {
          guard let provenance = Provenance(rawValue: word) else {
            throw Diagnostic(
              "RAT001",
              "the provenance '\(word)'",
              remedy: Provenance.allCases.map(\.rawValue).joined(separator: " or ")
            )
          }
          meta.provenance = provenance
        }
        return meta
      }
    }
  }

  private static func number(_ json: JSON, _ key: String) throws -> Double? {
    guard let value = json[key], !value.isNull else { return nil }
    guard let number = value.double else {
      throw Diagnostic("RAT001", "'\(key)' is no number")
    }
    return number
  }
}
