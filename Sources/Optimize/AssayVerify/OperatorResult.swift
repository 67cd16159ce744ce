import AssayBase
import AssayGraph
import AssayTensor

/// An operator of the variant beside what the original computes at the same place.
public struct OperatorResult: Sendable {
  /// What the operator makes of the original's own values: its error alone, without what came in.
  public struct Local: Sendable, Equatable {
    /// How far its result is from the original's.
    public var metrics: ErrorMetrics
    /// The limit for its kind of numbers.
    public var tolerance: Certificate.Tolerance
    /// Whether the error is explained by the numbers that it computes with.
    public var isWithin: Bool
    /// The part of the elements that the range of its result cuts off.
    public var clipped: Double
    /// Whether that is more than a calibration does on purpose.
    public var cutsOff: Bool
    /// The nodes that were computed together, when the original has one value for several of them.
    public var nodes: [String]
  }

  /// The value's name in the variant.
  public var value: String
  /// The node that makes it in the variant.
  public var node: String
  /// That node's operator.
  public var op: String
  /// The value's name in the original.
  public var original: String
  /// Why both are taken to be the same.
  public var evidence: Correspondence.Evidence
  /// How far the value is from the original's, errors of all operators before it included.
  public var metrics: ErrorMetrics
  /// The distance of neighbouring integers of the value in real numbers, when it is quantized.
  public var step: Double?
  /// Decibels of signal-to-noise ratio that are lost between what the node reads and what it makes;
  /// 0 when that is not known.
  public var loss: Double
  /// The operator by itself; `nil` when it was not looked at.
  public var local: Local?
  /// What looks wrong with the value by itself.
  public var alarms: [Alarm]

  /// Whether the operator by itself computes something else than the original does there.
  public var isSuspect: Bool { local.map { !$0.isWithin } ?? false }

  /// Whether its range is too small for these inputs.
  public var cutsOff: Bool { local?.cutsOff ?? false }

  /// The largest error in steps of the value's quantization.
  public var maxSteps: Double? { step.map { metrics.maxAbs / $0 } }
}

extension TensorType {
  /// The distance of neighbouring integers in real numbers; `nil` when there is no one distance.
  var step: Double? {
    guard let quantization, !quantization.isPerChannel, dtype.isInteger else { return nil }
    return Double(quantization.scale)
  }
}

/// Compares values between input and output that correspond, over all inputs.
struct Trace {
  private let original: Graph
  private let variant: Graph
  private let correspondence: Correspondence
  /// The original's values that have a counterpart.
  private let wanted: Set<ValueID>
  /// The original's values of the run under way.
  private(set) var kept: [ValueID: Tensor] = [:]
  /// The extents of the variant's values in the last run.
  private(set) var shapes: [ValueID: Shape] = [:]
  private var sums: [ValueID: ErrorSums] = [:]
  private var watches: [ValueID: Watch] = [:]
  private var locals: [ValueID: OperatorResult.Local] = [:]
  /// Values of the same name whose elements stand in another order: no counterparts after all.
  private var reordered: Set<ValueID> = []
  /// Whether a suspect holds the original's elements in another order.
  private var hasReorderedSuspects = false

  init(original: Graph, variant: Graph, _ correspondence: Correspondence) {
    self.original = original
    self.variant = variant
    self.correspondence = correspondence
    wanted = Set(correspondence.matches.values.map(\.original))
  }

  mutating func keep(_ id: ValueID, _ tensor: Tensor) {
    if wanted.contains(id) { kept[id] = tensor }
  }

  mutating func compare(_ id: ValueID, _ tensor: Tensor, isJudged: Bool) {
    shapes[id] = tensor.shape
    guard isJudged else { return }
    guard let reference = expected(id), reference.count == tensor.count else { return }
    let (a, b) = (reference.floats(), tensor.floats())
    guard a.count == b.count else { return }
    sums[id, default: ErrorSums()].add(reference: a, other: b)
    watches[id, default: Watch()].look(reference: a, other: b, tensor)
  }

  /// Whether an operator by itself does something else at a place where the canonical form of the
  /// original may be a finer ruler: several operators together, or elements in another order.
  var wantsFinerRuler: Bool {
    results.contains { $0.isSuspect && ($0.local?.nodes.count ?? 0) > 1 } || hasReorderedSuspects
  }

  /// What the original has at a value of the variant, in the variant's layout.
  func expected(_ id: ValueID) -> Tensor? {
    guard let match = correspondence.matches[id], let tensor = kept[match.original] else {
      return nil
    }
    return match.permutation.map { tensor.permuted($0) ?? tensor } ?? tensor
  }

