import AssayBase
import AssayGraph
import AssayTensor

/// A comparison of outputs under way.
struct Comparison {
  let tolerance: Certificate.Tolerance
  private var names: [String] = []
  private var steps: [Double?] = []
  /// Over the sets that are judged.
  private var sums: [ErrorSums] = []
  /// Over all sets.
  private var watches: [Watch] = []
  private var trials: [(probe: Probe, sums: [ErrorSums])] = []

  init(tolerance: Certificate.Tolerance) { self.tolerance = tolerance }

  /// Whether the error on a probe decides: ranges of a quantized variant were made for real data.
  func isJudged(_ probe: Probe) -> Bool {
    if case .relative = tolerance { return true }
    return !probe.isAdversarial
  }

  mutating func add(
    original: [(name: String, tensor: Tensor)],
    variant: [(name: String, tensor: Tensor)],
    _ probe: Probe
  ) throws {
    let pairs = try pairs(original, variant)
    if sums.isEmpty {
      names = original.map(\.name)
      steps = pairs.map { $0.1.type.step }
      sums = [ErrorSums](repeating: ErrorSums(), count: pairs.count)
      watches = [Watch](repeating: Watch(), count: pairs.count)
    }
    guard names == original.map(\.name) else {
      throw Diagnostic("VFY002", "the outputs' names differ from one set to the next")
    }
    if trials.last?.probe.name != probe.name {
      trials.append((probe, [ErrorSums](repeating: ErrorSums(), count: pairs.count)))
    }
    let isJudged = isJudged(probe)
    for (index, pair) in pairs.enumerated() {
      let (reference, other) = (pair.0.floats(), pair.1.floats())
      guard reference.count == other.count else {
        throw Diagnostic(
          "VFY002",
          "the original's output is \(pair.0.type), the variant's \(pair.1.type)",
          at: ["output '\(names[index])'"]
        )
      }
      trials[trials.count - 1].sums[index].add(reference: reference, other: other)
      if isJudged {
        sums[index].add(reference: reference, other: other)
        watches[index].look(reference: reference, other: other, pair.1)
      } else {
        watches[index].lookForNaN(reference: reference, other: other)
      }
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
      let other = variant.first { $0.name == a.name }?.tensor ?? b.tensor
      let axes = reordering(a.tensor.shape, other.shape)?.axes
      return (axes.flatMap { a.tensor.permuted($0) } ?? a.tensor, other)
    }
  }

  var certificate: Certificate {
    let outputs = names.indices.map { index in
      Certificate.Output(
        name: names[index],
        metrics: sums[index].metrics,
        step: steps[index],
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
      trials: trials.compactMap { probe, sums in
        sums.map(\.metrics).max { worse($1, $0) }.map {
          Certificate.Trial(name: probe.name, isJudged: isJudged(probe), worst: $0)
        }
      },
      operators: [],
      coverage: Certificate.Coverage(operators: 0, compared: 0, alone: 0)
    )
  }

  /// Whether `a` is worse than `b`.
  private func worse(_ a: ErrorMetrics, _ b: ErrorMetrics) -> Bool {
    a.nonFinite != b.nonFinite ? a.nonFinite > b.nonFinite : a.relative > b.relative
  }
}
