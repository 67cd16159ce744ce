import AssayBase
import AssayRate

/// How the explorer rates: what the page's settings say, and what they are saved as.
public struct ExplorerSettings: Sendable, Equatable {
  /// The method's word where a scale rates.
  static let scaleMethod = "assay"

  /// The published method with its index, mode, weights and limits; a scale takes its weights and limits.
  public var method: RatingMethod
  /// The name of the scale that rates in the place of a published method.
  public var scale: String?

  /// The published library's method.
  public init() { method = RatingMethod(.strep) }

  /// The settings that hold unless others are made: a scale where the rows can be rated by one.
  static func usual(for table: ExplorerTable) -> ExplorerSettings {
    var settings = ExplorerSettings()
    if table.facts != nil { settings.scale = "variants" }
    return settings
  }

  /// The scale with the weights and limits of the settings.
  ///
  /// - Throws: `Diagnostic` RAT… for an unknown name or property.
  func ratingScale(_ name: String) throws -> Scale {
    var scale = try Scale.named(name)
    if !method.weights.isEmpty { scale = try scale.weighted(method.weights) }
    if let boundaries = method.boundaries { scale = try scale.bounded(boundaries) }
    return scale
  }

  /// Reads settings as `json` gives them; members that are absent keep their usual values.
  ///
  /// - Throws: `Diagnostic` EXP010 for a word or number that cannot be.
  public init(json: JSON) throws {
    self.init()
    guard json.pairs != nil else {
      throw Diagnostic("EXP010", "settings are an object", remedy: #"{"method": "strep"}"#)
    }
    func word<Value: RawRepresentable & CaseIterable>(
      _ key: String,
      _ usual: Value
    ) throws -> Value where Value.RawValue == String {
      guard let given = json[key], !given.isNull else { return usual }
      if let value = given.string.flatMap(Value.init(rawValue:)) { return value }
      throw Diagnostic(
        "EXP010",
        "'\(key)' cannot be \(given.text())",
        remedy: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    if json["method"]?.string == Self.scaleMethod {
      scale = json["scale"]?.string ?? "variants"
    } else {
      method.kind = try word("method", method.kind)
    }
    method.index = try word("index", method.index)
    method.mode = try word("mode", method.mode)
    if let name = json["reference"]?.string, name != "optimal", !name.isEmpty {
      method.reference = .model(name)
    }
    for (key, value) in json["weights"]?.pairs ?? [] {
      guard let weight = value.double, weight.isFinite, weight >= 0 else {
        throw Diagnostic("EXP010", "the weight of '\(key)' is no number from zero on")
      }
      method.weights[key] = weight
    }
    if let boundaries = json["boundaries"], !boundaries.isNull, boundaries != .emptyObject {
      method.boundaries = try Boundaries(json: boundaries)
    }
  }

  /// The settings as they are saved.
  public var json: JSON {
    var weights = JSON.Members()
    for (key, weight) in method.weights.sorted(by: { $0.key < $1.key }) {
      weights[key] = JSON(weight)
    }
    var reference = "optimal"
    if case .model(let name) = method.reference { reference = name }
    return .object([
      "schema": "assay.explorer-settings/1",
      "method": .string(scale == nil ? method.kind.rawValue : Self.scaleMethod),
      "scale": JSON(scale),
      "index": .string(method.index.rawValue), "mode": .string(method.mode.rawValue),
      "reference": .string(reference), "weights": .members(weights),
      "boundaries": method.boundaries?.json ?? .null,
    ])
  }
}
