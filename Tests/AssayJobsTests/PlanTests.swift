import AssayBase
import AssayTestSupport
import Testing

@testable import AssayJobs

let vocabulary = SweepVocabulary(
  runtimes: ["litert", "onnxruntime", "openvino"],
  providers: ["cpu", "gpu"],
  presets: ["quick", "standard", "strict"],
  formats: ["tflite", "onnx"],
  dataOptions: ["representative", "labels"],
  scenarioFault: {
    ["single-stream", "offline"].contains($0.string ?? $0["name"]?.string ?? "")
      ? nil : Diagnostic("JOB003", "there is no such scenario")
  },
  recipeFault: { $0.hasPrefix("bad") ? Diagnostic("QNT001", "there is no such recipe") : nil },
  meterFault: { $0.hasPrefix("rapl") ? nil : Diagnostic("MTR003", "there is no meter '\($0)'") }
)

@Suite struct PlanTests {
  static let whole = """
    name: digits
    campaign: winter
    models:
      - digits.h5
      - {path: other/digits.h5, name: other}
    recipes: [float32, static_int8]
    runtimes: [litert, onnxruntime]
    formats: {onnxruntime: onnx}
    providers: cpu
    threads: [1, 2]
    batch: 1
    devices: [local, {name: board, resources: "edgetpu:1"}]
    scenarios: [single-stream, {name: offline, samples: 100}]
    exclude:
      - {runtime: onnxruntime, recipe: "static_*"}
      - {device: board, threads: [2, 4]}
    repetitions: 3
    seed: 7
    preset: quick
    data: {representative: images, labels: images/labels.csv}
    limits: {time: 5min, memory: 2GB, attempts: 3, losses: 9}
    budget: {time: 2h, temperature: 80C}
    cooldown: {time: 500ms, below: 60, patience: 1min}
    store: sqlite:x.sqlite
    slurm: {partition: lab, trials-per-job: 4, at-once: 2, options: ["--nice"]}
    """

