import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers that apply a function to each element.
  static let activations: [String: KerasLayerKind] = [
    "Activation": KerasLayerKind(
      check: { try $0.checkActivation() },
      emit: { context, inputs in try context.activated(context.image(inputs), isFused: false) }
    ),
    "ReLU": KerasLayerKind(
      check: { layer in
        _ = try layer["max_value"].map { _ in try layer.float("max_value") }
        _ = try layer.float("negative_slope", default: 0)
        _ = try layer.float("threshold", default: 0)
      },
      emit: { context, inputs in
        let layer = context.layer
        return try context.relu(
          context.image(inputs),
          ceiling: layer["max_value"].map { _ in try layer.float("max_value") },
          slope: layer.float("negative_slope", default: 0),
          threshold: layer.float("threshold", default: 0)
        )
      }
    ),
    "LeakyReLU": KerasLayerKind(
      check: { _ = try $0.leakySlope() },
      emit: { context, inputs in
        let op = LeakyReLU(alpha: try context.layer.leakySlope())
        return try context.node("leaky_relu", op, [context.image(inputs)])
      }
    ),
    "PReLU": KerasLayerKind(
      weights: { _ in KerasWeightNames(trained: ["alpha"]) },
      emit: { context, inputs in
        let x = try context.image(inputs)
        return try context.node("prelu", PReLU(), [x, context.weight("alpha")])
      }
    ),
    "ELU": KerasLayerKind(
      check: { _ = try $0.float("alpha", default: 1) },
      emit: { context, inputs in
        try context.elu(context.image(inputs), alpha: context.layer.float("alpha", default: 1))
      }
    ),
    "ThresholdedReLU": KerasLayerKind(
      check: { _ = try $0.float("theta", default: 1) },
      emit: { context, inputs in
        let x = try context.image(inputs)
        return try context.above(x, context.layer.float("theta", default: 1))
      }
    ),
    "Softmax": KerasLayerKind(
      check: { layer in _ = try layer["axis"].map { _ in try layer.ints("axis") } },
      emit: { context, inputs in
        var x = try context.float(inputs.first ?? context.only(inputs))
        let layer = context.layer
        let axes = try layer["axis"] == nil ? [-1] : layer.ints("axis")
        // A mask, given as the second input or carried by the first.
        let given = inputs.count > 1 ? inputs[1] : context.tensors(named: "mask").first
        let carried = given ?? context.masks[x]
        if let mask = carried {
          x = try context.node("masked", Select(), [mask, x, context.scalar(-1e9)])
        }
        let y = try context.softmax(x, axes: axes)
        guard let mask = carried else { return y }
        return try context.node("zeros", Select(), [mask, y, context.scalar(0)])
      }
    ),
  ]
}

extension KerasLayer {
  /// Keras 2 calls the slope `alpha`, Keras 3 `negative_slope`.
  func leakySlope() throws -> Float {
    try self["negative_slope"] != nil ? float("negative_slope") : float("alpha", default: 0.3)
  }

  /// The name of the layer's activation; `nil` when it is a layer of its own.
  ///
  /// Functions that a user registered are known by their names: `Custom>hard_swish`.
  func activationName(_ key: String = "activation") -> String? {
    guard let value = self[key] else { return "linear" }
    func bare(_ text: String) -> String {
      let name = text.split { $0 == ">" || $0 == "." }.last.map(String.init) ?? text
      if KerasContext.functions[name] != nil { return name }
      let snake = KerasArchiveNames.snakeCase(name)
      return KerasContext.functions[snake] != nil ? snake : name
    }
    if let name = value.string { return bare(name) }
    guard let className = value["class_name"]?.string else { return nil }
    // Keras 3 wraps functions in an object.
    if className == "function" {
      return (value["config"]?.string ?? value["registered_name"]?.string).map(bare)
    }
    // An object of a class that is no layer, but has the name of a function.
    let name = bare(className)
    return KerasLayerKind.activations[className] == nil && KerasContext.functions[name] != nil
      ? name : nil
  }

  /// The activation as a layer of its own: `activation=LeakyReLU()`.
  func activationLayer(_ key: String = "activation") -> KerasLayer? {
    guard activationName(key) == nil, let value = self[key],
      let className = value["class_name"]?.string
    else { return nil }
    var layer = self
    layer.className = className
    layer.module = value["module"]?.string ?? ""
    layer.config = value["config"] ?? .emptyObject
    return layer
  }

  /// The activation that the operator itself applies, when it is one that operators can.
  var fusedActivation: Activation {
    switch activationName() {
    case "relu": .relu
    case "relu6": .relu6
    default: .none
    }
  }

