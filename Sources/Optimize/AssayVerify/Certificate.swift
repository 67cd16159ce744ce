import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor

/// What a comparison of a variant with its original on given inputs has shown.
public struct Certificate: Sendable {
  /// When two outputs count as equal.
  public struct Limits: Sendable, Equatable {
    /// The largest max |a - b| / max |b| of an output of a float32 variant.
    public var relative: Double
    /// The least signal-to-noise ratio of an output of a variant with fewer bits; `nil` for the
    /// default of its kind: 40 dB with float16 constants, 10 dB with 8-bit integers.
    public var snrDb: Double?

    /// Makes limits.
    public init(relative: Double = 1e-5, snrDb: Double? = nil) {
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

  /// One output, over all inputs that were given.
  public struct Output: Sendable {
    /// The original's name for it.
    public var name: String
    /// How far the variant is from the original.
    public var metrics: ErrorMetrics
    /// What looks wrong with it by itself.
    public var alarms: [Alarm]
  }

  /// Whether every output is within the tolerance and none is broken.
  public var equal: Bool
  /// The limit that was applied.
  public var tolerance: Tolerance
  /// The outputs, in the original's order.
  public var outputs: [Output]
  /// The first operator whose result is outside of the tolerance; `nil` when outputs are equal or
  /// no value between input and output has the same name in both graphs.
  public var firstDivergence: Divergence?
  /// The operators at which most of the signal-to-noise ratio is lost, worst first (at most five).
  public var losses: [Divergence]

  /// Runs both graphs on the same inputs and compares what comes out.
  ///
  /// - Parameters:
  ///   - inputs: sets of arrays by the original's input names (see `bind(_:to:)`).
  ///   - limits: when outputs count as equal.
  ///   - threads: threads of the evaluator.
  /// - Throws: `Diagnostic` VFY001 when inputs, VFY002 when outputs do not correspond, EVL… when a
  ///   graph cannot be computed.
  public static func compare(
    original: Graph,
    variant: Graph,
    inputs: [[String: Tensor]],
    limits: Limits = Limits(),
    threads: Int = 1
  ) throws -> Certificate {
    let originalEvaluator = try Evaluator(original, threads: threads)
    let variantEvaluator = try Evaluator(variant, threads: threads)
    let names = try correspondingInputs(original, variant)
    var comparison = Comparison(tolerance: tolerance(of: variant, limits))
    var trace = Trace(original: original, variant: variant)
    for set in inputs {
      var translated: [String: Tensor] = [:]
      for name in names {
        let lone = names.count == 1 && set.count == 1 ? set.first?.value : nil
        if let tensor = lone ?? set[name.original] { translated[name.variant] = tensor }
      }
      let expected = try originalEvaluator.run(set) { trace.keep($0, $1) }
      let found = try variantEvaluator.run(translated) { trace.compare($0, $1) }
      trace.forget()
      try comparison.add(original: expected, variant: found)
    }
    var certificate = comparison.certificate
    let steps = trace.steps
    certificate.losses = Array(
      steps.filter { $0.loss > 1 }.sorted { $0.loss > $1.loss }.prefix(5)
    )
    if !certificate.equal {
      certificate.firstDivergence = steps.first { !certificate.tolerance.accepts($0.metrics) }
    }
    return certificate
  }

  /// Compares outputs that were computed elsewhere, such as by a runtime.
  ///
  /// - Parameters:
  ///   - original: for each set of inputs the original's outputs.
  ///   - variant: for each set of inputs the variant's.
  ///   - tolerance: when outputs count as equal.
  /// - Throws: `Diagnostic` VFY002 when outputs do not correspond.
  public static func compare(
    original: [[(name: String, tensor: Tensor)]],
    variant: [[(name: String, tensor: Tensor)]],
    tolerance: Tolerance
  ) throws -> Certificate {
    var comparison = Comparison(tolerance: tolerance)
    guard original.count == variant.count else {
      throw Diagnostic("VFY002", "\(original.count) and \(variant.count) sets of outputs")
    }
    for (a, b) in zip(original, variant) { try comparison.add(original: a, variant: b) }
    return comparison.certificate
  }

  /// The tolerance that fits the numbers that a variant computes with.
  public static func tolerance(of variant: Graph, _ limits: Limits = Limits()) -> Tolerance {
    let used = Set(variant.nodes.flatMap { $0.inputs.compactMap { $0 } + $0.outputs })
    let types = used.map { variant[$0].type }
    if types.contains(where: { $0.quantization != nil }) { return .snrDb(limits.snrDb ?? 10) }
    if types.contains(where: { $0.dtype == .float16 || $0.dtype == .bfloat16 }) {
      return .snrDb(limits.snrDb ?? 40)
    }
    return .relative(limits.relative)
  }

  /// The inputs' names in both graphs: by name, or else by position.
  private static func correspondingInputs(
    _ original: Graph,
    _ variant: Graph
  ) throws -> [(original: String, variant: String)] {
    let a = original.inputs.map { original[$0].name }
    let b = variant.inputs.map { variant[$0].name }
    if Set(a) == Set(b) { return a.map { ($0, $0) } }
    guard a.count == b.count else {
      throw Diagnostic(
        "VFY001",
        "the original has \(a.count) inputs, the variant \(b.count)",
        remedy: "compare a model with a variant of itself"
      )
    }
    return Array(zip(a, b)).map { ($0, $1) }
  }
}

/// A comparison under way.
private struct Comparison {
  let tolerance: Certificate.Tolerance
  private var names: [String] = []
  private var sums: [ErrorSums] = []
  private var watches: [Watch] = []

