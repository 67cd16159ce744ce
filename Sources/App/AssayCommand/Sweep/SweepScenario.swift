import AssayBase

/// A plan's scenario: a name, or a mapping of a name and the options that `bench` has for scenarios.
enum SweepScenario {
  /// The options of a scenario.
  ///
  /// - Throws: `Diagnostic` JOB003 for what is no scenario, CLI… as the options of `bench`.
  static func options(_ value: JSON) throws -> ScenarioOptions {
    guard let name = value.string ?? value["name"]?.string else {
      throw Diagnostic(
        "JOB003",
        "a scenario is a name such as single-stream, or {name: server, rate: 100}"
      )
    }
    var words = ["--scenario", name]
    for (key, member) in value.pairs ?? [] where key != "name" {
      words += ["--\(key)", member.string ?? member.text()]
    }
    return try ScenarioOptions(try Arguments(words, spec: benchCommand))
  }
}
