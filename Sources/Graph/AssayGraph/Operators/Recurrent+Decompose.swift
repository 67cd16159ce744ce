import AssayBase
import AssayTensor

extension Recurrent: DecomposableOperator {
  /// The most steps that are written one after the other.
  private static let mostSteps = 4096

  /// The layer written out step by step: one product for the inputs of all steps, then for each step
  /// one with the state, the gates and the new state.
  ///
  /// Formats whose recurrent operator keeps its state from one run to the next (TensorFlow Lite)
  /// cannot hold a layer that begins anew.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(Input.sequence.rawValue, of: node)
    let shape = graph.type(x).shape
    let weights = try graph.input(Input.weights.rawValue, of: node)
    let recurrent = try graph.input(Input.recurrentWeights.rawValue, of: node)
    func optional(_ input: Input) -> ValueID? {
      node.inputs.indices.contains(input.rawValue) ? node.inputs[input.rawValue] : nil
    }
    let (batch, steps) = (shape[0], shape[1])
    let rows = graph.type(weights).shape[0]
    let units = rows / cell.gates
    let outputs = graph.type(recurrent).shape[1]
    guard shape.isStatic, steps > 0, steps <= Self.mostSteps, batch > 0 else {
      throw Diagnostic("GRF003", "\(steps) steps cannot be written one after the other")
    }
    // The bias of the recurrent product may stand with that of the input, except for a candidate
    // that the reset gate scales.
    var step = StepWriter(self, units: units, batch: batch, recurrent: recurrent)
    let flat = try graph.add(Reshape([batch * steps, shape[2]]), [x])
    var projected = try graph.add(
      FullyConnected(),
      [flat, weights] + (optional(.bias).map { [$0] } ?? [])
    )
    if let bias = optional(.recurrentBias) {
      if cell == .gru, resetsAfter {
        step.recurrentBias = bias
      } else {
        projected = try graph.add(Binary(.add), [projected, bias])
      }
    }
    projected = try graph.add(Reshape([batch, steps, rows]), [projected])
    let inputs = try graph.addAll(
      Split(axis: 1, sizes: [Int](repeating: 1, count: steps)),
      [projected]
    )
    step.peepholes = try optional(.peepholes).map {
      try graph.addAll(Split(axis: 0, sizes: [units, units, units]), [$0])
    }
    step.projection = optional(.projection)
    step.projectionBias = optional(.projectionBias)
    let masks = try optional(.mask).map { mask in
      var truth = mask
      if graph.type(mask).dtype != .bool {
        let zero = Tensor([Float(0)], []).converted(to: graph.type(mask).dtype)
        let number = zero.map { graph.addConstant("none", $0) }
        truth = try graph.add(Binary(.notEqual), [mask, number])
      }
      return try graph.addAll(Split(axis: 1, sizes: [Int](repeating: 1, count: steps)), [truth])
    }

    func start(_ input: Input, _ count: Int) -> ValueID {
      optional(input)
        ?? graph.addConstant(
          "start",
          Tensor([Float](repeating: 0, count: batch * count), [batch, count])
        )
    }
    var h = start(.initialOutput, outputs)
    var c = cell == .lstm ? start(.initialCell, units) : nil
    let zeros =
      masks == nil
      ? nil
      : graph.addConstant(
        "zeros",
        Tensor([Float](repeating: 0, count: batch * outputs), [batch, outputs])
      )
    var given = zeros
    var results = [ValueID?](repeating: nil, count: steps)
    for index in 0..<steps {
      let t = isReversed ? steps - 1 - index : index
      let input = try graph.add(Reshape([batch, rows]), [inputs[t]])
      let (newOutput, newCell) = try step.write(input, h, c, into: &graph)
      if let masks, let zeros {
        given = try graph.add(
          Select(),
          [masks[t], newOutput, zerosMaskedOutputs ? zeros : given ?? zeros]
        )
        h = try graph.add(Select(), [masks[t], newOutput, h])
        if let old = c, let newCell { c = try graph.add(Select(), [masks[t], newCell, old]) }
      } else {
        (h, c, given) = (newOutput, newCell, newOutput)
      }
      results[t] = try graph.add(Reshape([batch, 1, outputs]), [given])
    }
    if graph.isUsed(0, of: node) || node.outputs.count == 1 {
      if steps == 1 {
        try graph.finish(Reshape([batch, 1, outputs]), [given], node)
      } else {
        try graph.finish(Concat(axis: 1), results, node)
      }
    }
    if node.outputs.count > 1 {
      try graph.finish(Reshape([batch, outputs]), [h], node, output: 1)
    }
    if node.outputs.count > 2, let c {
      try graph.finish(Reshape([batch, units]), [c], node, output: 2)
    }
  }
}