  /// Throws when the activation is not known.
  func checkActivation() throws {
    if let layer = activationLayer() {
      guard let kind = KerasLayerKind.activations[layer.className], layer.className != "Activation",
        layer.className != "PReLU"
      else { throw unsupported("activation", "'\(layer.className)' is not imported here") }
      return try locating("attribute 'activation'") { try kind.check(layer) }
    }
    let name = activationName() ?? "?"
    guard KerasContext.functions[name] != nil else {
      let guess = nearest(to: name, among: KerasContext.functions.keys.sorted())
      throw unsupported(
        "activation",
        "the function '\(name)' is not imported",
        remedy: guess.map { "did you mean '\($0)'?" }
      )
    }
  }
}

extension KerasContext {
  typealias Function = @Sendable (inout KerasContext, ValueID) throws -> ValueID

  /// The layer's activation of `x`.
  ///
  /// - Parameter isFused: whether the operator before has applied what operators can apply.
  mutating func activated(_ x: ValueID, isFused: Bool = true) throws -> ValueID {
    if isFused, layer.fusedActivation != .none { return x }
    if let inner = layer.activationLayer(), let kind = KerasLayerKind.activations[inner.className] {
      let outer = layer
      layer = inner
      defer { layer = outer }
      return try kind.emit(&self, [x])[0]
    }
    guard let name = layer.activationName(), let function = Self.functions[name] else {
      throw layer.unsupported("activation", "the function is not imported")
    }
    return try function(&self, x)
  }

  /// Keras's activation functions by name.
  static let functions: [String: Function] = {
    func unary(_ kind: Unary.Kind) -> Function {
      { context, x in try context.node(kind.rawValue.lowercased(), Unary(kind), [x]) }
    }
    let silu: Function = { context, x in
      let gate = try context.node("sigmoid", Unary(.sigmoid), [x])
      return try context.node("silu", Binary(.multiply), [x, gate])
    }
    return [
      "linear": { _, x in x },
      "relu": unary(.relu),
      "relu6": unary(.relu6),
      "sigmoid": unary(.sigmoid),
      "tanh": unary(.tanh),
      "exponential": unary(.exp),
      "gelu": unary(.gelu),
      "hard_swish": unary(.hardSwish),
      "hard_silu": unary(.hardSwish),
      "silu": silu,
      "swish": silu,
      "elu": { context, x in try context.elu(x, alpha: 1) },
      "selu": { context, x in
        let scale: Float = 1.050_700_987_355_480_5
        let alpha: Float = 1.673_263_242_354_377_2
        return try context.elu(x, alpha: alpha, scale: scale)
      },
      "softmax": { context, x in try context.node("softmax", Softmax(), [x]) },
      "log_softmax": { context, x in try context.logSoftmax(x) },
      "softplus": { context, x in try context.softplus(x) },
      "softsign": { context, x in
        let size = try context.node("abs", Unary(.abs), [x])
        let sum = try context.node("increment", Binary(.add), [size, context.scalar(1)])
        return try context.node("softsign", Binary(.divide), [x, sum])
      },
      "mish": { context, x in
        let plus = try context.softplus(x)
        let gate = try context.node("tanh", Unary(.tanh), [plus])
        return try context.node("mish", Binary(.multiply), [x, gate])
      },
      "hard_sigmoid": { context, x in try context.hardSigmoid(x) },
      "leaky_relu": { context, x in
        try context.node("leaky_relu", LeakyReLU(alpha: 0.2), [x])
      },
      "celu": { context, x in try context.elu(x, alpha: 1) },
      "glu": { context, x in try context.glu(x, axis: -1) },
      "hard_tanh": unary(.reluN1To1),
      "hard_shrink": { context, x in try context.shrink(x, threshold: 0.5, isSoft: false) },
      "soft_shrink": { context, x in try context.shrink(x, threshold: 0.5, isSoft: true) },
      "tanh_shrink": { context, x in
        let y = try context.node("tanh", Unary(.tanh), [x])
        return try context.node("shrink", Binary(.subtract), [x, y])
      },
      "log_sigmoid": { context, x in
        let negative = try context.node("negate", Unary(.negative), [x])
        let plus = try context.softplus(negative)
        return try context.node("log_sigmoid", Unary(.negative), [plus])
      },
      "squareplus": { context, x in try context.squareplus(x, b: 4) },
      "sparse_plus": { context, x in
        // 0 below -1, (x + 1)^2 / 4 up to 1, x above.
        let bounded = try context.node("bound", Unary(.reluN1To1), [x])
        let shifted = try context.node("shift", Binary(.add), [bounded, context.scalar(1)])
        let square = try context.node("square", Unary(.square), [shifted])
        let curve = try context.node("curve", Binary(.multiply), [square, context.scalar(0.25)])
        let less = try context.node("less", Binary(.subtract), [x, context.scalar(1)])
        let beyond = try context.node("beyond", Unary(.relu), [less])
        return try context.node("sparse_plus", Binary(.add), [curve, beyond])
      },
      "sparsemax": { context, x in try context.sparsemax(x) },
      "sparse_sigmoid": { context, x in
        let bounded = try context.node("bound", Unary(.reluN1To1), [x])
        let half = try context.node("half", Binary(.multiply), [bounded, context.scalar(0.5)])
        return try context.node("sparse_sigmoid", Binary(.add), [half, context.scalar(0.5)])
      },
      "negative": unary(.negative), "abs": unary(.abs), "square": unary(.square),
      "sqrt": unary(.sqrt), "exp": unary(.exp), "sin": unary(.sin), "cos": unary(.cos),
    ]
  }()

