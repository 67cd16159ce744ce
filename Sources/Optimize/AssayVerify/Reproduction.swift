import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor

/// One operator of a variant as a network of its own, with inputs on which it computes something else
/// than the original does at the same place.
public struct Reproduction: Sendable {
  /// The operator, alone.
  public var variant: Graph
  /// What the original has between the same values; `nil` when it cannot be cut out.
  public var original: Graph?
  /// What the operator reads: the original's values there, under the names of `variant`'s inputs.
  public var inputs: [(name: String, tensor: Tensor)]
  /// The same under the names of `original`'s inputs.
  public var originalInputs: [(name: String, tensor: Tensor)]
  /// What the original makes of them.
  public var expected: [(name: String, tensor: Tensor)]
  /// What the operator makes of them.
  public var found: [(name: String, tensor: Tensor)]

  /// Cuts out the operator that makes a value, with the values of a run of the original.
  ///
  /// - Parameters:
  ///   - value: the name of the value in the variant (`OperatorResult.value`).
  ///   - inputs: arrays by the original's input names; the first sample is taken.
  /// - Throws: `Diagnostic` VFY003 when the operator cannot be computed by itself.
  public init(
    of value: String,
    original: Graph,
    variant: Graph,
    inputs: [String: Tensor],
    threads: Int = 1
  ) throws {
    let correspondence = try Correspondence(original: original, variant: variant)
    var trace = Trace(original: original, variant: variant, correspondence)
    let probe = Probe(name: "inputs", arrays: inputs)
    guard let set = probe.samples(for: original).first else {
      throw Diagnostic("VFY003", "there are no inputs")
    }
    _ = try Evaluator(original, threads: threads).run(set) { trace.keep($0, $1) }
    let known = Set(variant.computed.filter { trace.expected($0) != nil })
    let makers = variant.producers()
    guard
      let index = variant.nodes.firstIndex(where: { node in
        node.outputs.contains { variant[$0].name == value }
      }),
      let segment = variant.segment(at: index, between: known, makers)
    else {
      throw Diagnostic("VFY003", "the operator that makes '\(value)' cannot be cut out")
    }
    var shapes: [ValueID: Shape] = [:]
    for id in known { shapes[id] = trace.expected(id)?.shape }
    // Shapes are the variant's own where those are known; the original's may be grouped differently.
    for id in known where variant[id].type.shape.isStatic { shapes[id] = variant[id].type.shape }
    let part = variant.part([segment], shapes: shapes)
    self.variant = part.graph
    self.inputs = try part.inputs.compactMap { _, id, name in
      guard let tensor = trace.expected(id) else { return nil }
      var type = variant[id].type
      type.shape = shapes[id] ?? type.shape
      let plain = tensor.quantization == nil ? tensor : Tensor(tensor.floats(), tensor.shape)
      let shaped = plain.count == type.shape.count ? plain.reshaped(type.shape) : plain
      return (name, try bind([name: shaped], to: [(name, type)])[0])
    }
    let arrays = Dictionary(self.inputs.map { ($0.name, $0.tensor) }) { first, _ in first }
    found = try Evaluator(part.graph, threads: threads).run(arrays)
    expected = part.outputs.compactMap { entry in
      trace.expected(entry.value).map { (variant[entry.value].name, $0) }
    }
    (self.original, originalInputs) = Self.cut(original, segment, correspondence, trace)
  }

  /// The original's nodes between the counterparts of a segment's ends.
  private static func cut(
    _ original: Graph,
    _ segment: Segment,
    _ correspondence: Correspondence,
    _ trace: Trace
  ) -> (graph: Graph?, inputs: [(name: String, tensor: Tensor)]) {
    let ends = segment.boundary.compactMap { correspondence.matches[$0]?.original }
    let results = segment.outputs.compactMap { correspondence.matches[$0]?.original }
    let known = Set(ends).union(results)
    let shapes = trace.kept.mapValues(\.shape)
    let makers = original.producers()
    let segments = Set(results.compactMap { makers[$0] }).sorted().compactMap { index in
      original.segment(at: index, between: known, makers)
    }
    guard !segments.isEmpty else { return (nil, []) }
    let part = original.part(segments, shapes: shapes)
    let inputs = part.inputs.compactMap { _, id, name in trace.kept[id].map { (name, $0) } }
    return inputs.count == part.inputs.count ? (part.graph, inputs) : (nil, [])
  }
}
