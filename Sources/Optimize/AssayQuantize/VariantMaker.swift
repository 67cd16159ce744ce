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
  private var calibrations: [Key: Calibration] = [:]

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
    guard recipe.needsCalibration else { return nil }
    let key = Key(
      isEqualized: recipe.equalizes,
      method: recipe.calibration,
      keepsMeans: recipe.correctsBias
    )
    if let known = calibrations[key] { return known }
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
    let made = calibrator.calibration
    calibrations[key] = made
    return made
  }

  /// The variant, and what was noticed.
  ///
  /// - Throws: what `Quantizer.apply` and `calibration` throw.
  public func make(_ recipe: Recipe) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    let source = try prepared(recipe)
    let result = try Quantizer().apply(
      recipe,
      to: source.graph,
      calibration: try calibration(recipe)
    )
    return (result.graph, source.diagnostics + result.diagnostics + doubts(recipe, of: graph))
  }
}
