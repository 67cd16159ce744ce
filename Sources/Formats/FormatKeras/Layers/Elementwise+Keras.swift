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
      check: { layer in
        guard try layer["axis"] == nil || layer.ints("axis").count == 1 else {
          throw layer.unsupported("axis", "softmax over several axes")
        }
      },
      emit: { context, inputs in
        let layer = context.layer
        let axis = try layer["axis"] == nil ? -1 : layer.ints("axis")[0]
        return try context.node("softmax", Softmax(axis: axis), [context.image(inputs)])
      }
    ),
  ]
}

extension KerasLayer {
  /// Keras 2 calls the slope `alpha`, Keras 3 `negative_slope`.
  fileprivate func leakySlope() throws -> Float {
    try self["negative_slope"] != nil ? float("negative_slope") : float("alpha", default: 0.3)
  }

  /// The name of the layer's activation; `nil` when it is a layer of its own.
  fileprivate var activationName: String? {
    guard let value = self["activation"] else { return "linear" }
    if let name = value.string { return name }
    // Keras 3 wraps functions in an object.
    guard value["class_name"]?.string == "function" else { return nil }
    return value["config"]?.string ?? value["registered_name"]?.string
  }

  /// The activation as a layer of its own: `activation=LeakyReLU()`.
  fileprivate var activationLayer: KerasLayer? {
    guard activationName == nil, let value = self["activation"],
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
    switch activationName {
    case "relu": .relu
    case "relu6": .relu6
    default: .none
    }
  }

  /// Throws when the activation is not known.
  func checkActivation() throws {
    if let layer = activationLayer {
      guard let kind = KerasLayerKind.activations[layer.className], layer.className != "Activation",
        layer.className != "PReLU"
      else { throw unsupported("activation", "'\(layer.className)' is not imported here") }
      return try locating("attribute 'activation'") { try kind.check(layer) }
    }
    let name = activationName ?? "?"
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
    if let inner = layer.activationLayer, let kind = KerasLayerKind.activations[inner.className] {
      let outer = layer
      layer = inner
      defer { layer = outer }
      return try kind.emit(&self, [x])
    }
    guard let name = layer.activationName, let function = Self.functions[name] else {
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
    ]
  }()

  /// Keras's rectifier with all its parameters.
  fileprivate mutating func relu(
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
  fileprivate mutating func elu(
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
  fileprivate mutating func softplus(_ x: ValueID) throws -> ValueID {
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
