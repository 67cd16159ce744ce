import AssayTensor

/// A recurrent layer over sequences: LSTM, GRU or a simple cell, in one direction.
///
/// A bidirectional layer is two of them. With G gates of U units (LSTM 4, GRU 3, simple 1), and
/// P = U unless there is a projection, the inputs are (see `Input`):
///
/// 0. sequence `[N, T, I]`
/// 1. input weights `[G*U, I]`
/// 2. recurrent weights `[G*U, P]`
/// 3. bias `[G*U]`, optional
/// 4. recurrent bias `[G*U]`, optional: added to the recurrent product; it differs from a part of
///    the bias only for the candidate of a GRU whose `resetsAfter` is set
/// 5. initial output h `[N, P]`, optional (zeros)
/// 6. initial cell state c `[N, U]`, optional (zeros), LSTM only
/// 7. peepholes `[3*U]`, optional: weights of c for the input, forget and output gates, LSTM only
/// 8. projection `[P, U]`, optional, LSTM only
/// 9. projection's bias `[P]`, optional
/// 10. mask `[N, T]`, optional: where it is 0, the step is left out and the state stays
///
/// Gates are stacked in Keras's order: LSTM input i, forget f, candidate g, output o; GRU update z,
/// reset r, candidate n. With f the recurrent and a the other activation:
///
/// - LSTM: `c' = f(F) * c + f(I) * a(G)`, `h' = f(O) * a2(c')`, then the projection;
/// - GRU: `h' = z * h + (1 - z) * n`, `n = a(W x + b + R (r * h) + rb)` or, when `resetsAfter`,
///   `n = a(W x + b + r * (R h + rb))`;
/// - simple: `h' = a(W x + b + R h + rb)`.
///
/// Outputs: every h in the order of the input `[N, T, P]`, the last h `[N, P]`, and for an LSTM the
/// last c `[N, U]`. A reversed layer begins at the last step; its last h belongs to step 0.
public struct Recurrent: Operator {
  /// The kind of cell.
  public enum Cell: String, Sendable, CaseIterable {
    case lstm = "LSTM"
    case gru = "GRU"
    case simple = "SimpleRNN"

    /// Gates, each of as many rows of the weights as there are units.
    public var gates: Int {
      switch self {
      case .lstm: 4
      case .gru: 3
      case .simple: 1
      }
    }
  }

  /// How the input and the forget gate of an LSTM are coupled; the rows of a gate that follows from
  /// the other are ignored.
  public enum Coupling: String, Sendable, CaseIterable {
    case none
    /// The input gate is one less the forget gate (TFLite's CIFG).
    case inputFollowsForget
    /// The forget gate is one less the input gate (ONNX Runtime's `input_forget`).
    case forgetFollowsInput
  }

  /// The places of the inputs.
  public enum Input: Int, Sendable, CaseIterable {
    case sequence, weights, recurrentWeights, bias, recurrentBias, initialOutput, initialCell
    case peepholes, projection, projectionBias, mask
  }

  /// The kind of cell.
  public var cell: Cell
  /// Whether the sequence is read from its end.
  public var isReversed: Bool
  /// Applied to the candidate (LSTM, GRU) or the sum (simple cell).
  public var activation: RecurrentFunction
  /// Applied to the gates.
  public var recurrentActivation: RecurrentFunction
  /// Applied to an LSTM's cell state before the output gate.
  public var outputActivation: RecurrentFunction
  /// Whether a GRU's reset gate multiplies the recurrent product rather than the state before it.
  public var resetsAfter: Bool
  /// How an LSTM's input and forget gates are coupled.
  public var coupling: Coupling
  /// The bound on what goes into each activation; `nil` for none (ONNX's `clip`).
  public var gateClip: Float?
  /// The bound on the cell state after each step; `nil` for none (TFLite's `cell_clip`).
  public var cellClip: Float?
  /// The bound on the projected output; `nil` for none (TFLite's `proj_clip`).
  public var projectionClip: Float?
  /// What a step that the mask leaves out gives: zeros, or what the step before gave.
  public var zerosMaskedOutputs: Bool