/// Writes one step of a recurrent layer.
private struct StepWriter {
  let op: Recurrent
  let units: Int
  let batch: Int
  let recurrent: ValueID
  var recurrentBias: ValueID?
  /// Weights of the cell state for the input, forget and output gates.
  var peepholes: [ValueID]?
  var projection: ValueID?
  var projectionBias: ValueID?

  init(_ op: Recurrent, units: Int, batch: Int, recurrent: ValueID) {
    self.op = op
    self.units = units
    self.batch = batch
    self.recurrent = recurrent
  }

  /// The new output, and the new cell state of an LSTM.
  mutating func write(
    _ x: ValueID,
    _ h: ValueID,
    _ c: ValueID?,
    into graph: inout Decomposition
  ) throws -> (ValueID, ValueID?) {
    switch op.cell {
    case .lstm:
      guard let c else { throw Diagnostic("GRF001", "an LSTM without a cell state") }
      return try lstm(x, h, c, &graph)
    case .gru: return (try gru(x, h, &graph), nil)
    case .simple:
      let product = try product(h, recurrentBias, &graph)
      let sum = try graph.add(Binary(.add), [x, product])
      return (try apply(op.activation, sum, &graph), nil)
    }
  }

  private func product(
    _ h: ValueID,
    _ bias: ValueID?,
    _ graph: inout Decomposition
  ) throws -> ValueID {
    try graph.add(FullyConnected(), [h, recurrent] + (bias.map { [$0] } ?? []))
  }

  private func lstm(
    _ x: ValueID,
    _ h: ValueID,
    _ c: ValueID,
    _ graph: inout Decomposition
  ) throws -> (ValueID, ValueID?) {
    let product = try product(h, recurrentBias, &graph)
    let sum = try graph.add(Binary(.add), [x, product])
    let parts = try graph.addAll(
      Split(axis: 1, sizes: [units, units, units, units]),
      [sum]
    )
    func peeped(_ gate: ValueID, _ index: Int, _ state: ValueID) throws -> ValueID {
      guard let peepholes else { return gate }
      let seen = try graph.add(Binary(.multiply), [state, peepholes[index]])
      return try graph.add(Binary(.add), [gate, seen])
    }
    func gate(_ index: Int) throws -> ValueID {
      try apply(op.recurrentActivation, try peeped(parts[index], index, c), &graph)
    }
    func complement(_ gate: ValueID) throws -> ValueID {
      let one = graph.addConstant("one", Tensor([Float(1)], []))
      return try graph.add(Binary(.subtract), [one, gate])
    }
    let (input, forget): (ValueID, ValueID)
    switch op.coupling {
    case .none: (input, forget) = (try gate(0), try gate(1))
    case .inputFollowsForget:
      forget = try gate(1)
      input = try complement(forget)
    case .forgetFollowsInput:
      input = try gate(0)
      forget = try complement(input)
    }
    let candidate = try apply(op.activation, parts[2], &graph)
    let kept = try graph.add(Binary(.multiply), [forget, c])
    let added = try graph.add(Binary(.multiply), [input, candidate])
    var state = try graph.add(Binary(.add), [kept, added])
    state = try clipped(state, op.cellClip, &graph)
    let output = try apply(op.recurrentActivation, try peeped(parts[3], 2, state), &graph)
    let shown = try applied(op.outputActivation, state, &graph)
    var result = try graph.add(Binary(.multiply), [output, shown])
    if let projection {
      result = try graph.add(
        FullyConnected(),
        [result, projection] + (projectionBias.map { [$0] } ?? [])
      )
      result = try clipped(result, op.projectionClip, &graph)
    }
    return (result, state)
  }

