import AssayBase
import AssayGraph

/// Makes variants of one network by several recipes; what recipes have in common is done once.
///
/// Equalization changes weights, so it comes before calibration; data run through the network once
/// for each combination of equalization and method of calibration.
public final class VariantMaker {
  /// The canonical network.
  public let graph: Graph
  private let threads: Int
  private let feed: ((Calibrator) throws -> Void)?
  private var equalized: (graph: Graph, diagnostics: [Diagnostic])?
  private var calibrators: [Key: Calibrator] = [:]
  private var choices: [String: RangeChoice] = [:]

  private struct Key: Hashable {
    var isEqualized: Bool
    var method: CalibrationMethod
    var keepsMeans: Bool
  }

  /// Prepares a canonical float32 graph.
  ///
  /// - Parameters:
  ///   - threads: workers of calibration.
  ///   - feed: shows all representative data to a calibrator; `nil` when there are none.
  public init(_ graph: Graph, threads: Int = 1, feed: ((Calibrator) throws -> Void)?) {
    self.graph = graph
    self.threads = threads
    self.feed = feed
  }

  /// The network that a recipe quantizes: equalized if it says so.
  public func prepared(_ recipe: Recipe) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    guard recipe.equalizes else { return (graph, []) }
    if let equalized { return equalized }
    let made = try AssayQuantize.equalized(graph)
    equalized = made
    return made
  }

  /// What the data tell of the network that a recipe quantizes; `nil` for one that needs none.
  ///
  /// - Throws: `Diagnostic` QNT008 when the recipe needs data and there are none; what feeding throws.
  public func calibration(_ recipe: Recipe) throws -> Calibration? {
    try choice(recipe)?.calibration
  }

  /// The ranges of a recipe's method; those that do best where it leaves the choice.
  private func choice(_ recipe: Recipe) throws -> RangeChoice? {
    guard recipe.needsCalibration else { return nil }
    let key = Key(
      isEqualized: recipe.equalizes,
      method: recipe.calibration,
      keepsMeans: recipe.correctsBias
    )
    let calibrator = try calibrators[key] ?? fed(recipe)
    calibrators[key] = calibrator
    // What leaves and enters as integers does not matter here, so it is chosen once for all of them.
    var plain = recipe.withoutTraining
    plain.boundary = .float
    let name = plain.json.text()
    if let known = choices[name] { return known }
    let made = try RangeChoice(try prepared(recipe).graph, plain, calibrator, threads: threads)
    choices[name] = made
    return made
  }

  private func fed(_ recipe: Recipe) throws -> Calibrator {
    guard let feed else {
      throw Diagnostic(
        "QNT008",
        "the recipe '\(recipe.name)' needs representative data",
        remedy: "give it with --representative"
      )
    }
    let calibrator = try Calibrator(
      try prepared(recipe).graph,
      method: recipe.calibration,
      keepsChannelMeans: recipe.correctsBias,
      threads: threads
    )
    try feed(calibrator)
    return calibrator
  }

  /// The variant, and what was noticed.
  ///
  /// - Throws: what `Quantizer.apply` and `calibration` throw.
  public func make(_ recipe: Recipe) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    let source = try prepared(recipe)
    let choice = try choice(recipe)
    let result = try Quantizer().apply(recipe, to: source.graph, calibration: choice?.calibration)
    let found = source.diagnostics + result.diagnostics + doubts(recipe, of: graph)
    return (result.graph, found + (choice?.finding.map { [$0] } ?? []))
  }
}