  @Test func metersAreAnAxisLikeOthers() throws {
    let text = """
      models: digits.h5
      runtimes: litert
      threads: [1, 2]
      meters: [none, "rapl:rate=50"]
      exclude: {meter: "rapl*", threads: 2}
      """
    let plan = try SweepPlan(text: text, vocabulary)
    #expect(plan.combinationCount == 4 && plan.cells.count == 3)
    #expect(plan.cells.map(\.meter) == ["none", "rapl:rate=50", "none"])
    let fault = #expect(throws: Diagnostic.self) {
      try SweepPlan(text: text.replacing("rapl:rate=50", with: "guess"), vocabulary)
    }
    #expect(fault?.code == "MTR003" && fault?.location.first == "line 4")
    // A meter makes another trial; without one the key is what it always was.
    var trial = syntheticTrial(1)
    let key = trial.key
    trial.cell.meter = "rapl"
    #expect(trial.key != key && trial.title.contains("rapl"))
    #expect(try TrialSpecification(json: trial.json) == trial)
    var old = trial.json
    old["meter"] = nil
    #expect(try TrialSpecification(json: old).cell.meter == "none")
  }

  @Test func everySettingIsRead() throws {
    let plan = try SweepPlan(text: PlanTests.whole, vocabulary)
    #expect(plan.name == "digits" && plan.campaign == "winter")
    #expect(plan.models.map(\.name) == ["digits", "other"])
    #expect(plan.models.map(\.line) == [4, 5])
    #expect(plan.devices[1].resources == "edgetpu:1")
    #expect(plan.combinationCount == 2 * 2 * 2 * 2 * 2 * 2)
    // 2 models x 2 scenarios x (3 of recipe and runtime) x (3 of device and threads)
    #expect(plan.cells.count == 2 * 2 * 3 * 3)
    #expect(!plan.cells.contains { $0.runtime == "onnxruntime" && $0.recipe == "static_int8" })
    #expect(plan.repetitions == 3 && plan.seed == 7 && plan.preset == "quick")
    #expect(plan.data == ["representative": "images", "labels": "images/labels.csv"])
    #expect(plan.limits.seconds == 300 && plan.limits.memory == 2_000_000_000)
    #expect(plan.limits.attempts == 3 && plan.limits.losses == 9)
    #expect(plan.budget == SweepPlan.Budget(seconds: 7200, temperature: 80))
    #expect(plan.cooldown.seconds == 0.5 && plan.cooldown.below == 60)
    #expect(plan.slurm.trialsPerJob == 4 && plan.slurm.options == ["--nice"])
  }

  @Test func budgetsDoNotMakeAnotherSweep() throws {
    let plan = try SweepPlan(text: PlanTests.whole, vocabulary)
    let longer = try SweepPlan(
      text: PlanTests.whole.replacing("time: 2h", with: "time: 9h"),
      vocabulary
    )
    let other = try SweepPlan(
      text: PlanTests.whole.replacing("seed: 7", with: "seed: 8"),
      vocabulary
    )
    #expect(plan.id == longer.id)
    #expect(plan.id != other.id)
  }

  @Test(arguments: [
    ("models: a.tflite\nruntimes: litert\nthreads: [1, two]", 3),
    ("models: a.tflite\nruntimes: litert\nthreads: [1,\n  0]", 4),
    ("models: a.tflite\nruntimes:\n  - litert\n  - litter", 4),
    ("models: a.tflite\nruntimes: litert\nthraeds: 1", 3),
    ("models: a.tflite\nruntimes: litert\nlimits:\n  time: soon", 4),
    ("models: a.tflite\nruntimes: litert\nlimits:\n  time: 1e14", 4),
    ("models: a.tflite\nruntimes: litert\nlimits:\n  tme: 5s", 4),
    ("models: a.tflite\nruntimes: litert\nrecipes: [float32, bad]", 3),
    ("models: a.tflite\nruntimes: litert\nscenarios:\n  - single-stream\n  - fast", 5),
    ("models: a.tflite\nruntimes: litert\n\nexclude:\n  - {tread: 1}", 5),
    ("models: a.tflite\nruntimes: litert\n\ninclude:\n  - runtime: onnxruntime", 5),
    ("models: a.tflite\nruntimes: litert\nexclude: {runtime: litert}", 3),
    ("models:\n  - a/m.tflite\n  - b/m.tflite\nruntimes: litert", 3),
    ("models: a.tflite\nruntimes: litert\nrepetitions: 0", 3),
    ("models: a.tflite\nruntimes: litert\ndevices: [a b]", 3),
    ("models: a.tflite\nruntimes: litert\ndata: {represent: x}", 3),
    ("models: a.tflite\nruntimes: litert\nseed: -1", 3),
    ("runtimes: litert", 1), ("models: x", 1), ("[1, 2]", 1), ("models: [\n  a", 2),
  ])
  func everyFaultHasItsLine(text: String, line: Int) {
    let error = #expect(throws: (any Error).self) { try SweepPlan(text: text, vocabulary) }
    let first = (error as? Diagnostic) ?? (error as? Diagnostics)?.all.first
    #expect(
      first?.location.first?.hasPrefix("line \(line)") == true,
      "\(String(describing: first))"
    )
  }

  @Test func allFaultsComeAtOnceAndGuess() throws {
    let text = "modles: x\nruntimes: [litret]\nthreads: 0"
    let error = #expect(throws: Diagnostics.self) { try SweepPlan(text: text, vocabulary) }
    #expect(error?.all.count == 4)
    #expect(error?.all.first?.remedy == "did you mean 'models'?")
    #expect(error?.all.contains { $0.remedy?.contains("'litert'") == true } == true)
  }

  @Test func tooManyCombinationsAreRefused() {
    let many = (1...1000).map { "\($0)" }.joined(separator: ", ")
    let text = "models: x\nruntimes: litert\nthreads: [\(many)]\nbatch: [\(many)]\nrecipes: [a, b]"
    let error = #expect(throws: Diagnostic.self) { try SweepPlan(text: text, vocabulary) }
    #expect(error?.code == "JOB002")
  }

  @Test(arguments: [
    ("static_*", "static_int8", true), ("*", "", true), ("a*b*c", "axxbyyc", true),
    ("a*b*c", "axxbyy", false), ("*int8", "static_int8_floatio", false), ("x", "xy", false),
    ("**", "abc", true), ("", "a", false),
  ])
  func patterns(pattern: String, name: String, isSame: Bool) {
    let filter = PlanFilter(values: ["recipe": [.string(pattern)]], line: 1)
    let cell = SweepCell(
      model: "m",
      recipe: name,
      runtime: "r",
      provider: "cpu",
      threads: 1,
      batch: 1,
      device: "local",
      scenario: .null
    )
    #expect(filter.matches(cell) == isSame)
  }
}
