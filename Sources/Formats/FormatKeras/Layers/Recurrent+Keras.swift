import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// LSTM, GRU, SimpleRNN, and RNN around cells.
  static let recurrent: [String: KerasLayerKind] = {
    func kind(_ cells: @escaping @Sendable (KerasLayer) throws -> KerasLayer) -> KerasLayerKind {
      KerasLayerKind(
        parts: { [try cells($0)] },
        check: { layer in
          try layer.require("time_major", toBe: false)
          let cell = try cells(layer)
          guard KerasLayerKind.cells[cell.baseClassName] != nil else {
            throw layer.unsupported("cell", "cells of class '\(cell.className)' are not imported")
          }
        },
        emitAll: { context, inputs in
          let layer = context.layer
          let results = try context.sequence(layer, inputs)
          if try layer.bool("stateful", default: false) {
            context.notes.append(
              Diagnostic(
                "KER011",
                "the layer keeps its state between calls in Keras; here every run begins anew",
                at: [layer.place],
                severity: .note
              )
            )
          }
          return try context.kerasOrder(results)
        }
      )
    }
    /// A layer that is its own cell: the cell has its configuration.
    func own(_ cell: String) -> KerasLayerKind {
      kind { layer in layer.part("cell", className: cell, config: layer.config) }
    }
    let wrapper = kind { layer in try layer.part("cell", named: "cell") }
    return [
      "LSTM": own("LSTMCell"), "GRU": own("GRUCell"), "SimpleRNN": own("SimpleRNNCell"),
      "RNN": wrapper, "CuDNNLSTM": own("CuDNNLSTMCell"), "CuDNNGRU": own("CuDNNGRUCell"),
    ]
  }()

  /// Cells, which only a recurrent layer holds.
  static let cells: [String: KerasLayerKind] = {
    let check: @Sendable (KerasLayer) throws -> Void = { layer in
      _ = try layer.recurrentFunction("activation", default: "tanh")
      _ = try layer.recurrentFunction("recurrent_activation", default: "sigmoid")
      guard (1..<1 << 20).contains(try layer.int("units")) else {
        throw layer.unsupported("units", "the number of units")
      }
    }
    let cell = KerasLayerKind(
      weights: { KerasWeightNames(trained: try ["kernel", "recurrent_kernel"] + $0.biasNames) },
      check: check,
      emitAll: { context, _ in throw context.layer.unsupported("cell", "a cell by itself") }
    )
    let stacked = KerasLayerKind(
      parts: { try $0.partList("cells") },
      check: { layer in
        for cell in try layer.partList("cells")
        where KerasLayerKind.cells[cell.baseClassName] == nil {
          throw layer.unsupported("cells", "cells of class '\(cell.className)' are not imported")
        }
      },
      emitAll: { context, _ in throw context.layer.unsupported("cell", "cells by themselves") }
    )
    return [
      "LSTMCell": cell, "GRUCell": cell, "SimpleRNNCell": cell, "CuDNNLSTMCell": cell,
      "CuDNNGRUCell": cell, "StackedRNNCells": stacked,
    ]
  }()
}

/// What a recurrent layer gives before its order is that of Keras.
struct KerasSequence {
  /// The results of all steps, in the order of the input.
  var steps: ValueID
  /// The result of the step that was computed last.
  var last: ValueID
  /// The states after that step.
  var states: [ValueID]
  /// Which steps count.
  var mask: ValueID?
  var isReversed: Bool
}

extension KerasContext {
  /// The nodes of a recurrent layer.
  ///
  /// - Parameters:
  ///   - inputs: the sequence, then initial states if they are given by place.
  ///   - states: initial states that are given by name.
  ///   - zeros: whether steps that do not count give zeros rather than what came before.
  mutating func sequence(
    _ layer: KerasLayer,
    _ inputs: [ValueID],
    states: [ValueID]? = nil,
    zeros: Bool? = nil
  ) throws -> KerasSequence {
    guard let first = inputs.first, shape(first).rank == 3,
      let cell = try KerasLayerKind.of(layer)?.parts(layer).first
    else { throw Diagnostic("KER006", "the layer takes a sequence of three axes") }
    var x = try float(first)
    let isReversed = try layer.bool("go_backwards", default: false)
    let mask = tensors(named: "mask").first ?? masks[first]
    let cells =
      cell.baseClassName == "StackedRNNCells" ? try cell.partList("cells") : [cell]
    var given = states ?? (Array(inputs.dropFirst()) + tensors(named: "initial_state"))
    let zerosMasked = try zeros ?? layer.bool("zero_output_for_mask", default: false)
    var finals: [ValueID] = []
    var outputs: [ValueID] = []
    for (index, cell) in cells.enumerated() {
      let count = cell.baseClassName.hasSuffix("LSTMCell") ? 2 : 1
      guard given.isEmpty || given.count >= count else {
        throw Diagnostic("KER006", "the layer is called with too few initial states")
      }
      let initial = Array(given.prefix(count))
      given = Array(given.dropFirst(count))
      outputs = try applyCell(
        cell,
        x,
        initial: initial,
        mask: mask,
        isReversed: isReversed,
        zerosMasked: zerosMasked,
        role: cells.count == 1 ? "cell" : "cell_\(index)"
      )
      x = outputs[0]
      finals += outputs.dropFirst().prefix(count)
    }
    guard !outputs.isEmpty, given.isEmpty else {
      throw Diagnostic("KER006", "the layer is called with \(given.count) initial states too many")
    }
    var last = outputs[1]
    if mask != nil {
      // Keras gives what the last step gives, whether that counts or not.
      let dims = shape(x).dims
      let end = isReversed ? 0 : max(dims[1] - 1, 0)
      let op = Slice(begin: [0, end, 0], sizes: [dims[0], 1, dims[2]])
      let step = try node("last_step", op, [x])
      last = try node("last", Reshape([dims[0], dims[2]]), [step])
    }
    return KerasSequence(steps: x, last: last, states: finals, mask: mask, isReversed: isReversed)
  }

