import AssayBase
import AssayGraph

/// The ranges that a recipe takes, chosen by measurement where its method is `automatic`.
///
/// No method is best everywhere: the ends that were seen waste steps on outliers, and what draws them in
/// cuts off what some network needs. So the variant is made with each, and the outputs tell. Few samples
/// tell little: another method than `minMax` must do better on them by more than their scatter.
struct RangeChoice {
  /// What was seen, by the method chosen.
  let calibration: Calibration
  /// The method chosen.
  let method: CalibrationMethod
  /// The signal-to-noise ratio at the outputs in dB, averaged over samples, by method; empty where
  /// nothing was left to choose.
  let ratios: [(method: CalibrationMethod, decibels: Double)]

  /// By how many decibels another method must be better than the first one.
  private static let margin = 0.5

  /// Chooses.
  ///
  /// - Parameters:
  ///   - graph: what is quantized.
  ///   - recipe: with inputs and outputs in floats.
  ///   - calibrator: has seen the data.
  /// - Throws: what quantizing and evaluating throw.
  init(_ graph: Graph, _ recipe: Recipe, _ calibrator: Calibrator, threads: Int) throws {
    guard recipe.calibration == .automatic, recipe.usesRanges, !calibrator.kept.isEmpty else {
      calibration = calibrator.calibration
      method = recipe.calibration == .automatic ? .minMax : recipe.calibration
      ratios = []
      return
    }
    let graph = graph.withoutLastSquashing()
    let validation = try Validation(
      graph,
      samples: calibrator.kept.map { Validation.Sample(inputs: $0) },
      isClassifier: false,
      threads: threads
    )
    var first: [Double] = []
    var best: (method: CalibrationMethod, calibration: Calibration, decibels: Double)?
    var ratios: [(method: CalibrationMethod, decibels: Double)] = []
    for method in CalibrationMethod.candidates {
      let own = calibrator.calibration(by: method)
      let variant = try Quantizer().apply(recipe, to: graph, calibration: own).graph
      let samples = try validation.decibels(variant)
      let mean = samples.reduce(0, +) / Double(samples.count)
      ratios.append((method, mean))
      if method == .minMax { first = samples }
      let isBetter = method == .minMax || Self.isBetter(samples, than: first)
      if isBetter, mean > best?.decibels ?? -.infinity { best = (method, own, mean) }
    }
    self.ratios = ratios
    method = best?.method ?? .minMax
    calibration = best?.calibration ?? calibrator.calibration
  }

  /// Whether samples do better than others, pair by pair, by the margin and by more than the standard
  /// error of their difference.
  static func isBetter(_ samples: [Double], than first: [Double]) -> Bool {
    let differences = zip(samples, first).map { $0 - $1 }
    let count = Double(max(differences.count, 1))
    let mean = differences.reduce(0, +) / count
    let spread = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = count > 1 ? (spread / (count - 1) / count).squareRoot() : 0
    return mean > max(Self.margin, error)
  }
}

extension Graph {
  /// The graph that ends before a softmax or sigmoid: what squashes its outputs hides how far a variant is
  /// off for samples of which the network is sure, and exaggerates it for others.
  fileprivate func withoutLastSquashing() -> Graph {
    var result = self
    let producers = producers()
    for (place, output) in outputs.enumerated() {
      guard let index = producers[output] else { continue }
      let node = nodes[index]
      let squashes = node.op is Softmax || (node.op as? Unary)?.kind == .sigmoid
      guard squashes, let source = node.inputs[0], producers[source] != nil,
        !result.outputs.contains(source)
      else { continue }
      result.outputs[place] = source
      result.outputNames[output] = nil
    }
    let needed = Set(result.outputs).union(nodes.flatMap { $0.inputs.compactMap { $0 } })
    result.nodes.removeAll { $0.outputs.allSatisfy { !needed.contains($0) } }
    return result
  }
}

extension RangeChoice {
  /// What was chosen, where that is not what other converters do.
  var finding: Diagnostic? {
    guard method != .minMax, !ratios.isEmpty else { return nil }
    func decibels(_ wanted: CalibrationMethod) -> String {
      let ratio = ratios.first { $0.method == wanted }?.decibels ?? 0
      return "\((10 * ratio).rounded() / 10) dB"
    }
    return Diagnostic(
      "QNT018",
      "ranges are taken by \(method.name): the outputs keep \(decibels(method)) of signal to noise,"
        + " \(decibels(.minMax)) by minmax",
      remedy: "--calibration minmax takes what other converters take",
      severity: .note
    )
  }
}

extension Recipe {
  /// Whether any value is held in 8 bits whose ends matter; 16 bits hold all that was seen.
  fileprivate var usesRanges: Bool {
    ([scheme] + overrides.map(\.scheme)).contains(.staticInt8)
  }
}
