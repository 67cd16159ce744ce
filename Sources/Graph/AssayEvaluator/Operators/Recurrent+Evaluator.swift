import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Recurrent: EvaluatedOperator {
  /// One dense product for the whole sequence, then a small one for each step.
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let runner = try RecurrentRunner(self, builder)
    return { runner.run() }
  }
}

/// A recurrent layer over one set of places.
private final class RecurrentRunner {
  /// The packed weights of a layer.
  struct Weights {
    var input: PackedFilter
    var recurrent: PackedFilter
    /// The candidate's recurrent weights, where they multiply another vector than the gates'.
    var candidate: PackedFilter?
    var projection: PackedFilter?
  }

  private let op: Recurrent
  private let context: ExecutionContext
  private let zeros: FloatBuffer
  private let (batch, steps, features, units, outputs): (Int, Int, Int, Int, Int)
  private let input: FloatBuffer
  private let peepholes: FloatBuffer?, mask: FloatBuffer?
  private let initialOutput: FloatBuffer?, initialCell: FloatBuffer?
  private let sequence: FloatBuffer, lastOutput: FloatBuffer, lastCell: FloatBuffer?
  private let weights: () -> Weights
  private let gate: CellFunction, candidate: CellFunction, final: CellFunction
  /// `W x + b` of every step; `R h` of one; the gates of one; c; what is given before projection.
  private let inputs: FloatBlock, past: FloatBlock, gates: FloatBlock
  private let cell: FloatBlock, given: FloatBlock, state: FloatBlock

  init(_ op: Recurrent, _ builder: StepBuilder) throws {
    let (x, w) = (try builder.shape(0), try builder.shape(1))
    self.op = op
    context = builder.context
    (batch, steps, features) = (x[0], x[1], x[2])
    units = w[0] / op.cell.gates
    outputs = try builder.shape(2)[1]
    zeros = builder.store.zeros(max(features, outputs, units))
    input = try builder.input(0)
    func place(_ input: Recurrent.Input) -> FloatBuffer? { builder.optional(input.rawValue) }
    peepholes = place(.peepholes)
    mask = place(.mask)
    initialOutput = place(.initialOutput)
    initialCell = place(.initialCell)
    sequence = builder.outputs[0].buffer
    lastOutput = builder.outputs[1].buffer
    lastCell = builder.outputs.count > 2 ? builder.outputs[2].buffer : nil
    weights = try Self.weights(op, builder, units: units, outputs: outputs, features: features)
    gate = CellFunction(op.recurrentActivation)
    candidate = CellFunction(op.activation)
    final = CellFunction(op.outputActivation)
    let rows = op.cell.gates * units
    inputs = FloatBlock(count: batch * steps * rows)
    past = FloatBlock(count: batch * rows)
    gates = FloatBlock(count: rows)
    cell = FloatBlock(count: batch * units)
    given = FloatBlock(count: batch * max(units, outputs))
    state = FloatBlock(count: batch * outputs)
  }

  private static func window(_ rows: Int, _ inputs: Int, _ outputs: Int) -> Window {
    Window.dense(rows: rows, inputs: inputs, outputs: outputs, bounds: (-.infinity, .infinity))
  }

  /// The weights, packed once when they are constants.
  private static func weights(
    _ op: Recurrent,
    _ builder: StepBuilder,
    units: Int,
    outputs: Int,
    features: Int
  ) throws -> () -> Weights {
    let (node, store, kernels, place) = (
      builder.node, builder.store, builder.kernels, builder.place
    )
    func pack(
      _ input: Recurrent.Input,
      _ bias: Recurrent.Input,
      _ rows: Range<Int>,
      _ depth: Int
    )
      -> PackedFilter?
    {
      func id(_ input: Recurrent.Input) -> ValueID? {
        node.inputs.indices.contains(input.rawValue) ? node.inputs[input.rawValue] : nil
      }
      guard let matrix = id(input) else { return nil }
      let addend = id(bias).map(place)
      func make(_ elements: UnsafePointer<Float>) -> PackedFilter {
        unsafe PackedFilter(
          kernels,
          window: window(1, depth, rows.count),
          weights: elements + rows.lowerBound * depth,
          bias: addend.map { unsafe UnsafePointer($0.base + rows.lowerBound) }
        )
      }
      if store.isConstant[matrix.index] {
        return unsafe store.withFloats(matrix) { unsafe make($0) }
      }
      return unsafe make(UnsafePointer(place(matrix).base))
    }
    let rows = op.cell.gates * units
    let isSplit = op.cell == .gru && !op.resetsAfter
    func all() throws -> Weights {
      guard let input = pack(.weights, .bias, 0..<rows, features),
        let recurrent = pack(
          .recurrentWeights,
          .recurrentBias,
          0..<(isSplit ? 2 * units : rows),
          outputs
        )
      else { throw Diagnostic("EVL013", "the weights are absent") }
      return Weights(
        input: input,
        recurrent: recurrent,
        candidate: isSplit
          ? pack(.recurrentWeights, .recurrentBias, 2 * units..<rows, outputs) : nil,
        projection: pack(.projection, .projectionBias, 0..<outputs, units)
      )
    }
    let isConstant = [1, 2, 3, 4, 8, 9].allSatisfy(builder.isConstant)
    let first = try all()
    if isConstant {
      let packed = store.prepare(builder.index) { first }
      return { packed }
    }
    return { (try? all()) ?? first }
  }