  /// The results of a recurrent layer as its configuration asks for them.
  mutating func kerasOrder(_ sequence: KerasSequence) throws -> [ValueID] {
    var result = sequence.last
    if try layer.bool("return_sequences", default: false) {
      result = sequence.steps
      // Keras keeps the order in which it computed.
      if sequence.isReversed { result = try reversed(result) }
      masks[result] = sequence.mask
    }
    return try layer.bool("return_state", default: false) ? [result] + sequence.states : [result]
  }

  /// The steps from the last to the first.
  mutating func reversed(_ x: ValueID) throws -> ValueID {
    let dims = shape(x).dims
    guard dims[1] > 1 else { return x }
    let op = Slice(begin: [0, dims[1] - 1, 0], sizes: dims, steps: [1, -1, 1])
    return try node("reverse", op, [x])
  }

  private mutating func applyCell(
    _ cell: KerasLayer,
    _ x: ValueID,
    initial: [ValueID],
    mask: ValueID?,
    isReversed: Bool,
    zerosMasked: Bool,
    role: String
  ) throws -> [ValueID] {
    let outer = layer
    layer = cell
    defer { layer = outer }
    guard let kind = cell.cellKind else {
      throw Diagnostic("KER006", "cells of class '\(cell.className)' are not imported")
    }
    let isCuDNN = cell.baseClassName.hasPrefix("CuDNN")
    let newer = cell.version.major >= 3
    let resetsAfter =
      try kind == .gru && (isCuDNN || cell.bool("reset_after", default: newer))
    let op = Recurrent(
      kind,
      isReversed: isReversed,
      activation: try cell.recurrentFunction("activation", default: "tanh"),
      recurrentActivation: try cell.recurrentFunction(
        "recurrent_activation",
        default: "sigmoid"
      ),
      resetsAfter: resetsAfter,
      zerosMaskedOutputs: zerosMasked
    )
    // Keras: [inputs, gates * units]; the graph: outputs first.
    let weights = try weight("kernel") { try $0.permutedWeight([1, 0]) }
    let recurrent = try weight("recurrent_kernel") { try $0.permutedWeight([1, 0]) }
    var biases: [ValueID?] = [nil, nil]
    if try !cell.biasNames.isEmpty {
      let rows = kind.gates * (try cell.int("units"))
      let all = try tensor("bias")
      guard all.count == rows || all.count == 2 * rows else {
        throw Diagnostic("KER006", "a bias of \(all.shape) for \(rows) rows")
      }
      let values = all.floats()
      biases[0] = constant("bias") { Tensor(Array(values[..<rows]), [rows]) }
      if values.count > rows {
        biases[1] = constant("recurrent_bias") { Tensor(Array(values[rows...]), [rows]) }
      }
    }
    var inputs: [ValueID?] = [x, weights, recurrent] + biases
    inputs += [initial.first, initial.count > 1 ? initial[1] : nil]
    if let mask { inputs += [nil, nil, nil, mask] }
    while let last = inputs.last, last == nil { inputs.removeLast() }
    return try nodes(role, op, inputs)
  }
}

extension KerasLayer {
  fileprivate var cellKind: Recurrent.Cell? {
    switch baseClassName {
    case "LSTMCell", "CuDNNLSTMCell": .lstm
    case "GRUCell", "CuDNNGRUCell": .gru
    case "SimpleRNNCell": .simple
    default: nil
    }
  }

  /// An activation of a cell.
  func recurrentFunction(_ key: String, default fallback: String) throws -> RecurrentFunction {
    let old = version.major < 3
    if self[key] == nil, config[key] != nil { return RecurrentFunction(.linear) }
    if let layer = activationLayer(key) {
      switch layer.baseClassName {
      case "LeakyReLU": return RecurrentFunction(.leakyReLU, alpha: try layer.leakySlope())
      case "ELU": return RecurrentFunction(.elu, alpha: try layer.float("alpha", default: 1))
      case "ReLU" where layer["max_value"] == nil: return RecurrentFunction(.relu)
      default: throw unsupported(key, "'\(layer.className)' is not imported in a cell")
      }
    }
    let name = self[key] == nil ? fallback : activationName(key) ?? "?"
    switch name {
    case "linear", "sigmoid", "tanh", "relu", "relu6", "softsign", "softplus", "exponential",
      "gelu", "silu", "mish":
      return RecurrentFunction(RecurrentFunction.Kind(rawValue: name) ?? .linear)
    case "swish": return RecurrentFunction(.silu)
    case "hard_swish", "hard_silu": return RecurrentFunction(.hardSwish)
    case "elu": return RecurrentFunction(.elu, alpha: 1)
    case "selu":
      return RecurrentFunction(.selu, alpha: 1.673_263_242_354_377_2, beta: 1.050_700_987_355_480_5)
    case "leaky_relu": return RecurrentFunction(.leakyReLU, alpha: 0.2)
    case "hard_sigmoid":
      return RecurrentFunction(.hardSigmoid, alpha: old ? 0.2 : 1 / 6, beta: 0.5)
    default: throw unsupported(key, "the function '\(name)' is not imported in a cell")
    }
  }
}
