import AssayBase
import AssayCodec

extension SweepPlan {
  private static let keys = [
    "name", "campaign", "models", "recipes", "runtimes", "formats", "providers", "threads", "batch",
    "devices", "scenarios", "meters", "include", "exclude", "repetitions", "seed", "preset", "data",
    "limits",
    "budget", "cooldown", "store", "slurm",
  ]

  /// At most so many combinations, which guards against a slip in the lists.
  static let largest = 100_000

  /// At most so many filters in a list: each is held against every combination.
  static let mostFilters = 100

  /// Reads a plan's file.
  ///
  /// - Throws: `Diagnostics` with everything that is wrong, each with its line: JOB001 (a setting),
  ///   JOB002 (nothing to measure), YML001 (no YAML); FIL00x when the file cannot be read.
  public init(path: String, _ vocabulary: SweepVocabulary) throws {
    let view = try MappedFile(path: path).view
    self = try locating(path) {
      guard let text = view.utf8 else {
        throw Diagnostic("JOB001", "a plan is YAML, and this is no UTF-8 text")
      }
      return try SweepPlan(text: text, vocabulary)
    }
    self.path = path
  }

  /// Reads a plan.
  ///
  /// - Throws: as `init(path:_:)`.
  public init(text: String, _ vocabulary: SweepVocabulary) throws {
    self.init()
    let marked = try YAML.readMarked(text)
    guard marked.value.pairs != nil else {
      throw Diagnostic(
        "JOB001",
        "a plan is a mapping of settings, such as 'models: model.tflite'",
        at: ["line \(marked.lines[""] ?? 1)"]
      )
    }
    var reader = PlanReader(marked)
    read(&reader, vocabulary)
    try Diagnostics(reader.faults).throwIfErrors()
    document = marked.value
    if combinationCount > SweepPlan.largest {
      throw Diagnostic(
        "JOB002",
        "the lists have \(combinationCount) combinations; \(SweepPlan.largest) are the most",
        remedy: "shorten a list, or make several plans"
      )
    }
    let known = cells
    for (word, filters) in [("include", include), ("exclude", exclude)] {
      // A filter that does nothing is a slip of the pen, most likely in a name.
      for filter in filters where !known.contains(where: filter.matches) && word == "include" {
        throw Diagnostic(
          "JOB002",
          "this filter lets nothing through",
          at: ["line \(filter.line)"],
          remedy: "compare its values with the plan's lists"
        )
      }
    }
    guard !known.isEmpty else {
      throw Diagnostic(
        "JOB002",
        "the filters leave nothing to measure",
        at: ["line \((include + exclude).map(\.line).min() ?? 1)"],
        remedy: "loosen include and exclude"
      )
    }
  }

  private mutating func read(_ reader: inout PlanReader, _ words: SweepVocabulary) {
    let root = reader.document.value
    reader.check(root, at: "", keys: SweepPlan.keys)
    name = reader.text(root["name"], at: "name") ?? name
    campaign = reader.text(root["campaign"], at: "campaign")
    readModels(root["models"], &reader)
    if let found = reader.texts(root["recipes"], at: "recipes", what: "recipe") {
      recipes = found
      for (index, recipe) in found.enumerated() where recipe != "original" {
        let place = root["recipes"]?.array == nil ? "recipes" : "recipes[\(index)]"
        if let fault = words.recipeFault(recipe) { reader.add(fault, at: place) }
      }
    }
    runtimes =
      reader.texts(root["runtimes"], at: "runtimes", among: words.runtimes, what: "runtime") ?? []
    if root["runtimes"] == nil {
      reader.fault(
        "",
        "'runtimes' is missing",
        remedy: "one of \(words.runtimes.joined(separator: ", "))"
      )
    }
    for (runtime, format) in root["formats"]?.pairs ?? [] {
      let place = "formats.\(runtime)"
      _ = reader.texts(.string(runtime), at: place, among: words.runtimes, what: "runtime")
      let found = reader.texts(format, at: place, among: words.formats, what: "format")
      formats[runtime] = found?.first
    }
    providers =
      reader.texts(root["providers"], at: "providers", among: words.providers, what: "provider")
      ?? providers
    threads = reader.counts(root["threads"], at: "threads", most: 1024) ?? threads
    batch = reader.counts(root["batch"], at: "batch") ?? batch
    readDevices(root["devices"], &reader)
    if let value = root["scenarios"] {
      scenarios = reader.elements(value, at: "scenarios").map(\.value)
      for (place, scenario) in reader.elements(value, at: "scenarios") {
        if let fault = words.scenarioFault(scenario) { reader.add(fault, at: place) }
      }
    }
    if let found = reader.texts(root["meters"], at: "meters", what: "meter") {
      meters = found
      for (index, meter) in found.enumerated() where meter != "none" {
        let place = root["meters"]?.array == nil ? "meters" : "meters[\(index)]"
        if let fault = words.meterFault(meter) { reader.add(fault, at: place) }
      }
    }
    include = readFilters(root["include"], at: "include", &reader)
    exclude = readFilters(root["exclude"], at: "exclude", &reader)
    repetitions = reader.count(root["repetitions"], at: "repetitions", in: 1...10_000) ?? 1
    seed = UInt64(reader.count(root["seed"], at: "seed", in: 0...Int(Int32.max)) ?? 1)
    preset =
      reader.texts(root["preset"], at: "preset", among: words.presets, what: "preset")?.first
      ?? preset
    if let value = root["data"] {
      reader.check(value, at: "data", keys: words.dataOptions)
      for (key, member) in value.pairs ?? [] {
        data[key] = reader.texts(member, at: "data.\(key)", what: "'data.\(key)'")?.first
      }
    }
    store = reader.text(root["store"], at: "store")
    readLimits(root, &reader)
  }

