import AssayBase

extension Recipe {
  /// The schema of recipes as JSON.
  public static let schema = "assay.recipe/1"

  /// The recipe's parameters; `init(json:)` reads them back.
  ///
  /// `summary`, `weights`, `values` and `needsCalibration` say what follows from the others.
  public var json: JSON {
    var members: JSON = .object([
      "schema": .string(Self.schema), "name": .string(name), "summary": .string(summary),
      "scheme": .string(scheme.name), "inputsAndOutputs": .string(boundaryType),
      "calibration": calibrationJSON, "equalize": .bool(equalizes),
      "correctBias": .bool(correctsBias), "fallback": .string(fallback.rawValue),
      "minimumWeightElements": JSON(minimumWeightElements),
      "overrides": .array(overrides.map(\.json)),
      "weights": weightsJSON, "values": valuesJSON,
      "needsCalibration": .bool(needsCalibration),
    ])
    if !scheme.isStatic { members["fallback"] = nil }
    if !training.isEmpty { members["training"] = .array(training.map(\.json)) }
    return members
  }

  private var calibrationJSON: JSON {
    if case .percentile(let part) = calibration {
      return .object(["method": "percentile", "percentile": JSON(part)])
    }
    return .object(["method": .string(calibration.name)])
  }

  private var weightsJSON: JSON {
    func element(_ dtype: String) -> JSON { .object(["dtype": .string(dtype)]) }
    var result: JSON
    switch scheme {
    case .float32: return element("float32")
    case .float16: return element("float16")
    case .staticInt8, .int16x8, .dynamicInt8:
      result = .object(["dtype": "int8", "granularity": "perChannel", "symmetric": true])
    case .weightOnly(let bits, let block):
      result = .object([
        "dtype": .string("int\(bits)"),
        "granularity": .string(block == nil ? "perChannel" : "blockwise"), "symmetric": true,
      ])
      if let block { result["blockSize"] = JSON(block) }
    }
    return result
  }

  private var valuesJSON: JSON {
    switch scheme {
    case .staticInt8:
      .object(["dtype": "int8", "granularity": "perTensor", "symmetric": false])
    case .int16x8: .object(["dtype": "int16", "granularity": "perTensor", "symmetric": true])
    case .float32, .float16, .dynamicInt8, .weightOnly: .object(["dtype": "float32"])
    }
  }

  /// The members that a file may have.
  private static let members: Set<String> = [
    "schema", "name", "scheme", "inputsAndOutputs", "calibration", "equalize", "correctBias",
    "fallback", "minimumWeightElements", "overrides", "training",
  ]
  /// The members that follow from others and are not read.
  private static let derived: Set<String> = ["summary", "weights", "values", "needsCalibration"]

  /// Reads a recipe; only `scheme` is needed.
  ///
  /// - Throws: `Diagnostic` QNT020 for what cannot be understood, QNT001 for what contradicts itself.
  public init(json: JSON) throws {
    guard let pairs = json.pairs else {
      throw fault([], "a recipe is an object with the member 'scheme'")
    }
    for (key, _) in pairs where !Self.members.contains(key) && !Self.derived.contains(key) {
      let guess = nearest(to: key, among: Self.members.sorted())
      throw fault(
        [key],
        "a recipe has no such member",
        remedy: guess.map { "did you mean '\($0)'?" }
          ?? "see assay recipe show static_int8 --json -"
      )
    }
    if let schema = json["schema"], schema.string != Self.schema {
      throw fault(["schema"], "this is no \(Self.schema)")
    }
    self.init(try json.scheme())
    if let edge = json["inputsAndOutputs"] { boundary = try boundary(edge) }
    if let calibration = json["calibration"] { self.calibration = try Self.method(calibration) }
    equalizes = try json.flag("equalize")
    correctsBias = try json.flag("correctBias")
    if let word = json["fallback"] {
      guard let known = word.string.flatMap(Fallback.init) else {
        throw fault(["fallback"], "it is 'float' or 'refuse'")
      }
      fallback = known
    }
    if let count = json["minimumWeightElements"] {
      guard let count = count.int, count >= 1 else {
        throw fault(["minimumWeightElements"], "it is a whole number of at least 1")
      }
      minimumWeightElements = count
    }
    if let list = json["overrides"] {
      guard let list = list.array else { throw fault(["overrides"], "it is an array") }
      overrides = try list.enumerated().map { try Override(json: $1, index: $0) }
    }
    if let list = json["training"] {
      guard let list = list.array else { throw fault(["training"], "it is an array") }
      training = try list.enumerated().map { try RecipeStep(json: $1, index: $0) }
      try orderTraining(at: ["recipe", "'training'"])
    }
    if let name = json["name"] {
      guard let name = name.string, Self.isFileName(name) else {
        throw fault(["name"], "it is a word of letters, digits, '_', '-', '.' and '+'")
      }
      if name != self.name { givenName = name }
    }
    try check(at: ["recipe '\(name)'"])
  }

