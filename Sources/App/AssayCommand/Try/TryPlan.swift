import AssayBase
import AssayCatalog
import AssayHost
import AssayQuantize
import AssayReport
import AssayRuntime

/// What one `assay try` is to do, from its command line.
struct TryPlan {
  /// The model's path.
  var model: String
  /// The recipes, in the order of the table.
  var recipes: [Recipe]
  /// The runtimes, usable or not.
  var runtimes: [any InferenceRuntime]
  /// The formats that each runtime may get, by its id: the first that can hold a variant.
  var formats: [String: [String]]
  /// Thread counts.
  var threads: [Int]
  /// The hardware path.
  var provider: Provider
  /// Where models and report go.
  var folder: String
  /// What the pick must hold.
  var constraint: Constraint

  init(_ arguments: Arguments) throws {
    guard let model = arguments.operand(0) else {
      throw Diagnostic(
        "CLI005",
        "MODEL is missing: the network to try",
        remedy: "usage: \(tryCommand.usage), or put an assay.yaml into this folder"
      )
    }
    self.model = model
    recipes = try (arguments.words("--recipes") ?? TryPlan.defaultRecipes).map(
      Quantizing.recipe(named:)
    )
    for recipe in recipes { try recipe.refuseTraining() }
    runtimes = try arguments.words("--runtimes")?.map(Catalog.runtime) ?? Catalog.shipping
    threads = try arguments.integers("--threads") ?? [1]
    provider = arguments.value("--provider").flatMap(Provider.init) ?? .cpu
    folder = arguments.value("--output") ?? "assay-out"
    constraint = try TryPlan.constraint(arguments)
    formats = [:]
    for runtime in runtimes { formats[runtime.id] = Catalog.preferredFormats(of: runtime) }
    if let text = arguments.value("--openvino-format") { formats["openvino"] = [text] }
  }

  /// The recipes of the table unless told.
  static let defaultRecipes = [
    "float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio",
  ]

  private static func constraint(_ arguments: Arguments) throws -> Constraint {
    var constraint = Constraint()
    constraint.maxDrop = try arguments.part("--max-drop")
    if let text = arguments.value("--max-latency") {
      guard let value = quantity(text, ["ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9]) else {
        throw Diagnostic("CLI006", "--max-latency is a time such as 5ms, not '\(text)'")
      }
      constraint.maxLatencyNanoseconds = value
    }
    if let text = arguments.value("--max-size") {
      guard let value = quantity(text, ["": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9]) else {
        throw Diagnostic("CLI006", "--max-size is a size such as 500kB, not '\(text)'")
      }
      constraint.maxByteCount = Int(value)
    }
    return constraint
  }

  /// `1%` or `0.01` as 0.01.
  static func fraction(_ text: String) -> Double? {
    text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
  }

  /// A number with a unit, times what the unit stands for.
  static func quantity(_ text: String, _ units: [String: Double]) -> Double? {
    let unit = String(text.reversed().prefix { $0.isLetter }.reversed())
    guard let factor = units[unit], let number = Double(text.dropLast(unit.count)), number >= 0,
      number.isFinite, number * factor < 1e18
    else { return nil }
    return number * factor
  }
}
