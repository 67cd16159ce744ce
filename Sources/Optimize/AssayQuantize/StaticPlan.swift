import AssayBase
import AssayGraph
import AssayTensor

/// What becomes of each node and value of a float graph that is quantized to integers: which nodes
/// compute in 8 or 16 bits, and the scale of every value.
struct StaticPlan {
  /// How a node computes; `nil` for one that is left as it is (plain integers, truth values).
  private(set) var rules: [QuantizationRule?]
  /// The integers in which a node's values are, where it has a rule.
  private(set) var types: [DType]
  /// The integers that a value is made as; `nil` for one that is made as floats.
  private(set) var made: [DType?]
  private(set) var groups: ScaleGroups
  /// Inputs, by node and position, that take the scale of the node's output on the way in.
  private(set) var rescaled: Set<[Int]> = []
  /// Why nodes stay in floats, apart from those that the recipe keeps there.
  private(set) var diagnostics: [Diagnostic] = []
  /// Nodes that the recipe keeps out of integers.
  private(set) var kept: [Int] = []

  private var graph: Graph
  private let calibration: Calibration
  private let consumers: [ValueID: [Int]]

  /// - Parameter schemes: what happens to each node.
  init(_ graph: Graph, _ calibration: Calibration, _ recipe: Recipe, schemes: [Scheme]) {
    self.graph = graph
    self.calibration = calibration
    consumers = graph.consumers()
    rules = [QuantizationRule?](repeating: nil, count: graph.nodes.count)
    types = schemes.map { $0 == .int16x8 ? .int16 : .int8 }
    made = [DType?](repeating: nil, count: graph.values.count)
    groups = ScaleGroups(count: graph.values.count)
    for (index, value) in graph.values.enumerated() where value.constant == nil {
      if value.type.dtype == .float32, let range = calibration.ranges[value.name] {
        groups.widen(ValueID(index), by: range)
      }
    }
    if recipe.scheme.isStatic {
      for id in graph.inputs where graph[id].type.dtype == .float32 {
        made[id.index] = recipe.scheme == .int16x8 ? .int16 : .int8
      }
    }
    for (index, scheme) in schemes.enumerated() {
      if scheme.isStatic { plan(index) } else { keep(index) }
    }
  }

  private mutating func keep(_ index: Int) {
    let node = graph.nodes[index]
    if (node.inputs.compactMap { $0 } + node.outputs).contains(where: isFloat) {
      kept.append(index)
    }
  }

  private func isFloat(_ id: ValueID) -> Bool { graph[id].type.dtype == .float32 }

  private mutating func plan(_ index: Int) {
    let node = graph.nodes[index]
    let inputs = node.inputs.map { $0.map { graph[$0] } }
    // Arithmetic of plain integers and truth values has nothing to quantize.
    guard
      (inputs.compactMap { $0 } + node.outputs.map { graph[$0] })
        .contains(where: { $0.type.dtype == .float32 })
    else { return }
    guard let op = node.op as? any QuantizableOperator else {
      return keepFloat(index, "it has no 8-bit kernel")
    }
    let rule = op.quantizationRule(inputs)
    let data = quantizedInputs(rule, node)
    switch rule {
    case .float(let reason): return keepFloat(index, reason)
    case .shared where data.count <= 1:
      // Moving floats about is exact: the value is quantized where integers are needed.
      guard data.contains(where: isIntegerOrConstant) else { return }
      // Integers are moved as they are.
      if let type = data.first.flatMap({ made[$0.index] }) { types[index] = type }
    case .weighted, .independent, .fixed, .shared: break
    }
    guard data.allSatisfy({ graph[$0].type.dtype == .float32 }) else { return }
    if types[index] == .int16, let reason = op.int16Obstacle { return keepFloat(index, reason) }
    rules[index] = rule
    for output in node.outputs where graph[output].type.dtype == .float32 {
      made[output.index] = types[index]
      if case .fixed(_, let quantization) = rule {
        let isWide = types[index] == .int16
        groups.fix(output, isWide ? Quantization(scale: 1 / 32768, zeroPoint: 0) : quantization)
      }
    }
    if case .shared(let positions) = rule { share(index, positions) }
  }

  /// The values among a node's inputs that its rule makes integers; constants of filters are not.
  private func quantizedInputs(_ rule: QuantizationRule, _ node: Node) -> [ValueID] {
    switch rule {
    case .weighted: [0].compactMap { node.inputs[$0] }
    case .independent(let inputs, _), .fixed(let inputs, _), .shared(let inputs):
      inputs.compactMap { node.inputs.indices.contains($0) ? node.inputs[$0] : nil }
    case .float: []
    }
  }