  private func multiply(
    _ source: FloatBuffer,
    _ filter: PackedFilter,
    into target: FloatBuffer,
    rows: Int,
    _ inputs: Int,
    _ outputs: Int
  ) {
    context.kernels.convolve(
      source,
      filter,
      into: target,
      Self.window(rows, inputs, outputs),
      zeros: zeros,
      pool: context.pool,
      scratch: context.scratch
    )
  }

  func run() {
    let weights = weights()
    let rows = op.cell.gates * units
    let (h, c) = (state.buffer, cell.buffer)
    if let initialOutput { h.copy(initialOutput) } else { h.fill(0) }
    if let initialCell { c.copy(initialCell) } else { c.fill(0) }
    guard batch > 0 else { return }
    if steps > 0 {
      multiply(input, weights.input, into: inputs.buffer, rows: batch * steps, features, rows)
    }
    let pastRows = weights.candidate == nil ? rows : 2 * units
    for step in 0..<steps {
      let t = op.isReversed ? steps - 1 - step : step
      multiply(h, weights.recurrent, into: past.buffer, rows: batch, outputs, pastRows)
      for n in 0..<batch {
        let target = sequence.part((n * steps + t) * outputs, outputs)
        if let mask, mask[n * steps + t] == 0 {
          let before = op.isReversed ? t + 1 : t - 1
          if op.zerosMaskedOutputs || step == 0 {
            target.fill(0)
          } else {
            target.copy(sequence.part((n * steps + before) * outputs, outputs))
          }
          continue
        }
        let sums = inputs.buffer.part((n * steps + t) * rows, rows)
        let recurrent = past.buffer.part(n * pastRows, pastRows)
        advance(n, sums, recurrent, weights)
        target.copy(h.part(n * outputs, outputs))
      }
    }
    lastOutput.copy(h)
    lastCell?.copy(c)
  }

  /// One step of sample `n`.
  private func advance(
    _ n: Int,
    _ sums: FloatBuffer,
    _ past: FloatBuffer,
    _ weights: Weights
  ) {
    let h = state.buffer.part(n * outputs, outputs)
    let gates = gates.buffer
    switch op.cell {
    case .simple:
      for u in 0..<units { h[u] = clip(sums[u] + past[u]) }
      candidate.apply(h, context.kernels)
    case .gru:
      for u in 0..<2 * units { gates[u] = clip(sums[u] + past[u]) }
      gate.apply(gates.part(0, 2 * units), context.kernels)
      let (z, r) = (gates.part(0, units), gates.part(units, units))
      let new = gates.part(2 * units, units)
      if let filter = weights.candidate {
        let gated = given.buffer.part(n * max(units, outputs), units)
        for u in 0..<units { gated[u] = r[u] * h[u] }
        multiply(gated, filter, into: new, rows: 1, units, units)
      } else {
        for u in 0..<units { new[u] = r[u] * past[2 * units + u] }
      }
      for u in 0..<units { new[u] = clip(new[u] + sums[2 * units + u]) }
      candidate.apply(new, context.kernels)
      for u in 0..<units { h[u] = z[u] * h[u] + (1 - z[u]) * new[u] }
    case .lstm:
      for u in 0..<4 * units { gates[u] = sums[u] + past[u] }
      remember(n, gates)
      let given = given.buffer.part(n * max(units, outputs), units)
      guard let projection = weights.projection else { return h.copy(given) }
      multiply(given, projection, into: h, rows: 1, units, outputs)
      if let bound = op.projectionClip {
        context.kernels.unary(.clamp(-bound, bound), h, into: h)
      }
    }
  }

  /// The gates, the cell state and what an LSTM gives before it is projected.
  private func remember(_ n: Int, _ gates: FloatBuffer) {
    let c = cell.buffer.part(n * units, units)
    let (i, f) = (gates.part(0, units), gates.part(units, units))
    let (g, o) = (gates.part(2 * units, units), gates.part(3 * units, units))
    let given = given.buffer.part(n * max(units, outputs), units)
    if let peepholes {
      for u in 0..<units {
        i[u] += peepholes[u] * c[u]
        f[u] += peepholes[units + u] * c[u]
      }
    }
    clip(gates.part(0, 3 * units))
    gate.apply(gates.part(0, 2 * units), context.kernels)
    switch op.coupling {
    case .none: break
    case .inputFollowsForget: for u in 0..<units { i[u] = 1 - f[u] }
    case .forgetFollowsInput: for u in 0..<units { f[u] = 1 - i[u] }
    }
    candidate.apply(g, context.kernels)
    for u in 0..<units { c[u] = f[u] * c[u] + i[u] * g[u] }
    if let bound = op.cellClip { context.kernels.unary(.clamp(-bound, bound), c, into: c) }
    if let peepholes { for u in 0..<units { o[u] += peepholes[2 * units + u] * c[u] } }
    clip(o)
    gate.apply(o, context.kernels)
    given.copy(c)
    final.apply(given, context.kernels)
    for u in 0..<units { given[u] *= o[u] }
  }

  private func clip(_ x: Float) -> Float { op.gateClip.map { min(max(x, -$0), $0) } ?? x }

  private func clip(_ x: FloatBuffer) {
    guard let bound = op.gateClip else { return }
    context.kernels.unary(.clamp(-bound, bound), x, into: x)
  }
}