  /// Names become parts of file names.
  private static func isFileName(_ name: String) -> Bool {
    (1...100).contains(name.utf8.count) && name.first != "."
      && name.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || "_-.+".utf8.contains(byte)
      }
  }

  private func boundary(_ json: JSON) throws -> Boundary {
    let native = boundaryType
    switch json.string {
    case native: return .native
    case "float32": return .float
    case "uint8": return .uint8
    default:
      throw fault(["inputsAndOutputs"], "it is '\(native)', 'float32' or 'uint8'")
    }
  }

  private static func method(_ json: JSON) throws -> CalibrationMethod {
    guard let word = json["method"]?.string ?? json.string,
      let method = CalibrationMethod(name: word)
    else {
      throw fault(
        ["calibration", "method"],
        "it is one of \(CalibrationMethod.names.joined(separator: ", "))"
      )
    }
    guard let part = json["percentile"] else { return method }
    guard case .percentile = method, let part = part.double, part >= 50, part <= 100 else {
      throw fault(["calibration", "percentile"], "it is between 50 and 100, for that method")
    }
    return .percentile(part)
  }
}

extension Override {
  /// The override as it stands in a recipe.
  var json: JSON {
    switch selector {
    case .nodes(let pattern):
      .object(["nodes": .string(pattern), "scheme": .string(scheme.name)])
    case .op(let word): .object(["operator": .string(word), "scheme": .string(scheme.name)])
    }
  }

  fileprivate init(json: JSON, index: Int) throws {
    let place = "overrides[\(index)]"
    guard let pairs = json.pairs,
      pairs.allSatisfy({ ["nodes", "operator", "scheme"].contains($0.key) })
    else { throw fault([place], "it has 'nodes' or 'operator', and 'scheme'") }
    let scheme = try locating(place) { try json.scheme() }
    switch (json["nodes"]?.string, json["operator"]?.string) {
    case (let pattern?, nil): self.init(.nodes(pattern), scheme)
    case (nil, let word?): self.init(.op(word), scheme)
    default: throw fault([place], "it has either 'nodes' or 'operator', as text")
    }
  }
}

extension JSON {
  fileprivate func scheme() throws -> Scheme {
    guard let word = self["scheme"]?.string else { throw fault(["scheme"], "it is missing") }
    guard let scheme = Scheme(name: word) else {
      let names = Scheme.simple.map(\.name) + ["weight_int8", "weight_int4", "weight_int4_b32"]
      let guess = nearest(to: word, among: names).map { "did you mean '\($0)'? " } ?? ""
      throw fault(
        ["scheme"],
        "there is no scheme '\(word)'",
        remedy: guess + "schemes are \(names.joined(separator: ", "))"
      )
    }
    return scheme
  }

  fileprivate func flag(_ key: String) throws -> Bool {
    guard let value = self[key] else { return false }
    guard let flag = value.bool else { throw fault([key], "it is true or false") }
    return flag
  }
}

private func fault(_ path: [String], _ summary: String, remedy: String? = nil) -> Diagnostic {
  Diagnostic("QNT020", summary, at: ["recipe"] + path.map { "'\($0)'" }, remedy: remedy)
}