  private func isIntegerOrConstant(_ id: ValueID) -> Bool {
    made[id.index] != nil || graph[id].constant != nil
  }

  private mutating func keepFloat(_ index: Int, _ reason: String) {
    let node = graph.nodes[index]
    diagnostics.append(
      Diagnostic(
        "QNT010",
        "'\(node.op.name)' stays in float32: \(reason)",
        at: ["node '\(node.name)'"],
        severity: .warning
      )
    )
  }

  /// Joins the scales of a node's operands with that of its outputs, where that costs nothing.
  ///
  /// An operand that others read too and whose own range is much narrower keeps its scale and is
  /// rescaled on the way in; so is one whose scale the specification fixes, unless that is the scale
  /// of all.
  private mutating func share(_ index: Int, _ positions: [Int]) {
    let node = graph.nodes[index]
    guard let output = node.outputs.first else { return }
    for other in node.outputs.dropFirst() { groups.join(output, other) }
    let operands = positions.compactMap { position in
      node.inputs.indices.contains(position) ? node.inputs[position].map { (position, $0) } : nil
    }
    let isOrder = (node.op as? Binary).map { $0.kind == .maximum || $0.kind == .minimum } ?? false
    if !isOrder {
      // Constants that pass through unchanged belong to the range; bounds of an order do not.
      for case (_, let operand) in operands {
        if let constant = graph[operand].constant { groups.widen(output, by: range(of: constant)) }
      }
    }
    let values = operands.filter { graph[$0.1].constant == nil }
    if values.count == 1, made[values[0].1.index] == types[index] {
      groups.join(values[0].1, output)
      return
    }
    let fixed = values.map { groups.fixed($0.1) }
    if let first = fixed.first, let first, fixed.allSatisfy({ $0 == first }),
      values.count == operands.count, values.allSatisfy({ made[$0.1.index] == types[index] })
    {
      for (_, operand) in values { groups.join(operand, output) }
      return
    }
    for (position, operand) in values {
      let isFree = groups.fixed(operand) == nil && made[operand.index] == types[index]
      if isFree, isOnlyReadBy(index, operand) || fills(operand, output) {
        groups.join(output, operand)
      } else {
        rescaled.insert([index, position])
      }
    }
  }

  private func isOnlyReadBy(_ node: Int, _ id: ValueID) -> Bool {
    (consumers[id] ?? []).allSatisfy { $0 == node } && !graph.outputs.contains(id)
  }

  /// Whether a value's range is at least half of that of `output`: joining costs at most one bit.
  private func fills(_ id: ValueID, _ output: ValueID) -> Bool {
    guard let own = groups.range(id), let whole = groups.range(output) else { return false }
    func length(_ range: Calibration.Range) -> Float { max(range.high, 0) - min(range.low, 0) }
    return length(own) >= 0.5 * max(length(whole), length(own.union(whole)))
  }

  private func range(of constant: Tensor) -> Calibration.Range {
    var result = Calibration.Range(0, 0)
    for value in constant.floats() {
      result.low = min(result.low, value)
      result.high = max(result.high, value)
    }
    return result
  }

  /// The same plan for a network of other weights, whose groups of values have other ranges.
  func with(_ graph: Graph, ranges: [Int: Calibration.Range]) -> StaticPlan {
    var plan = self
    plan.graph = graph
    for (group, range) in ranges { plan.groups.setRange(group, range) }
    return plan
  }

  /// The quantization of a value in integers of this type.
  ///
  /// - Throws: `Diagnostic` QNT004 when calibration has not seen it, QNT005 when it was not finite.
  func quantization(_ id: ValueID, _ dtype: DType) throws -> Quantization {
    let name = graph[id].name
    if let seen = calibration.ranges[name], seen.faults > 0 {
      throw Diagnostic(
        "QNT005",
        "the value is NaN or infinite on representative data (\(seen.faults) elements)",
        at: ["value '\(name)'"],
        remedy: "check the model and its preprocessing with assay run"
      )
    }
    guard let quantization = groups.quantization(id, dtype, made: made[id.index]) else {
      throw Diagnostic(
        "QNT004",
        "calibration has no range of this value",
        at: ["value '\(name)'"],
        remedy: "calibrate the graph that is quantized, with at least one sample"
      )
    }
    return quantization
  }
}