  private mutating func readModels(_ value: JSON?, _ reader: inout PlanReader) {
    guard let value else {
      reader.fault("", "'models' is missing", remedy: "name a model file, or several in a list")
      return
    }
    for (place, element) in reader.elements(value, at: "models") {
      if element.pairs != nil { reader.check(element, at: place, keys: ["path", "name"]) }
      guard let path = element.string ?? element["path"]?.string, !path.isEmpty else {
        reader.fault(place, "a model is the path of a file, or {path: …, name: …}")
        continue
      }
      let name =
        reader.text(element["name"], at: "\(place).name") ?? SweepPlan.modelName(ofPath: path)
      if models.contains(where: { $0.name == name }) {
        reader.fault(
          place,
          "two models are called '\(name)'",
          remedy: "give each a name: {path: \(path), name: …}"
        )
        continue
      }
      models.append(Model(path: path, name: name, line: reader.line(place)))
    }
    if models.isEmpty, reader.faults.isEmpty { reader.fault("models", "'models' is empty") }
  }

  /// What a model is called that the plan gives no name: its file without folder and extension, or what
  /// follows the colon of a word such as `zoo:MobileNetV2_0.35`, whose last part is no extension.
  private static func modelName(ofPath path: String) -> String {
    let file = path.split(separator: "/").last.map { String($0) } ?? path
    let word = file.hasPrefix("zoo:") ? String(file.dropFirst(4)) : file
    guard let dot = word.lastIndex(of: "."), dot != word.startIndex else { return word }
    let isNumber = word[word.index(after: dot)...].allSatisfy(\.isNumber)
    return isNumber && word != file ? word : String(word[..<dot])
  }

  private mutating func readDevices(_ value: JSON?, _ reader: inout PlanReader) {
    guard let value else { return }
    devices = []
    for (place, element) in reader.elements(value, at: "devices") {
      if element.pairs != nil { reader.check(element, at: place, keys: ["name", "resources"]) }
      guard let name = element.string ?? element["name"]?.string, !name.isEmpty,
        !name.contains(where: { $0.isWhitespace || $0 == "," })
      else {
        reader.fault(place, "a device is a name without spaces, or {name: …, resources: …}")
        continue
      }
      guard !devices.contains(where: { $0.name == name }) else {
        reader.fault(place, "'\(name)' stands twice in 'devices'")
        continue
      }
      devices.append(
        Device(
          name: name,
          resources: reader.text(element["resources"], at: "\(place).resources")
        )
      )
    }
    if devices.isEmpty, reader.faults.isEmpty { reader.fault("devices", "'devices' is empty") }
  }

  private func readFilters(
    _ value: JSON?,
    at path: String,
    _ reader: inout PlanReader
  ) -> [PlanFilter] {
    guard let value else { return [] }
    let elements = reader.elements(value, at: path)
    guard elements.count <= SweepPlan.mostFilters else {
      reader.fault(path, "'\(path)' has more than \(SweepPlan.mostFilters) filters")
      return []
    }
    return elements.compactMap { place, element in
      guard let pairs = element.pairs, !pairs.isEmpty else {
        reader.fault(place, "a filter is such as {runtime: litert, threads: [1, 2]}")
        return nil
      }
      reader.check(element, at: place, keys: PlanFilter.axes)
      var values: [String: [JSON]] = [:]
      for (axis, wanted) in pairs { values[axis] = wanted.array ?? [wanted] }
      return PlanFilter(values: values, line: reader.line(place))
    }
  }

  private mutating func readLimits(_ root: JSON, _ reader: inout PlanReader) {
    if let value = root["limits"] {
      reader.check(value, at: "limits", keys: ["time", "memory", "attempts", "losses"])
      limits.seconds = reader.seconds(value["time"], at: "limits.time") ?? limits.seconds
      limits.memory = reader.bytes(value["memory"], at: "limits.memory")
      limits.attempts = reader.count(value["attempts"], at: "limits.attempts", in: 1...100) ?? 2
      limits.losses = reader.count(value["losses"], at: "limits.losses", in: 1...1_000_000) ?? 3
    }
    if let value = root["budget"] {
      reader.check(value, at: "budget", keys: ["time", "temperature"])
      budget.seconds = reader.seconds(value["time"], at: "budget.time")
      budget.temperature = reader.degrees(value["temperature"], at: "budget.temperature")
    }
    if let value = root["cooldown"] {
      reader.check(value, at: "cooldown", keys: ["time", "below", "patience"])
      cooldown.seconds = reader.seconds(value["time"], at: "cooldown.time") ?? 0
      cooldown.below = reader.degrees(value["below"], at: "cooldown.below")
      cooldown.patience = reader.seconds(value["patience"], at: "cooldown.patience") ?? 300
    }
    if let value = root["slurm"] {
      let keys = ["partition", "trials-per-job", "at-once", "options"]
      reader.check(value, at: "slurm", keys: keys)
      slurm.partition = reader.text(value["partition"], at: "slurm.partition")
      slurm.trialsPerJob =
        reader.count(value["trials-per-job"], at: "slurm.trials-per-job", in: 1...100_000) ?? 1
      slurm.atOnce = reader.count(value["at-once"], at: "slurm.at-once", in: 1...100_000)
      slurm.options = reader.texts(value["options"], at: "slurm.options", what: "option") ?? []
    }
  }
}
