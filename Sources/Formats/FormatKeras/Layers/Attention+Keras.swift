import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Attention, AdditiveAttention, MultiHeadAttention and GroupedQueryAttention.
  static let attention: [String: KerasLayerKind] = {
    let plain = KerasLayerKind(
      weights: { layer in
        let isConcat = try layer.string("score_mode", default: "dot") == "concat"
        return KerasWeightNames(
          trained: try (layer.bool("use_scale", default: false) ? ["scale"] : [])
            + (isConcat ? ["concat_score_weight"] : [])
        )
      },
      emitAll: { context, inputs in
        try context.plainAttention(inputs) { context, query, key in
          guard try context.layer.string("score_mode", default: "dot") == "dot" else {
            return try context.concatScores(query, key)
          }
          let scores = try context.node("scores", MatMul(transposesB: true), [query, key])
          guard try context.layer.bool("use_scale", default: false) else { return scores }
          return try context.node("scale", Binary(.multiply), [scores, context.weight("scale")])
        }
      }
    )
    let additive = KerasLayerKind(
      weights: { layer in
        KerasWeightNames(trained: try layer.bool("use_scale", default: true) ? ["scale"] : [])
      },
      emitAll: { context, inputs in
        try context.plainAttention(inputs) { context, query, key in
          let sum = try context.pairSums(query, key)
          var y = try context.node("tanh", Unary(.tanh), [sum])
          if try context.layer.bool("use_scale", default: true) {
            y = try context.node("weigh", Binary(.multiply), [y, context.weight("scale")])
          }
          return try context.node("scores", Reduce(.sum, axes: [-1], keepsAxes: false), [y])
        }
      }
    )
    func heads(_ isGrouped: Bool) -> KerasLayerKind {
      KerasLayerKind(
        parts: { try $0.attentionParts },
        check: { layer in
          guard try layer.headCount(isGrouped) > 0 else {
            throw layer.unsupported("num_heads", "the number of heads")
          }
        },
        emitAll: { context, inputs in try context.multiHeadAttention(inputs, isGrouped) }
      )
    }
    let grouped = heads(true)
    return [
      "Attention": plain, "AdditiveAttention": additive, "MultiHeadAttention": heads(false),
      "GroupedQueryAttention": grouped, "GroupQueryAttention": grouped,
    ]
  }()

  /// The projections within attention layers, which hold a kernel and perhaps a bias.
  static let projection = KerasLayerKind(
    weights: { KerasWeightNames(trained: try ["kernel"] + $0.biasNames) },
    emitAll: { context, _ in throw context.layer.unsupported("layer", "a projection by itself") }
  )
}

extension KerasLayer {
  fileprivate func headCount(_ isGrouped: Bool) throws -> Int {
    try int(isGrouped ? "num_query_heads" : "num_heads")
  }

  /// The projections, in the order in which Keras makes them.
  fileprivate var attentionParts: [KerasLayer] {
    get throws {
      let isGated = try bool("use_gate", default: false)
      let roles = ["query", "key"] + (isGated ? ["gate"] : []) + ["value", "output"]
      return roles.map { role in
        let name = role == "output" ? "attention_output" : role
        // Archives go by the attributes' names, some of which have no public form.
        let isHidden = role == "gate" || config["num_key_value_heads"] != nil
        let members = JSON.object([
          "name": .string(name), "use_bias": config["use_bias"] ?? true,
          "trainable": config["trainable"] ?? true,
        ])
        return part(
          (isHidden ? "_" : "") + role + "_dense",
          className: "AttentionProjection",
          config: members
        )
      }
    }
  }
}

extension KerasContext {
  // MARK: - One head

