import AssayBase
import AssayGraph
import AssayTensor

extension Recurrent: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    func refuse(_ what: String) -> Diagnostic {
      Diagnostic("KER119", "Keras's layer has no \(what)")
    }
    guard coupling == .none, gateClip == nil, cellClip == nil, projectionClip == nil else {
      throw refuse("bounds and no coupled gates")
    }
    for input in Input.allCases.dropFirst(5) where node.has(input.rawValue) {
      throw refuse("\(input) as a tensor")
    }
    let weights = try model.weight(node, 1).permutedWeight([1, 0])
    let recurrent = try model.weight(node, 2).permutedWeight([1, 0])
    let count = weights.shape[1]
    let units = count / cell.gates
    func bias(_ index: Int) throws -> [Float]? {
      try node.has(index) ? model.weight(node, index).floats() : nil
    }
    let (plain, second) = (try bias(3), try bias(4))
    var parameters = [(name: "kernel", tensor: weights), ("recurrent_kernel", recurrent)]
    let zeros = [Float](repeating: 0, count: count)
    if plain != nil || second != nil {
      // A GRU that resets after the product keeps both biases, the others their sum.
      let tensor =
        cell == .gru && resetsAfter
        ? Tensor((plain ?? zeros) + (second ?? zeros), [2, count])
        : Tensor(zip(plain ?? zeros, second ?? zeros).map { $0 + $1 }, [count])
      parameters.append(("bias", tensor))
    }
    var config: [(name: String, value: JSON)] = [
      ("units", JSON(units)), ("activation", try functionName(activation)),
      ("use_bias", .bool(parameters.count == 3)), ("go_backwards", .bool(isReversed)),
    ]
    if cell != .simple {
      config.append(("recurrent_activation", try functionName(recurrentActivation)))
    }
    guard cell != .lstm || outputActivation == activation else {
      throw refuse("activation of its own for the cell state")
    }
    if cell == .gru { config.append(("reset_after", .bool(resetsAfter))) }
    let used = model.isRead(node)
    guard used.count < 3 || !used[2] else { throw refuse("output of its cell state") }
    let x = try model.input(node)
    func layer(_ isSequence: Bool) -> KerasResult {
      let result = model.add(
        cell.rawValue,
        [x],
        config + [("return_sequences", .bool(isSequence))],
        weights: parameters,
        output: node.outputs[isSequence ? 0 : 1],
        for: node
      )
      model.keepInCell(result)
      return result
    }
    if used[0] {
      var result = layer(true)
      if isReversed {
        // Keras leaves the steps in the order in which they were computed.
        result = try model.function("Flip", [.tensor(result)], [("axis", 1)], for: node)
      }
      model.finish(node, output: 0, result)
    }
    if used[1] { model.finish(node, output: 1, layer(false)) }
  }

  private func functionName(_ function: RecurrentFunction) throws -> JSON {
    switch function.kind {
    case .linear, .sigmoid, .tanh, .relu, .softsign, .softplus, .exponential, .gelu, .silu, .mish:
      return .string(function.kind.rawValue)
    default: throw Diagnostic("KER119", "Keras has no activation \(function.text)")
    }
  }
}
