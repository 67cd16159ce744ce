import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers around a layer.
  static let wrappers: [String: KerasLayerKind] = [
    "Bidirectional": KerasLayerKind(
      parts: { try $0.directions },
      check: { layer in
        guard let mode = layer["merge_mode"] else { return }
        guard ["concat", "sum", "ave", "mul"].contains(mode.string) else {
          throw layer.unsupported("merge_mode", "\(mode.text()) is not imported")
        }
      },
      emitAll: { context, inputs in try context.bidirectional(inputs) }
    ),
    "TimeDistributed": KerasLayerKind(
      parts: { [try $0.part("layer", named: "layer")] },
      emit: { context, inputs in
        let x = try context.only(inputs)
        let dims = context.shape(x).dims
        guard dims.count > 2, let inner = try context.layer.inner else {
          throw Diagnostic("KER006", "the layer takes at least three axes")
        }
        let (rows, overflow) = dims[0].multipliedReportingOverflow(by: dims[1])
        guard !overflow else { throw Diagnostic("KER008", "the sequence is too long") }
        let flat = try context.node("steps", Reshape([rows] + dims.dropFirst(2)), [x])
        let results = try context.apply(inner, [flat], "layer")
        guard results.count == 1, context.shape(results[0]).dims.first == rows else {
          throw Diagnostic("KER006", "the layer within it does not give one tensor a step")
        }
        let rest = context.shape(results[0]).dims.dropFirst()
        return try context.node("sequence", Reshape([dims[0], dims[1]] + rest), results)
      }
    ),
    // What it does to the weights is done when the network has been trained.
    "SpectralNormalization": KerasLayerKind(
      weights: { _ in KerasWeightNames(fixed: ["vector_u"]) },
      parts: { [try $0.part("layer", named: "layer")] },
      emitAll: { context, inputs in
        guard let inner = try context.layer.inner else { return [] }
        return try context.apply(inner, inputs, "layer")
      }
    ),
  ]
}

extension KerasLayer {
  /// The layer within a wrapper.
  fileprivate var inner: KerasLayer? {
    get throws { try KerasLayerKind.of(self)?.parts(self).first }
  }

  /// The layers that read a sequence from its start and from its end.
  fileprivate var directions: [KerasLayer] {
    get throws {
      let forward = try part("forward_layer", named: "layer")
      guard self["backward_layer"] == nil else {
        return [forward, try part("backward_layer", named: "backward_layer")]
      }
      var backward = try part("backward_layer", named: "layer")
      let reads = try forward.bool("go_backwards", default: false)
      backward.config = backward.config.setting("go_backwards", .bool(!reads))
      return [forward, backward]
    }
  }
}

extension KerasContext {
  fileprivate mutating func bidirectional(_ inputs: [ValueID]) throws -> [ValueID] {
    guard let x = inputs.first else { throw Diagnostic("KER006", "the layer takes a sequence") }
    let parts = try layer.directions
    let outer = layer
    let returnsSequences = try parts[0].bool("return_sequences", default: false)
    let initial = Array(inputs.dropFirst()) + tensors(named: "initial_state")
    var halves: [KerasSequence] = []
    for (index, part) in parts.enumerated() {
      let half = initial.count / 2
      let states = Array(index == 0 ? initial.prefix(half) : initial.suffix(half))
      let name = callName
      layer = part
      callName = name + (index == 0 ? "/forward" : "/backward")
      defer { (layer, callName) = (outer, name) }
      // Keras has steps that do not count give zeros when all steps are given.
      halves.append(try sequence(part, [x], states: states, zeros: returnsSequences))
    }
    let results = halves.map { returnsSequences ? $0.steps : $0.last }
    var outputs: [ValueID]
    switch try outer["merge_mode"] == nil ? nil : outer.string("merge_mode", default: "concat") {
    case nil where outer.config["merge_mode"]?.isNull == true: outputs = results
    case "sum": outputs = [try node("sum", Binary(.add), results)]
    case "mul": outputs = [try node("product", Binary(.multiply), results)]
    case "ave":
      let sum = try node("sum", Binary(.add), results)
      outputs = [try node("average", Binary(.multiply), [sum, scalar(0.5)])]
    default: outputs = [try node("concat", Concat(axis: -1), results)]
    }
    if returnsSequences, let mask = halves[0].mask {
      for output in outputs { masks[output] = mask }
    }
    if try parts[0].bool("return_state", default: false) { outputs += halves.flatMap(\.states) }
    return outputs
  }
}