  /// Attention whose inputs are a list: queries, values and perhaps keys.
  fileprivate mutating func plainAttention(
    _ inputs: [ValueID],
    scores: (inout KerasContext, ValueID, ValueID) throws -> ValueID
  ) throws -> [ValueID] {
    guard (2...3).contains(inputs.count), inputs.allSatisfy({ shape($0).rank == 3 }) else {
      throw Diagnostic("KER006", "the layer takes two or three sequences")
    }
    let (query, value) = (inputs[0], inputs[1])
    var y = try scores(&self, query, inputs.count > 2 ? inputs[2] : value)
    var mask = try masks[value].map { mask in
      try node("key_mask", Reshape([shape(mask)[0], 1, shape(mask)[1]]), [mask])
    }
    // Keras 2 had an attribute for it, Keras 3 an argument.
    let isCausal = try flag("use_causal_mask") ?? layer.bool("causal", default: false)
    if isCausal { mask = try both(mask, causalMask(shape(y)[1], shape(y)[2])) }
    if let mask {
      let less = try node("less", Binary(.subtract), [y, scalar(1e9)])
      y = try node("masked", Select(), [mask, y, less])
    }
    let weights = try node("softmax", Softmax(), [y])
    var result = try node("attend", MatMul(), [weights, value])
    if let queryMask = masks[query] {
      let dims = shape(queryMask).dims
      let column = try node("query_mask", Reshape([dims[0], dims[1], 1]), [queryMask])
      result = try node("kept", Select(), [column, result, scalar(0)])
      masks[result] = queryMask
    }
    return flag("return_attention_scores") ?? false ? [result, weights] : [result]
  }

  /// The sum of every query with every key: `[N, Tq, Tk, C]`.
  fileprivate mutating func pairSums(_ query: ValueID, _ key: ValueID) throws -> ValueID {
    let (q, k) = (shape(query).dims, shape(key).dims)
    let rows = try node("queries", Reshape([q[0], q[1], 1, q[2]]), [query])
    let columns = try node("keys", Reshape([k[0], 1, k[1], k[2]]), [key])
    return try node("pairs", Binary(.add), [rows, columns])
  }

  fileprivate mutating func concatScores(_ query: ValueID, _ key: ValueID) throws -> ValueID {
    var sum = try pairSums(query, key)
    if try layer.bool("use_scale", default: false) {
      sum = try node("scale", Binary(.multiply), [sum, weight("scale")])
    }
    let y = try node("tanh", Unary(.tanh), [sum])
    let scores = try node("scores", Reduce(.sum, axes: [-1], keepsAxes: false), [y])
    return try node("weigh", Binary(.multiply), [scores, weight("concat_score_weight")])
  }

  /// True where a key is not later than the query: `[1, Tq, Tk]`.
  fileprivate mutating func causalMask(_ queries: Int, _ keys: Int) throws -> ValueID {
    try pattern("causal_\(queries)_\(keys)", [1, queries, keys]) { $0 % keys <= $0 / keys }
  }

  // MARK: - Several heads

  /// A projection of the last axis to heads: the parameters of a dense layer, and its result.
  private mutating func project(_ x: ValueID, _ part: KerasLayer) throws -> ValueID {
    let outer = (layer, callName)
    (layer, callName) = (part, callName + "/" + part.name)
    defer { (layer, callName) = outer }
    let isOutput = part.name == "attention_output"
    // Keras: [features, heads, size], and [heads, size, features…] for the output.
    let weights = try weight("kernel") { kernel in
      let inputs = isOutput ? kernel.shape.dims.prefix(2) : kernel.shape.dims.prefix(1)
      let rows = inputs.reduce(1, &*)
      guard rows > 0, kernel.shape.rank > inputs.count else {
        throw Diagnostic("KER006", "a projection has extents \(kernel.shape)")
      }
      return try kernel.reshapedWeight([rows, kernel.count / rows]).permutedWeight([1, 0])
    }
    var bias: ValueID?
    if try !part.biasNames.isEmpty {
      bias = try weight("bias") { try $0.reshapedWeight([$0.count]) }
    }
    return try node("project", FullyConnected(), [x, weights, bias])
  }

