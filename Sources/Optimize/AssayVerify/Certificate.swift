import AssayBase
import AssayEvaluator
import AssayGraph
import AssayRewrite
import AssayTensor

/// What a comparison of a variant with its original on given inputs has shown.
public struct Certificate: Sendable {
  /// When two outputs count as equal.
  public struct Limits: Sendable, Equatable {
    /// The largest max |a - b| / max |b| of an output of a float32 variant.
    public var relative: Double
    /// The least signal-to-noise ratio of an output, which then decides alone; `nil` for the default
    /// of the variant's kind: 40 dB with float16 constants, 10 dB with 8-bit integers, none in float32.
    public var snrDb: Double?

    /// Makes limits.
    public init(relative: Double = 1e-4, snrDb: Double? = nil) {
      self.relative = relative
      self.snrDb = snrDb
    }
  }

  /// The limit that was applied.
  public enum Tolerance: Sendable, Equatable {
    /// The largest max |a - b| / max |b|.
    case relative(Double)
    /// The least signal-to-noise ratio.
    case snrDb(Double)

    /// Whether metrics lie within it.
    public func accepts(_ metrics: ErrorMetrics) -> Bool {
      switch self {
      case .relative(let bound): metrics.relative <= bound
      case .snrDb(let bound): metrics.snrDb >= bound
      }
    }
  }

  /// How closely to look.
  public enum Depth: Sendable {
    /// The outputs only: as fast as both networks run.
    case outputs
    /// Every value that corresponds, errors of the operators before it included.
    case values
    /// Every operator by itself too.
    case operators
  }

  /// One output, over all inputs that were given.
  public struct Output: Sendable {
    /// The original's name for it.
    public var name: String
    /// How far the variant is from the original.
    public var metrics: ErrorMetrics
    /// The distance of neighbouring integers in real numbers, when the variant's output is quantized.
    public var step: Double?
    /// What looks wrong with it by itself.
    public var alarms: [Alarm]

    /// The largest error in steps of the output's quantization.
    public var maxSteps: Double? { step.map { metrics.maxAbs / $0 } }
  }

  /// One set of inputs and what it showed.
  public struct Trial: Sendable {
    /// What the inputs are, such as `seeded 1` or `zeros`.
    public var name: String
    /// Whether the verdict rests on its error; alarms count for every set.
    public var isJudged: Bool
    /// The worst of the outputs.
    public var worst: ErrorMetrics
  }

  /// How much of the variant was looked at.
  public struct Coverage: Sendable, Equatable {
    /// The operators of the variant.
    public var operators: Int
    /// Those of which a result was compared with the original's.
    public var compared: Int
    /// Those that were computed by themselves on the original's values.
    public var alone: Int
  }

  /// Whether every output is within the tolerance and none is broken.
  public var equal: Bool
  /// The limit that was applied.
  public var tolerance: Tolerance
  /// The outputs, in the original's order.
  public var outputs: [Output]
  /// The sets of inputs, in order.
  public var trials: [Trial]
  /// The variant's operators in order, as far as their results correspond to something.
  public var operators: [OperatorResult]
  /// How much of the variant was looked at.
  public var coverage: Coverage

  /// The operators that by themselves compute something else than the original does there.
  public var suspects: [OperatorResult] { operators.filter(\.isSuspect) }

  /// The operators at which most of the signal-to-noise ratio is lost, worst first (at most five).
  public var losses: [OperatorResult] {
    Array(operators.filter { $0.loss > 1 }.sorted { $0.loss > $1.loss }.prefix(5))
  }

  /// The operators whose range is too small for these inputs.
  public var cutters: [OperatorResult] { operators.filter { !$0.isSuspect && $0.cutsOff } }

  /// The first operator that computes something else, or else whose range cuts off what the original
  /// has, or else whose result is outside of the tolerance; `nil` when outputs are equal or nothing
  /// between input and output corresponds.
  public var firstDivergence: OperatorResult? {
    if equal { return nil }
    return suspects.first ?? cutters.first
      ?? operators.first {
        !tolerance.accepts($0.metrics) || $0.alarms.contains(where: \.isFatal)
      }
  }