  /// `x` where its size is above a threshold; a soft one takes the threshold away from it.
  mutating func shrink(_ x: ValueID, threshold: Float, isSoft: Bool) throws -> ValueID {
    if isSoft {
      let above = try node("above", Binary(.subtract), [x, scalar(threshold)])
      let positive = try node("positive", Unary(.relu), [above])
      let below = try node("below", Binary(.add), [x, scalar(threshold)])
      let negative = try node("negative", Binary(.minimum), [below, scalar(0)])
      return try node("soft_shrink", Binary(.add), [positive, negative])
    }
    let size = try node("size", Unary(.abs), [x])
    let mask = try node("outside", Binary(.greater), [size, scalar(threshold)])
    return try node("hard_shrink", Select(), [mask, x, scalar(0)])
  }

  /// Keras's `sparsemax` over the last axis.
  ///
  /// It is not the projection of Martins and Astudillo (2016): Keras adds up the running sums of the
  /// elements that stay rather than the elements, and networks were trained with that.
  mutating func sparsemax(_ x: ValueID) throws -> ValueID {
    let count = shape(x).dims.last ?? 0
    guard (1...4096).contains(count) else {
      throw Diagnostic("KER006", "sparsemax of \(shape(x)) is not imported")
    }
    let sorted = try nodes("sort", TopK(count, dtype: .int32), [x])[0]
    let sums = try node("sums", CumulativeSum(axis: shape(x).rank - 1), [sorted])
    let ranks = constant("ranks_\(count)") { Tensor((1...count).map { Float($0) }, [count]) }
    let scaled = try node("scaled", Binary(.multiply), [sorted, ranks])
    let reach = try node("reach", Binary(.add), [scaled, scalar(1)])
    let isIn = try node("is_in", Binary(.greater), [reach, sums])
    let ones = try node("ones", Cast(.float32), [isIn])
    let kept = try node("kept", Binary(.multiply), [sums, ones])
    let total = Reduce(.sum, axes: [-1], keepsAxes: true)
    let sum = try node("sum", total, [kept])
    let excess = try node("excess", Binary(.subtract), [sum, scalar(1)])
    let size = try node("size", total, [ones])
    let bound = try node("bound", Binary(.divide), [excess, size])
    let rest = try node("rest", Binary(.subtract), [x, bound])
    return try node("sparsemax", Unary(.relu), [rest])
  }

  /// `(x + sqrt(x^2 + b)) / 2`.
  mutating func squareplus(_ x: ValueID, b: Float) throws -> ValueID {
    let square = try node("square", Unary(.square), [x])
    let shifted = try node("shift", Binary(.add), [square, scalar(b)])
    let root = try node("root", Unary(.sqrt), [shifted])
    let sum = try node("sum", Binary(.add), [x, root])
    return try node("squareplus", Binary(.multiply), [sum, scalar(0.5)])
  }

  /// The first half of an axis times the logistic function of the second.
  mutating func glu(_ x: ValueID, axis: Int) throws -> ValueID {
    guard let place = shape(x).normalized(axis: axis), shape(x)[place] % 2 == 0 else {
      throw Diagnostic("KER006", "an axis of \(shape(x)) cannot be halved")
    }
    let half = shape(x)[place] / 2
    let parts = try nodes("halves", Split(axis: place, sizes: [half, half]), [x])
    let gate = try node("gate", Unary(.sigmoid), [parts[1]])
    return try node("glu", Binary(.multiply), [parts[0], gate])
  }

  /// The softmax over one axis or over several taken together.
  mutating func softmax(_ x: ValueID, axes: [Int]) throws -> ValueID {
    let shape = shape(x)
    let normalized = axes.compactMap(shape.normalized(axis:)).sorted()
    guard normalized.count == axes.count, Set(normalized).count == axes.count, !axes.isEmpty else {
      throw layer.unsupported("axis", "axes \(axes) of \(shape)")
    }
    if axes.count == 1 { return try node("softmax", Softmax(axis: axes[0]), [x]) }
    let rest = shape.dims.indices.filter { !normalized.contains($0) }
    let order = rest + normalized
    let moved = try node("move", Transpose(order), [x])
    let joined = normalized.reduce(1) { $0 * shape.dims[$1] }
    let flat = try node("join", Reshape(rest.map { shape.dims[$0] } + [joined]), [moved])
    let y = try node("softmax", Softmax(), [flat])
    let parted = try node("part", Reshape(order.map { shape.dims[$0] }), [y])
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return try node("move_back", Transpose(back), [parted])
  }