  fileprivate mutating func multiHeadAttention(
    _ inputs: [ValueID],
    _ isGrouped: Bool
  ) throws -> [ValueID] {
    let operands = try attentionOperands(inputs)
    let heads = try layer.headCount(isGrouped)
    let groups = isGrouped ? try layer.int("num_key_value_heads") : heads
    let size = try layer.int(isGrouped ? "head_dim" : "key_dim")
    let depth = isGrouped ? size : try layer.int("value_dim", default: size)
    guard groups > 0, heads % groups == 0, size > 0, depth > 0 else {
      throw layer.unsupported("num_heads", "\(heads) heads over \(groups)")
    }
    let parts = try layer.attentionParts
    func part(_ role: String) -> KerasLayer? { parts.first { $0.path.hasSuffix(role + "_dense") } }
    guard let queryPart = part("query"), let keyPart = part("key"), let valuePart = part("value"),
      let outputPart = part("output")
    else { throw layer.missing("kernel") }
    let layout = try AttentionLayout(self, operands.query, operands.value, heads, groups)
    let scaled = try node(
      "scaled",
      Binary(.multiply),
      [project(operands.query, queryPart), scalar(1 / Float(size).squareRoot())]
    )
    let query = try layout.split(&self, scaled, layout.queryDims, size, isQuery: true)
    let key = try layout.split(
      &self,
      project(operands.key, keyPart),
      layout.keyDims,
      size,
      isQuery: false
    )
    let value = try layout.split(
      &self,
      project(operands.value, valuePart),
      layout.keyDims,
      depth,
      isQuery: false
    )
    var scores = try node("scores", MatMul(transposesB: true), [query, key])
    let mask = try attentionMask(operands, layout)
    if let mask { scores = try node("masked", Select(), [mask, scores, scalar(-1e9)]) }
    var weights = try node("softmax", Softmax(), [scores])
    let returnsScores = flag("return_attention_scores") ?? false
    // Keras 3 has two ways; one of them leaves zeros where nothing may be attended to.
    if let mask, layer.version.major >= 3,
      try returnsScores || layer.float("dropout", default: 0) > 0 || layout.queryDims.count != 3
    {
      weights = try node("kept", Select(), [mask, weights, scalar(0)])
    }
    let attended = try node("attend", MatMul(), [weights, value])
    var joined = try layout.join(&self, attended, depth)
    if let gatePart = part("gate") {
      let gate = try node("gate", Unary(.sigmoid), [project(operands.query, gatePart)])
      joined = try node("gated", Binary(.multiply), [joined, gate])
    }
    var result = try project(joined, outputPart)
    if let shape = layer["output_shape"]?.ints, shape.count > 1 {
      result = try node("shape", Reshape(layout.queryDims.dropLast() + shape), [result])
    }
    if let queryMask = masks[operands.query] { masks[result] = queryMask }
    guard returnsScores else { return [result] }
    return [result, try layout.scores(&self, weights)]
  }

  /// Queries, values and keys of a call.
  private struct Operands {
    var query: ValueID
    var value: ValueID
    var key: ValueID
    var hasKey: Bool
    var mask: ValueID?
  }

  private mutating func attentionOperands(_ inputs: [ValueID]) throws -> Operands {
    func named(_ name: String) -> ValueID? { tensors(named: name).first }
    let query = inputs.first ?? named("query")
    let value = inputs.count > 1 ? inputs[1] : named("value")
    guard let query, let value else {
      throw Diagnostic("KER006", "the layer takes queries and values")
    }
    let key = inputs.count > 2 ? inputs[2] : named("key")
    return Operands(
      query: try float(query),
      value: try float(value),
      key: try float(key ?? value),
      hasKey: key != nil,
      mask: named("attention_mask")
    )
  }

  /// Which query may attend to which key, in the axes of the scores; `nil` when all may.
  private mutating func attentionMask(
    _ operands: Operands,
    _ layout: AttentionLayout
  ) throws -> ValueID? {
    var mask: ValueID?
    func expanded(_ context: inout KerasContext, _ x: ValueID, isQuery: Bool) throws -> ValueID {
      let dims = context.shape(x).dims
      let target = isQuery ? [dims[0], dims[1], 1] : [dims[0], 1, dims[1]]
      return try context.node("expand_mask", Reshape(target), [x])
    }
    if let given = masks[operands.query] { mask = try expanded(&self, given, isQuery: true) }
    if let given = masks[operands.value] {
      mask = try both(mask, expanded(&self, given, isQuery: false))
    }
    if operands.hasKey, let given = masks[operands.key] {
      mask = try both(mask, expanded(&self, given, isQuery: false))
    }
    let isCausal = flag("use_causal_mask") ?? false
    let reach = try layer["sliding_window"].map { _ in try layer.int("sliding_window") }
    if isCausal || reach != nil || mask != nil || operands.mask != nil {
      guard layout.queryDims.count == 3, layout.keyDims.count == 3 else {
        throw layer.unsupported("attention_axes", "a mask over several axes")
      }
    }
    let (queries, keys) = (layout.queryDims[1], layout.keyDims[1])
    if isCausal { mask = try both(mask, causalMask(queries, keys)) }
    if let reach {
      let near = try pattern("near_\(reach)", [1, queries, keys]) {
        ($0 / keys - $0 % keys).magnitude < reach
      }
      mask = try both(mask, near)
    }
    if let given = operands.mask {
      let truth =
        type(given).dtype == .bool
        ? given : try node("truth", Binary(.notEqual), [float(given), scalar(0)])
      mask = try both(mask, truth)
    }
    guard let mask else { return nil }
    var dims = shape(mask).dims
    guard dims.count == 3 || dims.count == 4 else {
      throw Diagnostic("KER006", "a mask of \(shape(mask)) is not imported")
    }
    // One mask for all heads; grouped heads have two axes.
    if dims.count == 3 { dims.insert(1, at: 1) }
    if layout.repeats > 1 || layout.isGrouped {
      guard dims[1] == 1 else {
        throw Diagnostic("KER006", "a mask of \(shape(mask)) is not imported")
      }
      dims.insert(1, at: 1)
    }
    return try node("mask_heads", Reshape(dims), [mask])
  }
}