  /// Runs both graphs on the same inputs and compares what comes out.
  ///
  /// - Parameters:
  ///   - inputs: sets of arrays by the original's input names (see `bind(_:to:)`).
  ///   - limits: when outputs count as equal.
  ///   - depth: how closely to look; operators are looked at by themselves on the first four inputs.
  ///   - threads: threads of the evaluator.
  /// - Throws: `Diagnostic` VFY001 when inputs, VFY002 when outputs do not correspond, EVL… when a
  ///   graph cannot be computed.
  public static func compare(
    original: Graph,
    variant: Graph,
    inputs: [[String: Tensor]],
    limits: Limits = Limits(),
    depth: Depth = .operators,
    threads: Int = 1
  ) throws -> Certificate {
    try compare(
      original: original,
      variant: variant,
      probes: inputs.enumerated().map { Probe(name: "input \($0 + 1)", arrays: $1) },
      limits: limits,
      depth: depth,
      threads: threads
    )
  }

  /// Runs both graphs on probes; see `compare(original:variant:inputs:limits:depth:threads:)`.
  public static func compare(
    original: Graph,
    variant: Graph,
    probes: [Probe],
    limits: Limits = Limits(),
    depth: Depth = .operators,
    threads: Int = 1
  ) throws -> Certificate {
    guard depth != .outputs else {
      let names = try correspondingInputs(original, variant)
      var comparison = Comparison(tolerance: tolerance(of: variant, limits))
      // One after the other, so that only one of them holds its packed weights.
      let expected = try runs(original, probes, original, threads) { $0 }
      let found = try runs(variant, probes, original, threads) {
        translated($0, names, original, variant)
      }
      for (probe, sets) in zip(probes, zip(expected, found)) {
        for (a, b) in zip(sets.0, sets.1) { try comparison.add(original: a, variant: b, probe) }
      }
      var certificate = comparison.certificate
      certificate.coverage.operators = variant.nodes.count
      return certificate
    }
    let evaluator = try Evaluator(variant, threads: threads)
    return try compare(
      original: original,
      variant: variant,
      probes: probes,
      limits: limits,
      isLocal: depth == .operators,
      threads: threads
    ) { inputs in
      var values: [(id: ValueID, tensor: Tensor)] = []
      let outputs = try evaluator.run(inputs) { values.append(($0, $1)) }
      return (outputs, values)
    }
  }

  /// Compares a variant that something else executes, such as a runtime, with its original.
  ///
  /// - Parameters:
  ///   - isLocal: whether each operator is also computed by itself, by our evaluator.
  ///   - execute: runs the variant on arrays by its input names; gives the outputs under their names,
  ///     and as many of the values between as it can tell.
  /// - Throws: as `compare(original:variant:inputs:limits:depth:threads:)`, and what `execute` throws.
  public static func compare(
    original: Graph,
    variant: Graph,
    probes: [Probe],
    limits: Limits = Limits(),
    isLocal: Bool = false,
    threads: Int = 1,
    execute: (_ inputs: [String: Tensor]) throws -> (
      outputs: [(name: String, tensor: Tensor)], values: [(id: ValueID, tensor: Tensor)]
    )
  ) throws -> Certificate {
    let names = try correspondingInputs(original, variant)
    let evaluator = try Evaluator(original, threads: threads)
    let correspondence = try Correspondence(original: original, variant: variant)
    var comparison = Comparison(tolerance: tolerance(of: variant, limits))
    var trace = Trace(original: original, variant: variant, correspondence)
    // Four sets show what there is to be seen; each takes as long as a run of both networks.
    var localRuns = isLocal ? 4 : 0
    for probe in probes {
      for set in probe.samples(for: original) {
        let expected = try evaluator.run(set) { trace.keep($0, $1) }
        let found = try execute(translated(set, names, original, variant))
        let isJudged = comparison.isJudged(probe)
        for value in found.values {
          trace.compare(value.id, value.tensor, isJudged: isJudged)
        }
        if localRuns > 0 {
          trace.checkLocally(limits, judgesRanges: isJudged, threads: threads)
          if localRuns == 4 { trace.stress(limits, seed: 11, threads: threads) }
          localRuns -= 1
        }
        trace.forget()
        try comparison.add(original: expected, variant: found.outputs, probe)
      }
    }
    var certificate = comparison.certificate
    certificate.operators = trace.results
    let isFiner = isLocal && trace.wantsFinerRuler
    if isFiner, let finer = try? finer(certificate, original, variant, probes, limits, threads) {
      return finer
    }
    certificate.coverage = trace.coverage
    return certificate
  }

