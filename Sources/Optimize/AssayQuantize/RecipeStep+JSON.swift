import AssayBase

extension RecipeStep {
  /// The step's parameters; `init(json:)` reads them back.
  var json: JSON {
    var members: JSON = .object(["step": .string(name)])
    switch self {
    case .prune(let pruning):
      if pruning.schedule != PruningSchedule() { members["schedule"] = pruning.schedule.json }
      if pruning.layers != LayerRule() { members["layers"] = pruning.layers.json }
    case .cluster(let clustering):
      if clustering.layers != LayerRule() { members["layers"] = clustering.layers.json }
    case .quantizationAware(let training):
      if training.freeze != QuantizationAwareTraining().freeze {
        members["freeze"] = .string(training.freeze.text)
      }
      if training.normalizationFreeze != QuantizationAwareTraining().normalizationFreeze {
        members["freeze_normalization"] = .string(training.normalizationFreeze.text)
      }
    }
    return members
  }

  /// Reads a step: its name, and what the name does not say.
  ///
  /// - Throws: `Diagnostic` QNT020.
  init(json: JSON, index: Int) throws {
    let place = "training[\(index)]"
    guard let name = json["step"]?.string ?? json.string else {
      throw stepFault(place, "a step is an object with the member 'step'")
    }
    guard let known = RecipeStep(name: name) else {
      let guess = nearest(to: name, among: Self.examples).map { "did you mean '\($0)'?" }
      throw stepFault(place, "there is no step '\(name)' that trains", remedy: guess)
    }
    self = known
    let members: Set<String>
    switch self {
    case .prune(var pruning):
      members = ["step", "schedule", "layers"]
      if let schedule = json["schedule"] {
        pruning.schedule = try PruningSchedule(json: schedule, place)
      }
      if let layers = json["layers"] { pruning.layers = try LayerRule(json: layers, place) }
      self = .prune(pruning)
    case .cluster(var clustering):
      members = ["step", "layers"]
      if let layers = json["layers"] { clustering.layers = try LayerRule(json: layers, place) }
      self = .cluster(clustering)
    case .quantizationAware(var training):
      members = ["step", "freeze", "freeze_normalization"]
      if let freeze = json["freeze"] { training.freeze = try moment(freeze, place, "freeze") }
      if let freeze = json["freeze_normalization"] {
        training.normalizationFreeze = try moment(freeze, place, "freeze_normalization")
      }
      self = .quantizationAware(training)
    }
    try refuseOthers(json, members, place)
  }
}

extension PruningSchedule {
  fileprivate var json: JSON {
    switch kind {
    case .constant:
      .object([
        "kind": "constant", "begin": .string(begin.text), "frequency": JSON(frequency),
      ])
    case .polynomial(let initial, let power):
      .object([
        "kind": "polynomial", "begin": .string(begin.text), "end": .string(end.text),
        "frequency": JSON(frequency), "initial": JSON(initial), "power": JSON(power),
      ])
    }
  }

  fileprivate init(json: JSON, _ place: String) throws {
    self.init()
    try refuseOthers(json, ["kind", "begin", "end", "frequency", "initial", "power"], place)
    switch json["kind"]?.string {
    case "constant"?: kind = .constant
    case "polynomial"?, nil:
      guard let initial = (json["initial"] ?? 0).double, (0..<1).contains(initial) else {
        throw stepFault("\(place).schedule.initial", "it is a number from 0 to less than 1")
      }
      guard let power = (json["power"] ?? 3).int, (1...16).contains(power) else {
        throw stepFault("\(place).schedule.power", "it is a whole number from 1 to 16")
      }
      kind = .polynomial(initial: initial, power: power)
    default: throw stepFault("\(place).schedule.kind", "it is 'constant' or 'polynomial'")
    }
    if let value = json["begin"] { begin = try moment(value, place, "schedule.begin") }
    if let value = json["end"] { end = try moment(value, place, "schedule.end") }
    if let value = json["frequency"] {
      guard let value = value.int, value >= 1 else {
        throw stepFault("\(place).schedule.frequency", "it is a whole number of at least 1")
      }
      frequency = value
    }
  }
}

extension LayerRule {
  fileprivate var json: JSON {
    func list(_ words: [String]) -> JSON { .array(words.map { .string($0) }) }
    var members = JSON.members(JSON.Members())
    if !nodes.isEmpty { members["nodes"] = list(nodes) }
    if !except.isEmpty { members["except"] = list(except) }
    if !operators.isEmpty { members["operators"] = list(operators) }
    if sparesFirst { members["spareFirst"] = true }
    if sparesLast { members["spareLast"] = true }
    return members
  }

  fileprivate init(json: JSON, _ place: String) throws {
    self.init()
    try refuseOthers(json, ["nodes", "except", "operators", "spareFirst", "spareLast"], place)
    func words(_ key: String) throws -> [String] {
      guard let value = json[key] else { return [] }
      let list = value.array ?? [value]
      let words = list.compactMap(\.string)
      guard words.count == list.count else {
        throw stepFault("\(place).layers.\(key)", "it is an array of texts")
      }
      return words
    }
    func flag(_ key: String) throws -> Bool {
      guard let value = json[key] else { return false }
      guard let flag = value.bool else {
        throw stepFault("\(place).layers.\(key)", "it is true or false")
      }
      return flag
    }
    nodes = try words("nodes")
    except = try words("except")
    operators = try words("operators")
    sparesFirst = try flag("spareFirst")
    sparesLast = try flag("spareLast")
  }
}

private func moment(_ json: JSON, _ place: String, _ key: String) throws -> Moment {
  guard
    let moment = json.string.flatMap(Moment.init(text:))
      ?? json.int.flatMap({
        $0 >= 0 ? Moment.step($0) : nil
      })
  else {
    throw stepFault("\(place).\(key)", "it is a step such as 500, or a part of all such as \"40%\"")
  }
  return moment
}

private func refuseOthers(_ json: JSON, _ members: Set<String>, _ place: String) throws {
  for (key, _) in json.pairs ?? [] {
    guard !members.contains(key) else { continue }
    let guess = nearest(to: key, among: members.sorted()).map { "did you mean '\($0)'?" }
    throw stepFault("\(place).\(key)", "a step has no such member", remedy: guess)
  }
}

private func stepFault(_ place: String, _ summary: String, remedy: String? = nil) -> Diagnostic {
  Diagnostic("QNT020", summary, at: ["recipe", "'\(place)'"], remedy: remedy)
}