/// How the axes of an attention layer's operands become those of two matrix products.
private struct AttentionLayout {
  /// The extents of queries and of values.
  let queryDims: [Int], keyDims: [Int]
  let heads: Int
  /// Heads of keys and values, each of which serves as many heads of queries.
  let groups: Int
  let isGrouped: Bool
  /// Axes that attend to one another, and those that are only gone through.
  let attended: [Int], free: [Int]

  var repeats: Int { heads / groups }

  init(
    _ context: KerasContext,
    _ query: ValueID,
    _ value: ValueID,
    _ heads: Int,
    _ groups: Int
  ) throws {
    queryDims = context.shape(query).dims
    keyDims = context.shape(value).dims
    self.heads = heads
    self.groups = groups
    isGrouped = context.layer["num_key_value_heads"] != nil
    let rank = queryDims.count
    guard rank >= 3, keyDims.count == rank else {
      throw Diagnostic("KER006", "the layer takes sequences of three axes and more")
    }
    let layer = context.layer
    let given = try layer["attention_axes"] == nil ? nil : layer.ints("attention_axes")
    let axes = given?.map { $0 < 0 ? rank + $0 : $0 } ?? Array(1..<rank - 1)
    guard axes.allSatisfy({ (1..<rank - 1).contains($0) }), axes == axes.sorted(), !axes.isEmpty
    else { throw layer.unsupported("attention_axes", "axes \(axes)") }
    attended = axes
    free = (1..<rank - 1).filter { !axes.contains($0) }
    guard free.allSatisfy({ [keyDims] in keyDims[$0] == context.shape(query)[$0] }),
      !isGrouped || rank == 3
    else { throw Diagnostic("KER006", "queries and values do not fit") }
  }

  private func length(_ dims: [Int]) -> Int { attended.reduce(1) { $0 * dims[$1] } }

  /// Projected operands `[N, …, heads * size]` as `[N, free…, heads, length, size]`.
  func split(
    _ context: inout KerasContext,
    _ x: ValueID,
    _ dims: [Int],
    _ size: Int,
    isQuery: Bool
  ) throws -> ValueID {
    let count = isQuery ? heads : groups
    let rank = dims.count
    let parted = try context.node("heads", Reshape(dims.dropLast() + [count, size]), [x])
    let order = [0] + free + [rank - 1] + attended + [rank]
    let moved = try context.node("heads_first", Transpose(order), [parted])
    var target = [dims[0]] + free.map { dims[$0] }
    if isGrouped {
      target += isQuery ? [groups, repeats] : [groups, 1]
    } else {
      target.append(count)
    }
    return try context.node("rows", Reshape(target + [length(dims), size]), [moved])
  }

  /// The reverse of `split` for what the queries got.
  func join(_ context: inout KerasContext, _ x: ValueID, _ size: Int) throws -> ValueID {
    let lead = [queryDims[0]] + free.map { queryDims[$0] } + [heads]
    let parted = try context.node(
      "places",
      Reshape(lead + attended.map { queryDims[$0] } + [size]),
      [x]
    )
    let order = [0] + free + [queryDims.count - 1] + attended + [queryDims.count]
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    let moved = try context.node("heads_last", Transpose(back), [parted])
    return try context.node("join", Reshape(queryDims.dropLast() + [heads * size]), [moved])
  }

  /// The scores in Keras's axes: `[N, free…, heads, queries…, keys…]`.
  func scores(_ context: inout KerasContext, _ x: ValueID) throws -> ValueID {
    let lead = [queryDims[0]] + free.map { queryDims[$0] } + [heads]
    let target = lead + attended.map { queryDims[$0] } + attended.map { keyDims[$0] }
    guard target != context.shape(x).dims else { return x }
    return try context.node("scores_shape", Reshape(target), [x])
  }
}