  /// Keras's rectifier with all its parameters.
  mutating func relu(
    _ x: ValueID,
    ceiling: Float?,
    slope: Float,
    threshold: Float
  ) throws -> ValueID {
    var y: ValueID
    if threshold != 0 {
      y = try above(x, threshold)
      // A negative threshold lets negative elements through; a ceiling comes with a floor.
      if ceiling != nil, threshold < 0 { y = try node("floor", Unary(.relu), [y]) }
    } else if slope == 0, ceiling == 6 {
      return try node("relu6", Unary(.relu6), [x])
    } else if slope != 0, ceiling == nil {
      return try node("leaky_relu", LeakyReLU(alpha: slope), [x])
    } else {
      y = try node("relu", Unary(.relu), [x])
    }
    if let ceiling { y = try node("ceiling", Binary(.minimum), [y, scalar(ceiling)]) }
    guard slope != 0 else { return y }
    // slope * relu(threshold - x), taken away.
    let below = try node("below", Binary(.subtract), [scalar(threshold), x])
    let negative = try node("negative", Unary(.relu), [below])
    let part = try node("slope", Binary(.multiply), [negative, scalar(slope)])
    return try node("sum", Binary(.subtract), [y, part])
  }

  /// The elements above a threshold; zero for the others.
  fileprivate mutating func above(_ x: ValueID, _ threshold: Float) throws -> ValueID {
    let mask = try node("above", Binary(.greater), [x, scalar(threshold)])
    return try node("select", Select(), [mask, x, scalar(0)])
  }

  /// `scale * (x > 0 ? x : alpha * (exp(x) - 1))`.
  mutating func elu(
    _ x: ValueID,
    alpha: Float,
    scale: Float = 1
  ) throws -> ValueID {
    let y = try node("elu", Unary(.elu), [x])
    guard alpha != 1 || scale != 1 else { return y }
    let positive = try node("positive", Unary(.relu), [x])
    let negative = try node("negative", Binary(.minimum), [y, scalar(0)])
    var sum = try node("alpha", Binary(.multiply), [negative, scalar(alpha * scale)])
    let scaled =
      scale == 1
      ? positive : try node("scale", Binary(.multiply), [positive, scalar(scale)])
    sum = try node("sum", Binary(.add), [scaled, sum])
    return sum
  }

  /// `log(1 + exp(x))`, which does not overflow.
  mutating func softplus(_ x: ValueID) throws -> ValueID {
    let size = try node("abs", Unary(.abs), [x])
    let negative = try node("negative", Unary(.negative), [size])
    let power = try node("exp", Unary(.exp), [negative])
    let sum = try node("increment", Binary(.add), [power, scalar(1)])
    let rest = try node("log", Unary(.log), [sum])
    let positive = try node("positive", Unary(.relu), [x])
    return try node("softplus", Binary(.add), [positive, rest])
  }

  fileprivate mutating func logSoftmax(_ x: ValueID) throws -> ValueID {
    let top = try node("max", Reduce(.max, axes: [-1], keepsAxes: true), [x])
    let centered = try node("center", Binary(.subtract), [x, top])
    let powers = try node("exp", Unary(.exp), [centered])
    let sum = try node("sum", Reduce(.sum, axes: [-1], keepsAxes: true), [powers])
    let rest = try node("log", Unary(.log), [sum])
    return try node("log_softmax", Binary(.subtract), [centered, rest])
  }

  /// Keras 2: `0.2 x + 0.5`; Keras 3: `x / 6 + 0.5`; both clamped to [0, 1].
  fileprivate mutating func hardSigmoid(_ x: ValueID) throws -> ValueID {
    if layer.version.major >= 3 {
      let shifted = try node("shift", Binary(.add), [x, scalar(3)])
      let clamped = try node("relu6", Unary(.relu6), [shifted])
      return try node("hard_sigmoid", Binary(.multiply), [clamped, scalar(1 / 6)])
    }
    let scaled = try node("scale", Binary(.multiply), [x, scalar(0.2)])
    let shifted = try node("shift", Binary(.add), [scaled, scalar(0.5)])
    let positive = try node("relu", Unary(.relu), [shifted])
    return try node("hard_sigmoid", Binary(.minimum), [positive, scalar(1)])
  }
}