  private func gru(
    _ x: ValueID,
    _ h: ValueID,
    _ graph: inout Decomposition
  ) throws -> ValueID {
    let sizes = [units, units, units]
    let inputs = try graph.addAll(Split(axis: 1, sizes: sizes), [x])
    let gates: (update: ValueID, reset: ValueID)
    let candidate: ValueID
    if op.resetsAfter {
      let product = try product(h, recurrentBias, &graph)
      let parts = try graph.addAll(Split(axis: 1, sizes: sizes), [product])
      gates = try self.gates(inputs, parts, &graph)
      let scaled = try graph.add(Binary(.multiply), [gates.reset, parts[2]])
      candidate = try graph.add(Binary(.add), [inputs[2], scaled])
    } else {
      let rows = try graph.addAll(Split(axis: 0, sizes: sizes), [recurrent])
      let update = try graph.add(FullyConnected(), [h, rows[0]])
      let reset = try graph.add(FullyConnected(), [h, rows[1]])
      gates = try self.gates(inputs, [update, reset], &graph)
      let scaled = try graph.add(Binary(.multiply), [gates.reset, h])
      let product = try graph.add(FullyConnected(), [scaled, rows[2]])
      candidate = try graph.add(Binary(.add), [inputs[2], product])
    }
    let new = try apply(op.activation, candidate, &graph)
    // z * h + (1 - z) * n, with one product less.
    let change = try graph.add(Binary(.subtract), [h, new])
    let part = try graph.add(Binary(.multiply), [gates.update, change])
    return try graph.add(Binary(.add), [new, part])
  }

  private func gates(
    _ inputs: [ValueID],
    _ parts: [ValueID],
    _ graph: inout Decomposition
  ) throws -> (update: ValueID, reset: ValueID) {
    let update = try graph.add(Binary(.add), [inputs[0], parts[0]])
    let reset = try graph.add(Binary(.add), [inputs[1], parts[1]])
    return (
      try apply(op.recurrentActivation, update, &graph),
      try apply(op.recurrentActivation, reset, &graph)
    )
  }

  private func clipped(
    _ x: ValueID,
    _ bound: Float?,
    _ graph: inout Decomposition
  ) throws -> ValueID {
    guard let bound, bound > 0 else { return x }
    let high = graph.addConstant("bound", Tensor([bound], []))
    let low = graph.addConstant("bound", Tensor([-bound], []))
    let below = try graph.add(Binary(.minimum), [x, high])
    return try graph.add(Binary(.maximum), [below, low])
  }

  /// A gate's function, on what the clip of its sum leaves.
  private func apply(
    _ function: RecurrentFunction,
    _ x: ValueID,
    _ graph: inout Decomposition
  ) throws -> ValueID {
    try applied(function, try clipped(x, op.gateClip, &graph), &graph)
  }

  private func applied(
    _ function: RecurrentFunction,
    _ x: ValueID,
    _ graph: inout Decomposition
  ) throws -> ValueID {
    let plain: Unary.Kind? =
      switch function.kind {
      case .sigmoid: .sigmoid
      case .tanh: .tanh
      case .relu: .relu
      case .relu6: .relu6
      case .reluN1To1: .reluN1To1
      case .exponential: .exp
      case .gelu: .gelu
      case .geluApproximate: .geluApproximate
      case .hardSwish: .hardSwish
      case .elu: function.alpha == 1 ? .elu : nil
      default: nil
      }
    if let plain { return try graph.add(Unary(plain), [x]) }
    func number(_ value: Float) -> ValueID { graph.addConstant("number", Tensor([value], [])) }
    switch function.kind {
    case .linear: return x
    case .leakyReLU: return try graph.add(LeakyReLU(alpha: function.alpha), [x])
    case .silu:
      let gate = try graph.add(Unary(.sigmoid), [x])
      return try graph.add(Binary(.multiply), [x, gate])
    case .affine, .hardSigmoid:
      var y = try graph.add(Binary(.multiply), [x, number(function.alpha)])
      y = try graph.add(Binary(.add), [y, number(function.beta)])
      guard function.kind == .hardSigmoid else { return y }
      y = try graph.add(Binary(.minimum), [y, number(1)])
      return try graph.add(Unary(.relu), [y])
    case .scaledTanh:
      let inner = try graph.add(Binary(.multiply), [x, number(function.beta)])
      let value = try graph.add(Unary(.tanh), [inner])
      return try graph.add(Binary(.multiply), [value, number(function.alpha)])
    case .softsign:
      let size = try graph.add(Unary(.abs), [x])
      let sum = try graph.add(Binary(.add), [size, number(1)])
      return try graph.add(Binary(.divide), [x, sum])
    default:
      throw Diagnostic("GRF003", "the function \(function.text) cannot be written out")
    }
  }
}
