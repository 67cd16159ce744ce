import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor

/// Computes every operator of a variant on the original's values of its inputs.
///
/// An error that an operator only passes on is then not its own, so that the first operator that does
/// something else stands out however deep the network is and however much quantization noise the
/// operators before it have made.
///
/// Where values are integers, the original's operators are computed anew on what the integers can say of
/// the inputs, and what lies beyond the range of the result is cut off on both sides: what is left is the
/// rounding of weights and result. How much a range cuts off is told beside it.
///
/// With `stress` both networks' operators get seeded numbers in the place of the values of the run, as far
/// as the original can hold such numbers there: an upper bound that no value of this run reaches is tried
/// all the same.
struct LocalCheck {
  let original: Graph
  let variant: Graph
  let correspondence: Correspondence
  /// The original's values of a run, or what stands for them.
  let kept: [ValueID: Tensor]
  /// Whether `kept` are numbers of no run, so that results follow only from computing them anew.
  let isStress: Bool
  /// The extents of the variant's values in that run.
  let shapes: [ValueID: Shape]
  let limits: Certificate.Limits
  /// Whether the inputs are such that a range should hold what they lead to.
  let judgesRanges: Bool
  let threads: Int

  /// Elements that one evaluation holds at most: they are all alive at once.
  private static let mostElements = 1 << 25

  /// Judgements by value.
  struct Findings {
    var results: [ValueID: OperatorResult.Local] = [:]
    /// The values that hold the original's elements in another order.
    var reordered: Set<ValueID> = []
  }

  /// Judges each value that has a counterpart and that a node makes.
  ///
  /// - Parameter unknown: values that are taken to have no counterpart.
  func run(except unknown: Set<ValueID>) -> Findings {
    let known = Set(variant.computed.filter { !unknown.contains($0) && expected($0) != nil })
    let makers = (original: original.producers(), variant: variant.producers())
    var findings = Findings()
    var group: [Segment] = []
    var elements = 0
    func flush() {
      // What cannot be computed by itself is only left without a judgement of its own.
      if (try? evaluate(group, makers.original, &findings)) == nil, group.count > 1 {
        for segment in group { try? evaluate([segment], makers.original, &findings) }
      }
      group = []
      elements = 0
    }
    for index in variant.nodes.indices {
      guard let segment = variant.segment(at: index, between: known, makers.variant) else {
        continue
      }
      group.append(segment)
      elements += (segment.boundary + segment.outputs).reduce(0) { $0 + (shapes[$1]?.count ?? 0) }
      if elements > Self.mostElements { flush() }
    }
    if !group.isEmpty { flush() }
    return findings
  }

  /// Whether everything that was computed together with the maker of a value is sound.
  func isSound(behind id: ValueID, in results: [ValueID: OperatorResult.Local]) -> Bool {
    guard let maker = variant.nodes.first(where: { $0.outputs.contains(id) }) else { return false }
    let behind = results.values.filter { $0.nodes.contains(maker.name) }
    return !behind.isEmpty && behind.allSatisfy(\.isWithin)
  }

  /// What the original has at a value of the variant, in the variant's layout.
  private func expected(_ id: ValueID) -> Tensor? {
    guard let match = correspondence.matches[id], let tensor = kept[match.original] else {
      return nil
    }
    return match.permutation.map { tensor.permuted($0) ?? tensor } ?? tensor
  }

  private func evaluate(
    _ segments: [Segment],
    _ makers: [ValueID: Int],
    _ findings: inout Findings
  ) throws {
    let part = variant.part(segments, shapes: shapes)
    var inputs: [String: Tensor] = [:]
    var fed: [ValueID: Tensor] = [:]
    for input in part.inputs {
      guard let tensor = expected(input.value) else { continue }
      let shape = shapes[input.value] ?? tensor.shape
      let shaped = tensor.count == shape.count ? tensor.reshaped(shape) : tensor
      let fitted = fitted(shaped, to: variant[input.value].type)
      inputs[input.name] = fitted
      fed[input.value] = fitted
    }
    let found = try Evaluator(part.graph, threads: threads).run(inputs)
    let renewed = isStress ? segments : segments.filter(isQuantized)
    let anew = (try? recomputed(renewed, fed, makers)) ?? [:]
    for (output, result) in zip(part.outputs, found) {
      guard let reference = expected(output.value), result.tensor.count == reference.count
      else { continue }
      let given = reference.floats()
      let renewed = anew[output.value].flatMap { $0.count == given.count ? $0 : nil }
      if renewed == nil, isStress { continue }
      let truth = renewed ?? given
      let local = judged(
        reference: given,
        truth,
        result.tensor,
        segments[output.segment],
        output.value
      )
      findings.results[output.value] = local
      if !local.isWithin, movesElements(segments[output.segment], output.value),
        isReordered(truth, result.tensor.floats())
      {
        findings.reordered.insert(output.value)
      }
    }
  }