  /// The certificate with operators that were compared with the original's canonical form, if that
  /// computes what the original does; it has a value for each operator that the variant was made from.
  private static func finer(
    _ certificate: Certificate,
    _ original: Graph,
    _ variant: Graph,
    _ probes: [Probe],
    _ limits: Limits,
    _ threads: Int
  ) throws -> Certificate? {
    let canonical = try canonicalized(original)
    guard canonical.nodes.count != original.nodes.count || canonical.dump() != original.dump()
    else {
      return nil
    }
    let ruler = try compare(
      original: original,
      variant: canonical,
      probes: probes,
      limits: limits,
      depth: .outputs,
      threads: threads
    )
    guard ruler.equal else { return nil }
    let against = try compare(
      original: canonical,
      variant: variant,
      probes: probes,
      limits: limits,
      threads: threads
    )
    guard !against.suspects.isEmpty else { return nil }
    var result = certificate
    result.operators = against.operators
    result.coverage = against.coverage
    return result
  }

  /// Compares outputs that were computed elsewhere, such as by a runtime.
  ///
  /// - Parameters:
  ///   - original: for each set of inputs the original's outputs.
  ///   - variant: for each set of inputs the variant's.
  ///   - tolerance: when outputs count as equal.
  ///   - probes: what the sets of inputs are; judged all alike by default.
  /// - Throws: `Diagnostic` VFY002 when outputs do not correspond.
  public static func compare(
    original: [[(name: String, tensor: Tensor)]],
    variant: [[(name: String, tensor: Tensor)]],
    tolerance: Tolerance,
    probes: [Probe] = []
  ) throws -> Certificate {
    var comparison = Comparison(tolerance: tolerance)
    guard original.count == variant.count else {
      throw Diagnostic("VFY002", "\(original.count) and \(variant.count) sets of outputs")
    }
    for (index, pair) in zip(original, variant).enumerated() {
      let probe =
        probes.indices.contains(index)
        ? probes[index] : Probe(name: "input \(index + 1)", arrays: [:])
      try comparison.add(original: pair.0, variant: pair.1, probe)
    }
    return comparison.certificate
  }

  /// The tolerance that fits the numbers that a variant computes with.
  public static func tolerance(of variant: Graph, _ limits: Limits = Limits()) -> Tolerance {
    if let asked = limits.snrDb { return .snrDb(asked) }
    let used = Set(variant.nodes.flatMap { $0.inputs.compactMap { $0 } + $0.outputs })
    let types = used.map { variant[$0].type }
    if types.contains(where: { $0.quantization != nil }) { return .snrDb(10) }
    if types.contains(where: { $0.dtype == .float16 || $0.dtype == .bfloat16 }) {
      return .snrDb(40)
    }
    return .relative(limits.relative)
  }

  /// A set of inputs under the variant's names.
  private static func translated(
    _ set: [String: Tensor],
    _ names: [(original: ValueID, variant: ValueID, evidence: Correspondence.Evidence)],
    _ original: Graph,
    _ variant: Graph
  ) -> [String: Tensor] {
    var translated: [String: Tensor] = [:]
    for name in names {
      let lone = names.count == 1 && set.count == 1 ? set.first?.value : nil
      guard let tensor = lone ?? set[original[name.original].name] else { continue }
      let (a, b) = (original[name.original].type.shape, variant[name.variant].type.shape)
      let axes = reordering(a, b)?.axes
      translated[variant[name.variant].name] = axes.flatMap { tensor.permuted($0) } ?? tensor
    }
    return translated
  }

  private static func runs(
    _ graph: Graph,
    _ probes: [Probe],
    _ original: Graph,
    _ threads: Int,
    _ translate: ([String: Tensor]) -> [String: Tensor]
  ) throws -> [[[(name: String, tensor: Tensor)]]] {
    let evaluator = try Evaluator(graph, threads: threads)
    return try probes.map { probe in
      try probe.samples(for: original).map { try evaluator.run(translate($0)) }
    }
  }
}