  /// Looks at each operator by itself, with the original's values of the run under way; the worst of
  /// several runs counts.
  mutating func checkLocally(_ limits: Certificate.Limits, judgesRanges: Bool, threads: Int) {
    let check = localCheck(limits, kept, isStress: false, judgesRanges: judgesRanges, threads)
    let found = check.run(except: reordered)
    var results = found.results
    // A rewrite may keep a name and change the order of the elements, with the weights that follow. It
    // did if the operators behind it are sound once they are computed together with it.
    let candidates = found.reordered.filter { !variant.outputs.contains($0) }
    if !candidates.isEmpty {
      let together = check.run(except: reordered.union(candidates)).results
      let sound = candidates.filter { check.isSound(behind: $0, in: together) }
      if !sound.isEmpty {
        reordered.formUnion(sound)
        results = check.run(except: reordered).results
        for id in sound { locals[id] = nil }
      }
      hasReorderedSuspects = hasReorderedSuspects || sound.count < candidates.count
    }
    mergeLocals(results)
  }

  /// Looks at each operator by itself on seeded numbers that the original could hold there.
  mutating func stress(_ limits: Certificate.Limits, seed: UInt64, threads: Int) {
    let bounds = ValueBounds(original)
    for (round, strength) in [2, 400, 400].enumerated() {
      var rng = SeededRNG(seed: seed &+ UInt64(round))
      var numbers: [ValueID: Tensor] = [:]
      for id in kept.keys.sorted() {
        guard let tensor = kept[id] else { continue }
        let isNumber = tensor.dtype.isFloat || tensor.quantization != nil
        numbers[id] =
          isNumber
          ? bounds.stressed(id, like: tensor, strength: Float(strength), &rng) : tensor
      }
      let check = localCheck(limits, numbers, isStress: true, judgesRanges: false, threads)
      mergeLocals(check.run(except: reordered).results)
    }
  }

  private func localCheck(
    _ limits: Certificate.Limits,
    _ values: [ValueID: Tensor],
    isStress: Bool,
    judgesRanges: Bool,
    _ threads: Int
  ) -> LocalCheck {
    LocalCheck(
      original: original,
      variant: variant,
      correspondence: correspondence,
      kept: values,
      isStress: isStress,
      shapes: shapes,
      limits: limits,
      judgesRanges: judgesRanges,
      threads: threads
    )
  }

  private mutating func mergeLocals(_ results: [ValueID: OperatorResult.Local]) {
    locals.merge(results) { old, new in
      // What real values show is told before what stress shows.
      var worst = old.isWithin && !new.isWithin ? new : old
      worst.clipped = max(old.clipped, new.clipped)
      worst.cutsOff = old.cutsOff || new.cutsOff
      return worst
    }
  }

  /// Lets the original's values of one run go.
  mutating func forget() { kept = [:] }

  /// How much of the variant was looked at; what follows from constants alone is no part of a run.
  var coverage: Certificate.Coverage {
    let results = self.results
    var fixed = Set(
      variant.values.indices.map { ValueID($0) }.filter { variant[$0].constant != nil }
    )
    var operators: Set<String> = []
    for node in variant.nodes {
      if node.inputs.allSatisfy({ $0.map { fixed.contains($0) } ?? true }) {
        fixed.formUnion(node.outputs)
      } else {
        operators.insert(node.name)
      }
    }
    let alone = Set(results.flatMap { $0.local?.nodes ?? [] })
    return Certificate.Coverage(
      operators: operators.count,
      compared: operators.intersection(results.map(\.node)).count,
      alone: operators.intersection(alone).count
    )
  }

  /// The variant's nodes in order, as far as their results correspond to something.
  var results: [OperatorResult] {
    // The ratio at which a value that is not compared itself was last known.
    var ratios: [ValueID: Double] = [:]
    for id in variant.inputs { ratios[id] = sums[id]?.metrics.snrDb ?? .infinity }
    var results: [OperatorResult] = []
    for node in variant.nodes {
      let before = node.inputs.compactMap { $0.flatMap { ratios[$0] } }.min() ?? .infinity
      for output in node.outputs {
        guard !reordered.contains(output), let metrics = sums[output]?.metrics,
          let match = correspondence.matches[output]
        else {
          ratios[output] = before
          continue
        }
        // More than 100 dB is the rounding of float32 itself.
        let after = metrics.snrDb.isNaN ? 0 : min(metrics.snrDb, 100)
        ratios[output] = after
        results.append(
          OperatorResult(
            value: variant[output].name,
            node: node.name,
            op: node.op.name,
            original: original[match.original].name,
            evidence: match.evidence,
            metrics: metrics,
            step: variant[output].type.step,
            loss: max(min(before, 100) - max(after, -100), 0),
            local: locals[output],
            alarms: watches[output]?.alarms ?? []
          )
        )
      }
    }
    return results
  }
}