  /// Whether a value is made by an operator behind which a rewrite may have moved an order of axes, in a
  /// run whose numbers are all different.
  private func movesElements(_ segment: Segment, _ value: ValueID) -> Bool {
    guard judgesRanges, !isStress,
      let maker = segment.nodes.last(where: { variant.nodes[$0].outputs.contains(value) })
    else { return false }
    return variant.nodes[maker].op is Reshape || variant.nodes[maker].op is Transpose
  }

  /// Whether two arrays hold the same elements, up to rounding.
  private func isReordered(_ a: [Float], _ b: [Float]) -> Bool {
    compareTensors(reference: a.sorted(), other: b.sorted()).relative < 1e-4
  }

  /// What an operator of the variant reads when the original's value is there.
  private func fitted(_ tensor: Tensor, to type: TensorType) -> Tensor {
    let plain = tensor.quantization == nil ? tensor : Tensor(tensor.floats(), tensor.shape)
    if plain.dtype == type.dtype, type.quantization == nil { return plain }
    return plain.converted(to: type.dtype, quantization: type.quantization) ?? plain
  }

  private func isQuantized(_ segment: Segment) -> Bool {
    (segment.boundary + segment.outputs).contains { variant[$0].type.quantization != nil }
  }

  // MARK: The original on the same inputs

  /// The original's results for the inputs that the variant's operators were given, by the variant's
  /// value and in its layout.
  private func recomputed(
    _ segments: [Segment],
    _ fed: [ValueID: Tensor],
    _ makers: [ValueID: Int]
  ) throws -> [ValueID: [Float]] {
    var results: [ValueID: [Float]] = [:]
    var cuts: [(segment: Segment, value: ValueID)] = []
    var sources: [[ValueID: Tensor]] = []
    for segment in segments {
      var arrays: [ValueID: Tensor] = [:]
      for id in segment.boundary {
        guard let match = correspondence.matches[id], let tensor = fed[id] else { continue }
        let floats = Tensor(tensor.floats(), tensor.shape)
        let back = match.permutation.map(inverse)
        arrays[match.original] = back.flatMap { floats.permuted($0) } ?? floats
      }
      for output in segment.outputs {
        guard let match = correspondence.matches[output] else { continue }
        if let same = segment.boundary.first(where: {
          correspondence.matches[$0]?.original == match.original
        }) {
          // Nothing is computed here: a change of type or shape.
          results[output] = fed[same]?.floats()
          continue
        }
        let known = Set(arrays.keys).union([match.original])
        guard let maker = makers[match.original],
          var cut = original.segment(at: maker, between: known, makers),
          cut.boundary.allSatisfy({ arrays[$0] != nil })
        else { continue }
        cut.outputs = [match.original]
        cuts.append((cut, output))
        sources.append(arrays)
      }
    }
    guard !cuts.isEmpty else { return results }
    let part = original.part(
      cuts.map(\.segment),
      shapes: kept.mapValues(\.shape),
      isShared: false
    )
    var inputs: [String: Tensor] = [:]
    for input in part.inputs {
      guard let tensor = sources[input.segment][input.value] else { continue }
      let type = original[input.value].type
      let shape = kept[input.value]?.shape ?? tensor.shape
      let shaped = tensor.count == shape.count ? tensor.reshaped(shape) : tensor
      inputs[input.name] = fitted(shaped, to: type)
    }
    let found = try Evaluator(part.graph, threads: threads).run(inputs)
    for (output, result) in zip(part.outputs, found) {
      let value = cuts[output.segment].value
      let axes = correspondence.matches[value]?.permutation
      results[value] = (axes.flatMap { result.tensor.permuted($0) } ?? result.tensor).floats()
    }
    return results
  }