  init(tolerance: Certificate.Tolerance) { self.tolerance = tolerance }

  mutating func add(
    original: [(name: String, tensor: Tensor)],
    variant: [(name: String, tensor: Tensor)]
  ) throws {
    let pairs = try pairs(original, variant)
    if sums.isEmpty {
      names = original.map(\.name)
      sums = [ErrorSums](repeating: ErrorSums(), count: pairs.count)
      watches = [Watch](repeating: Watch(), count: pairs.count)
    }
    guard names == original.map(\.name) else {
      throw Diagnostic("VFY002", "the outputs' names differ from one set to the next")
    }
    for (index, pair) in pairs.enumerated() {
      let (reference, other) = (pair.0.floats(), pair.1.floats())
      guard reference.count == other.count else {
        throw Diagnostic(
          "VFY002",
          "the original's output is \(pair.0.type), the variant's \(pair.1.type)",
          at: ["output '\(names[index])'"]
        )
      }
      sums[index].add(reference: reference, other: other)
      watches[index].look(reference: reference, other: other, pair.1)
    }
  }

  /// Outputs by name, or by position when the names differ.
  private func pairs(
    _ original: [(name: String, tensor: Tensor)],
    _ variant: [(name: String, tensor: Tensor)]
  ) throws -> [(Tensor, Tensor)] {
    guard original.count == variant.count else {
      throw Diagnostic(
        "VFY002",
        "the original has \(original.count) outputs, the variant \(variant.count)",
        remedy: "compare a model with a variant of itself"
      )
    }
    return zip(original, variant).map { a, b in
      (a.tensor, variant.first { $0.name == a.name }?.tensor ?? b.tensor)
    }
  }

  var certificate: Certificate {
    let outputs = names.indices.map { index in
      Certificate.Output(
        name: names[index],
        metrics: sums[index].metrics,
        alarms: watches[index].alarms
      )
    }
    let isEqual = outputs.allSatisfy {
      tolerance.accepts($0.metrics) && !$0.alarms.contains(where: \.isFatal)
    }
    return Certificate(
      equal: isEqual && !outputs.isEmpty,
      tolerance: tolerance,
      outputs: outputs,
      firstDivergence: nil,
      losses: []
    )
  }
}
