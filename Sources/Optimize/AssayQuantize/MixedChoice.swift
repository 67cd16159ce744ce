import AssayBase
import AssayGraph

/// The fewest operators to keep in higher precision so that a network loses no more than a bound.
///
/// Operators are taken in the order of their harm when quantized alone. Bisection finds how many of
/// the most harmful must be kept; then each of those is tried in integers again, the least harmful
/// first, so that none is kept without need. The loss of a set is measured, not added up from its
/// members, so what is found holds the bound on the data; that no smaller set does is likely, not
/// proven.
public struct MixedChoice: Sendable {
  /// One set that was tried.
  public struct Trial: Sendable, Equatable {
    /// How many operators were kept.
    public var keptCount: Int
    /// What the network lost.
    public var quality: Quality
    /// Whether that is within the bound.
    public var holds: Bool
  }

  /// The recipe with an override for each operator that is kept.
  public var recipe: Recipe
  /// The nodes that are kept, most harmful first.
  public var kept: [String]
  /// What the network loses with that recipe.
  public var quality: Quality
  /// Every set that was tried, in order.
  public var trials: [Trial]
  /// The order of harm, when it was needed.
  public var sensitivity: Sensitivity?
  /// The bound.
  public var maxDrop: Double
  /// What the bound is on.
  public var criterion: Criterion

  /// The number of samples by which the order of harm is found.
  public static let orderingSamples = 16
  /// How many of the kept operators are tried in integers again at most.
  static let trimmingTrials = 24

  /// Searches.
  ///
  /// - Parameters:
  ///   - maxDrop: the greatest accepted `Quality.drop`.
  ///   - graph: the canonical network (equalized if the recipe says so).
  ///   - progress: called with what is done.
  /// - Throws: `Diagnostic` QNT031 when not even keeping all of them holds the bound; what
  ///   `Quantizer.apply` and `Evaluator` throw.
  public init(
    maxDrop: Double,
    _ recipe: Recipe,
    of graph: Graph,
    calibration: Calibration?,
    validation: Validation,
    progress: @escaping (String) -> Void = { _ in }
  ) throws {
    self.maxDrop = maxDrop
    criterion = validation.criterion
    self.recipe = recipe
    trials = []
    kept = []
    let search = Search(recipe, graph, calibration, validation, maxDrop)
    progress("judging \(recipe.name)")
    let whole = try search.trial([])
    trials.append(whole)
    quality = whole.quality
    if whole.holds { return }
    let order = try Sensitivity(
      recipe,
      of: graph,
      calibration: calibration,
      validation: validation.thinned(to: Self.orderingSamples)
    ) { progress("sensitivity of operator \($0)/\($1)") }
    sensitivity = order
    let names = order.entries.map(\.node)
    // Invariant: keeping `low` is too few, keeping `high` is enough.
    var (low, high) = (0, names.count)
    progress("keeping all \(names.count) operators")
    var best = try search.trial(names)
    trials.append(best)
    guard best.holds else {
      throw Diagnostic(
        "QNT031",
        "no choice of operators holds the bound: even with all of them kept the loss is "
          + "\(percent(best.quality.drop))",
        remedy: "allow more with --max-drop, or choose another recipe"
      )
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      progress("keeping \(middle) of \(names.count) operators")
      let trial = try search.trial(Array(names[..<middle]))
      trials.append(trial)
      if trial.holds { (high, best) = (middle, trial) } else { low = middle }
    }
    var chosen = Array(names[..<high])
    for name in chosen.reversed().prefix(Self.trimmingTrials) where chosen.count > 1 {
      let fewer = chosen.filter { $0 != name }
      progress("trying '\(name)' in integers again")
      let trial = try search.trial(fewer)
      trials.append(trial)
      if trial.holds { (chosen, best) = (fewer, trial) }
    }
    kept = chosen
    quality = best.quality
    self.recipe = search.recipe(keeping: chosen)
  }

  /// The choice as JSON (`assay.mixed/1`).
  public var json: JSON {
    func figures(_ quality: Quality) -> [(String, JSON)] {
      [
        ("drop", JSON(quality.drop)),
        ("snrDb", quality.snrDb.isFinite ? JSON(quality.snrDb) : .null),
        ("accuracy", quality.accuracy.map { JSON($0) } ?? .null),
      ]
    }
    func object(_ pairs: [(String, JSON)]) -> JSON {
      var result = JSON.emptyObject
      for (key, value) in pairs { result[key] = value }
      return result
    }
    return object(
      [
        ("schema", "assay.mixed/1"), ("maxDrop", JSON(maxDrop)),
        ("criterion", .string(criterion.rawValue)),
        ("kept", .array(kept.map { .string($0) })),
      ] + figures(quality) + [
        (
          "trials",
          .array(
            trials.map {
              object(
                [("kept", JSON($0.keptCount)), ("holds", .bool($0.holds))] + figures($0.quality)
              )
            }
          )
        ),
        ("sensitivity", sensitivity?.json ?? .null),
      ]
    )
  }
}

/// A part in percent, for messages.
func percent(_ part: Double) -> String { "\((part * 10000).rounded() / 100) %" }

private struct Search {
  let base: Recipe
  let graph: Graph
  let calibration: Calibration?
  let validation: Validation
  let maxDrop: Double

  init(
    _ recipe: Recipe,
    _ graph: Graph,
    _ calibration: Calibration?,
    _ validation: Validation,
    _ maxDrop: Double
  ) {
    (base, self.graph, self.calibration) = (recipe, graph, calibration)
    (self.validation, self.maxDrop) = (validation, maxDrop)
  }

  /// What is kept computes in floats, or in 16 bits where the target has integers alone.
  func recipe(keeping names: [String]) -> Recipe {
    var result = base
    let higher: Scheme =
      base.fallback == .refuse && base.scheme == .staticInt8 ? .int16x8 : .float32
    result.overrides += names.map { Override(.nodes($0), higher) }
    return result
  }

  func trial(_ names: [String]) throws -> MixedChoice.Trial {
    let variant = try Quantizer().apply(recipe(keeping: names), to: graph, calibration: calibration)
    let quality = try validation.judge(variant.graph)
    return MixedChoice.Trial(
      keptCount: names.count,
      quality: quality,
      holds: quality.drop <= maxDrop + 1e-12
    )
  }
}