  private func inverse(_ permutation: [Int]) -> [Int] {
    var result = permutation
    for (to, from) in permutation.enumerated() { result[from] = to }
    return result
  }

  // MARK: Judgement

  private func judged(
    reference: [Float],
    _ truth: [Float],
    _ result: Tensor,
    _ segment: Segment,
    _ value: ValueID
  ) -> OperatorResult.Local {
    let other = result.floats()
    let metrics = compareTensors(reference: cutOff(truth, variant[value].type), other: other)
    let tolerance = tolerance(of: segment)
    var isWithin = tolerance.accepts(metrics)
    if case .snrDb = tolerance {
      // Small values of a coarse scale: the rounding of its own result, and nothing beside it.
      let isRounding = metrics.rms <= 0.75 * (variant[value].type.step ?? 0)
      isWithin = isRounding || isWithin && follows(truth, other, variant[value].type)
    }
    var watch = Watch()
    watch.lookForNaN(reference: truth, other: other)
    let cut = judgesRanges ? cut(reference, variant[value].type) : (part: 0, isLarge: false)
    return OperatorResult.Local(
      metrics: metrics,
      tolerance: tolerance,
      isWithin: isWithin && watch.alarms.isEmpty,
      clipped: cut.part,
      cutsOff: cut.isLarge,
      nodes: segment.nodes.map { variant.nodes[$0].name }
    )
  }

  /// Whether a result goes up and down with the truth in its channels: a large bias hides all else in a
  /// plain ratio.
  private func follows(_ truth: [Float], _ other: [Float], _ type: TensorType) -> Bool {
    let channels = type.shape[-1]
    guard judgesRanges, let step = type.step, type.shape.rank > 2, channels > 0,
      truth.count / channels >= 16
    else { return true }
    var means = [(Float, Float)](repeating: (0, 0), count: channels)
    for index in truth.indices {
      means[index % channels].0 += truth[index]
      means[index % channels].1 += other[index]
    }
    let count = Float(truth.count / channels)
    var sums = ErrorSums()
    sums.add(
      reference: truth.indices.map { truth[$0] - means[$0 % channels].0 / count },
      other: other.indices.map { other[$0] - means[$0 % channels].1 / count }
    )
    let (signal, metrics) = (sums.referenceRMS, sums.metrics)
    return signal < 2 * step || metrics.snrDb >= 8
  }

  /// The part of real numbers that a type cannot hold, and whether it is large.
  private func cut(_ values: [Float], _ type: TensorType) -> (part: Double, isLarge: Bool) {
    guard let step = type.step, !values.isEmpty else { return (0, false) }
    let held = cutOff(values, type)
    var count = 0
    for (value, other) in zip(values, held) where Double((value - other).magnitude) > step {
      count += 1
    }
    let part = Double(count) / Double(values.count)
    // Few but great ones cost as much as many small ones.
    let ratio = compareTensors(reference: values, other: held).snrDb
    return (part, part > 0.01 || count > 0 && ratio < 22)
  }

  /// Real numbers as far as a type can hold them.
  private func cutOff(_ values: [Float], _ type: TensorType) -> [Float] {
    guard let quantization = type.quantization, !quantization.isPerChannel,
      type.dtype.bitWidth <= 16, let range = type.dtype.integerRange
    else { return values }
    let low = quantization.dequantize(range.lowerBound)
    let high = quantization.dequantize(range.upperBound)
    return values.map { $0.isNaN ? $0 : min(max($0, low), high) }
  }

  private func tolerance(of segment: Segment) -> Certificate.Tolerance {
    let used = segment.nodes.flatMap { index in
      variant.nodes[index].inputs.compactMap { $0 } + variant.nodes[index].outputs
    }
    let types = used.map { variant[$0].type }
    if types.contains(where: { $0.quantization != nil }) { return .snrDb(leastSNR(used)) }
    if types.contains(where: { $0.dtype == .float16 || $0.dtype == .bfloat16 }) {
      return .snrDb(50)
    }
    return .relative(max(limits.relative, 1e-4))
  }