  /// Makes a layer.
  public init(
    _ cell: Cell,
    isReversed: Bool = false,
    activation: RecurrentFunction = .tanh,
    recurrentActivation: RecurrentFunction = .sigmoid,
    outputActivation: RecurrentFunction? = nil,
    resetsAfter: Bool = false,
    coupling: Coupling = .none,
    gateClip: Float? = nil,
    cellClip: Float? = nil,
    projectionClip: Float? = nil,
    zerosMaskedOutputs: Bool = false
  ) {
    self.cell = cell
    self.isReversed = isReversed
    self.activation = activation
    self.recurrentActivation = recurrentActivation
    self.outputActivation = outputActivation ?? activation
    self.resetsAfter = resetsAfter
    self.coupling = coupling
    self.gateClip = gateClip
    self.cellClip = cellClip
    self.projectionClip = projectionClip
    self.zerosMaskedOutputs = zerosMaskedOutputs
  }

  public var name: String { cell.rawValue }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] {
    func bound(_ value: Float?) -> String { value.map { "\($0)" } ?? "none" }
    return [
      ("reversed", "\(isReversed)"), ("activation", activation.text),
      ("recurrentActivation", recurrentActivation.text),
      ("outputActivation", outputActivation.text), ("resetsAfter", "\(resetsAfter)"),
      ("coupling", coupling.rawValue), ("gateClip", bound(gateClip)),
      ("cellClip", bound(cellClip)), ("projectionClip", bound(projectionClip)),
      ("zerosMaskedOutputs", "\(zerosMaskedOutputs)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    let (x, weights, recurrent) = (types[0].shape, types[1].shape, types[2].shape)
    guard x.rank == 3, weights.rank == 2, recurrent.rank == 2, weights[1] == x[2],
      recurrent[0] == weights[0], weights[0] > 0, weights[0] % cell.gates == 0
    else {
      throw shapeFault(name, "weights \(weights) and \(recurrent) do not fit \(x)")
    }
    let units = weights[0] / cell.gates
    func shape(_ input: Input) -> Shape? {
      inputs.indices.contains(input.rawValue) ? inputs[input.rawValue]?.shape : nil
    }
    let outputs = shape(.projection)?.dims.first ?? units
    guard recurrent[1] == outputs else {
      throw shapeFault(name, "recurrent weights \(recurrent) do not fit \(outputs) outputs")
    }
    let expected: [(Input, [Int])] = [
      (.bias, [weights[0]]), (.recurrentBias, [weights[0]]), (.initialOutput, [x[0], outputs]),
      (.initialCell, [x[0], units]), (.peepholes, [3 * units]), (.projection, [outputs, units]),
      (.projectionBias, [outputs]), (.mask, [x[0], x[1]]),
    ]
    for (input, dims) in expected {
      guard let given = shape(input), given.dims != dims else { continue }
      // An open extent fits any; the evaluators ask again when it is known.
      let fits =
        given.rank == dims.count
        && zip(given.dims, dims).allSatisfy { $0 == $1 || $0 < 0 || $1 < 0 }
      guard fits else { throw shapeFault(name, "\(input) \(given) instead of \(Shape(dims))") }
    }
    let isLSTM = cell == .lstm
    for input in [Input.initialCell, .peepholes, .projection, .projectionBias]
    where !isLSTM && shape(input) != nil {
      throw shapeFault(name, "a cell of this kind has no \(input)")
    }
    let dtype = types[0].dtype
    let last = TensorType(dtype, [x[0], outputs])
    return [TensorType(dtype, [x[0], x[1], outputs]), last]
      + (isLSTM ? [TensorType(dtype, [x[0], units])] : [])
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let x = inputs[0]?.shape, let weights = inputs[1]?.shape,
      let recurrent = inputs[2]?.shape, x.rank == 3
    else { return Cost() }
    let steps = x[0] &* x[1]
    let units = weights[0] / cell.gates
    let projected = inputs.count > Input.projection.rawValue && inputs[8] != nil
    return Cost(
      macs: steps &* (weights.count &+ recurrent.count &+ (projected ? units &* recurrent[1] : 0)),
      elementwise: steps &* units &* (cell.gates &* 2)
    )
  }
}
