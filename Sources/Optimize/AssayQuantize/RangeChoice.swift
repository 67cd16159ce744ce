import AssayBase
import AssayGraph

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The ranges that a recipe takes, chosen by measurement where its method is `automatic`.
///
/// No method is best everywhere: the ends that were seen waste steps on outliers, and what draws them in
/// cuts off what some network needs. So the variant is made with each, and the outputs tell.
struct RangeChoice {
  /// What was seen, by the method chosen.
  let calibration: Calibration
  /// The method chosen.
  let method: CalibrationMethod
  /// Noise over signal at the outputs, by method; empty where nothing was left to choose.
  let noises: [(method: CalibrationMethod, noise: Double)]

  /// By how much another method must be better than the first one: half a decibel.
  private static let margin = 0.89

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
      noises = []
      return
    }
    let validation = try Validation(
      graph,
      samples: calibrator.kept.map { Validation.Sample(inputs: $0) },
      isClassifier: false,
      threads: threads
    )
    var best: (method: CalibrationMethod, calibration: Calibration, noise: Double)?
    var noises: [(method: CalibrationMethod, noise: Double)] = []
    for method in CalibrationMethod.candidates {
      let own = calibrator.calibration(by: method)
      let variant = try Quantizer().apply(recipe, to: graph, calibration: own).graph
      let noise = try validation.judge(variant).noise
      noises.append((method, noise))
      if let known = best, !(noise < known.noise * (known.method == .minMax ? Self.margin : 1)) {
        continue
      }
      best = (method, own, noise)
    }
    self.noises = noises
    method = best?.method ?? .minMax
    calibration = best?.calibration ?? calibrator.calibration
  }
}

extension RangeChoice {
  /// What was chosen, where that is not what other converters do.
  var finding: Diagnostic? {
    guard method != .minMax, !noises.isEmpty else { return nil }
    func decibels(_ wanted: CalibrationMethod) -> String {
      let noise = noises.first { $0.method == wanted }?.noise ?? 0
      return noise > 0 ? "\((-100 * log10(noise)).rounded() / 10) dB" : "no noise"
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