  /// Decibels that an operator with these values keeps of its result, its inputs being exact.
  ///
  /// Sound ones keep about 40. The rounding of its weights is what costs most: with one scale for
  /// channels of very different size it may leave much less, so that the limit follows from them.
  private func leastSNR(_ values: [ValueID]) -> Double {
    var least = 26.0
    for id in Set(values) {
      guard let constant = variant[id].constant, let quantization = constant.quantization,
        constant.dtype.bitWidth <= 8, constant.count > 0
      else { continue }
      let power = constant.floats().reduce(0) { $0 + Double($1) * Double($1) }
      let steps = quantization.scales.reduce(0) { $0 + Double($1) * Double($1) }
      let noise = steps / Double(max(quantization.scales.count, 1)) / 12
      guard power > 0, noise > 0 else { continue }
      least = min(least, 10 * logarithm10(power / Double(constant.count) / noise) - 12)
    }
    return max(least, 6)
  }
}

/// The nodes between values that are known, and what they make.
struct Segment {
  var nodes: [Int]
  var boundary: [ValueID]
  var outputs: [ValueID]
}

extension Graph {
  /// The nodes that lie between values that are known and the results of one node, if one of these is
  /// known.
  func segment(at index: Int, between known: Set<ValueID>, _ makers: [ValueID: Int]) -> Segment? {
    let outputs = nodes[index].outputs.filter { known.contains($0) }
    guard !outputs.isEmpty else { return nil }
    var inside: Set<Int> = [index]
    var boundary: [ValueID] = []
    var seen: Set<ValueID> = []
    var pending = nodes[index].inputs.compactMap { $0 }
    while let id = pending.popLast() {
      guard seen.insert(id).inserted, self[id].constant == nil else { continue }
      if known.contains(id) {
        boundary.append(id)
      } else if let maker = makers[id] {
        if inside.insert(maker).inserted { pending += nodes[maker].inputs.compactMap { $0 } }
      } else {
        return nil
      }
    }
    // What depends on constants alone was not made by a run of these inputs.
    guard !boundary.isEmpty else { return nil }
    return Segment(nodes: inside.sorted(), boundary: boundary.sorted(), outputs: outputs)
  }

  /// A graph of segments, side by side, that reads the values at their boundaries as inputs.
  ///
  /// - Parameter isShared: whether segments that read the same value read the same input.
  func part(
    _ segments: [Segment],
    shapes: [ValueID: Shape],
    isShared: Bool = true
  ) -> GraphPart {
    var part = GraphPart(graph: Graph(name: name))
    var constants: [ValueID: ValueID] = [:]
    var shared: [ValueID: ValueID] = [:]
    var names = UniqueNames()
    for (number, segment) in segments.enumerated() {
      var inner: [ValueID: ValueID] = isShared ? shared : [:]
      for id in segment.boundary where inner[id] == nil {
        var type = self[id].type
        type.shape = shapes[id] ?? type.shape
        let name = names.unique(self[id].name)
        inner[id] = part.graph.addInput(name, type)
        part.inputs.append((number, id, name))
      }
      if isShared { shared = inner }
      for index in segment.nodes {
        let node = nodes[index]
        let read = node.inputs.map { id -> ValueID? in
          guard let id else { return nil }
          if let made = inner[id] ?? constants[id] { return made }
          let constant = part.graph.add(self[id])
          constants[id] = constant
          return constant
        }
        let made = node.outputs.map { id in
          var value = self[id]
          value.type.shape = shapes[id] ?? value.type.shape
          let new = part.graph.add(value)
          inner[id] = new
          return new
        }
        part.graph.nodes.append(Node(name: node.name, op: node.op, inputs: read, outputs: made))
      }
      for id in segment.outputs {
        guard let made = inner[id] else { continue }
        part.graph.outputs.append(made)
        part.outputs.append((number, id))
      }
    }
    return part
  }
}

/// Segments of a graph as a graph of their own.
struct GraphPart {
  var graph: Graph
  /// The inputs: of which segment, the value of the whole graph, and the name here.
  var inputs: [(segment: Int, value: ValueID, name: String)] = []
  /// The outputs in the part's order: of which segment, and the value of the whole graph.
  var outputs: [(segment: Int, value: ValueID)] = []
}
