import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Functions of `keras.ops` of each element.
  static let elementwiseOperations: [String: KerasLayerKind] = {
    func binary(_ kind: Binary.Kind, isFloat: Bool = false) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let operands = [try context.operand(0, "x1"), try context.operand(1, "x2")]
        return try context.node(
          "apply",
          Binary(kind),
          context.promoted(operands, isFloat: isFloat)
        )
      })
    }
    func unary(_ kind: Unary.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        try context.node("apply", Unary(kind), [context.float(context.operand(0, "x"))])
      })
    }
    /// A function that keeps whole numbers whole.
    func keeping(_ kind: Unary.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        try context.node("apply", Unary(kind), [context.operand(0, "x")])
      })
    }
    func named(_ function: String) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        guard let function = KerasContext.functions[function] else { return x }
        return try function(&context, x)
      })
    }
    func logical(_ kind: Binary.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let operands = [try context.operand(0, "x1"), try context.operand(1, "x2")]
        let truths = try operands.map { try context.truth($0) }
        return try context.node("apply", Binary(kind), truths)
      })
    }
    /// `f(x)` for a function that is a few nodes.
    func composed(
      _ body: @escaping @Sendable (inout KerasContext, ValueID) throws -> ValueID
    ) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        try body(&context, context.float(context.operand(0, "x")))
      })
    }
    func logarithm(_ factor: Float) -> KerasLayerKind {
      composed { context, x in
        let y = try context.node("log", Unary(.log), [x])
        return try context.node("scale", Binary(.multiply), [y, context.scalar(factor)])
      }
    }
    func product(_ factor: Float) -> KerasLayerKind {
      composed { context, x in
        try context.node("scale", Binary(.multiply), [x, context.scalar(factor)])
      }
    }
    var table: [String: KerasLayerKind] = [
      "Add": binary(.add), "Subtract": binary(.subtract), "Multiply": binary(.multiply),
      "TrueDivide": binary(.divide, isFloat: true), "Divide": binary(.divide, isFloat: true),
      "Maximum": binary(.maximum), "Minimum": binary(.minimum), "Power": binary(.power),
      "FloorDivide": binary(.floorDivide), "Mod": binary(.floorModulo),
      "Remainder": binary(.floorModulo), "Arctan2": binary(.atan2, isFloat: true),
      "Equal": binary(.equal), "NotEqual": binary(.notEqual), "Less": binary(.less),
      "LessEqual": binary(.lessEqual), "Greater": binary(.greater),
      "GreaterEqual": binary(.greaterEqual),
      "LogicalAnd": logical(.logicalAnd), "LogicalOr": logical(.logicalOr),
      "LogicalXor": logical(.logicalXor),
      "BitwiseAnd": binary(.bitwiseAnd), "BitwiseOr": binary(.bitwiseOr),
      "BitwiseXor": binary(.bitwiseXor),
      "Negative": keeping(.negative), "Abs": keeping(.abs), "Absolute": keeping(.abs),
      "Square": keeping(.square), "Sign": keeping(.sign),
      "Sqrt": unary(.sqrt), "Rsqrt": unary(.rsqrt), "Exp": unary(.exp), "Log": unary(.log),
      "Sin": unary(.sin), "Cos": unary(.cos), "Tan": unary(.tan), "Arcsin": unary(.asin),
      "Arccos": unary(.acos), "Arctan": unary(.atan), "Sinh": unary(.sinh), "Cosh": unary(.cosh),
      "Arcsinh": unary(.asinh), "Arccosh": unary(.acosh), "Arctanh": unary(.atanh),
      "Tanh": unary(.tanh), "Erf": unary(.erf), "Floor": unary(.floor), "Ceil": unary(.ceil),
      "Log2": logarithm(1.442_695_040_888_963_4), "Log10": logarithm(0.434_294_481_903_251_8),
      "Deg2rad": product(.pi / 180),
    ]
    for name in [
      "relu", "relu6", "sigmoid", "silu", "hard_sigmoid", "hard_silu", "softplus", "softsign",
      "selu", "log_sigmoid", "hard_tanh", "tanh_shrink", "sparse_plus", "sparse_sigmoid", "mish",
    ] {
      let className = name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
      table[className.joined()] = named(name)
    }
    return table.merging(composedOperations(composed)) { first, _ in first }
  }()

  private typealias Body = @Sendable (inout KerasContext, ValueID) throws -> ValueID

  private static func composedOperations(
    _ composed: (@escaping Body) -> KerasLayerKind
  ) -> [String: KerasLayerKind] {
    [
      "LogicalNot": KerasLayerKind(emit: { context, _ in
        let truth = try context.truth(context.operand(0, "x"))
        return try context.node("not", Unary(.logicalNot), [truth])
      }),
      "Isnan": composed { context, x in try context.node("is_nan", Unary(.isNaN), [x]) },
      "Isinf": composed { context, x in try context.node("is_inf", Unary(.isInfinite), [x]) },
      "Isfinite": composed { context, x in
        let rest = try context.node("rest", Binary(.subtract), [x, x])
        return try context.node("finite", Binary(.equal), [rest, context.scalar(0)])
      },
      "Reciprocal": composed { context, x in
        try context.node("divide", Binary(.divide), [context.scalar(1), x])
      },
      "Expm1": composed { context, x in
        // ELU below zero is exp(x) - 1 without the loss of figures.
        let negative = try context.node("negative", Binary(.minimum), [x, context.scalar(0)])
        let small = try context.node("elu", Unary(.elu), [negative])
        let positive = try context.node("positive", Unary(.relu), [x])
        let power = try context.node("exp", Unary(.exp), [positive])
        let large = try context.node("less", Binary(.subtract), [power, context.scalar(1)])
        return try context.node("expm1", Binary(.add), [small, large])
      },
      "Log1p": composed { context, x in
        let sum = try context.node("increment", Binary(.add), [x, context.scalar(1)])
        return try context.node("log", Unary(.log), [sum])
      },
      "Round": composed { context, x in
        guard try context.layer.int("decimals", default: 0) == 0 else {
          throw context.layer.unsupported("decimals", "rounding to decimals")
        }
        return try context.node("round", Unary(.round), [x])
      },
      "Clip": KerasLayerKind(emit: { context, _ in
        var x = try context.operand(0, "x")
        for (key, kind) in [("x_max", Binary.Kind.minimum), ("x_min", .maximum)] {
          guard let bound = context.layer[key] else { continue }
          let pair = try context.promoted([x, context.constant(bound, key)])
          x = try context.node(key, Binary(kind), pair)
        }
        return x
      }),
      "Gelu": composed { context, x in
        let isApproximate = try context.layer.bool("approximate", default: true)
        return try context.node("gelu", Unary(isApproximate ? .geluApproximate : .gelu), [x])
      },
      "Elu": composed { context, x in
        try context.elu(x, alpha: context.layer.float("alpha", default: 1))
      },
      "Celu": composed { context, x in
        // alpha * (exp(x / alpha) - 1) below zero.
        let alpha = try context.layer.float("alpha", default: 1)
        guard alpha != 1, alpha != 0 else { return try context.elu(x, alpha: 1) }
        let scaled = try context.node("scale", Binary(.multiply), [x, context.scalar(1 / alpha)])
        let y = try context.elu(scaled, alpha: 1)
        return try context.node("unscale", Binary(.multiply), [y, context.scalar(alpha)])
      },
      "LeakyRelu": composed { context, x in
        let slope = try context.layer.float("negative_slope", default: 0.2)
        return try context.node("leaky_relu", LeakyReLU(alpha: slope), [x])
      },
      "Glu": composed { context, x in
        try context.glu(x, axis: context.layer.int("axis", default: -1))
      },
      "SoftShrink": composed { context, x in
        let threshold = try context.layer.float("threshold", default: 0.5)
        return try context.shrink(x, threshold: threshold, isSoft: true)
      },
      "HardShrink": composed { context, x in
        let threshold = try context.layer.float("threshold", default: 0.5)
        return try context.shrink(x, threshold: threshold, isSoft: false)
      },
      "Squareplus": composed { context, x in
        try context.squareplus(x, b: context.layer.float("b", default: 4))
      },
      "Threshold": composed { context, x in
        let bound = context.scalar(try context.layer.float("threshold"))
        let other = context.scalar(try context.layer.float("default_value"))
        let mask = try context.node("above", Binary(.greater), [x, bound])
        return try context.node("threshold", Select(), [mask, x, other])
      },
      "Logaddexp": KerasLayerKind(emit: { context, _ in
        let pair = try context.promoted(context.pair(), isFloat: true)
        let greater = try context.node("greater", Binary(.maximum), pair)
        let difference = try context.node("difference", Binary(.subtract), pair)
        let size = try context.node("size", Unary(.abs), [difference])
        let negative = try context.node("negative", Unary(.negative), [size])
        let power = try context.node("exp", Unary(.exp), [negative])
        let sum = try context.node("increment", Binary(.add), [power, context.scalar(1)])
        let rest = try context.node("log", Unary(.log), [sum])
        return try context.node("logaddexp", Binary(.add), [greater, rest])
      }),
      "Where": KerasLayerKind(emit: { context, _ in
        let condition = try context.truth(context.operand(0, "condition"))
        let pair = try context.promoted([context.operand(1, "x1"), context.operand(2, "x2")])
        return try context.node("select", Select(), [condition] + pair)
      }),
      "Cast": KerasLayerKind(emit: { context, _ in
        let x = try context.operand(0, "x")
        let name = try context.layer.string("dtype", default: "float32")
        if ["float64", "float16", "bfloat16"].contains(name) { return try context.float(x) }
        guard let dtype = DType(rawValue: name), dtype != .string else {
          throw context.layer.unsupported("dtype", "casts to '\(name)'")
        }
        if dtype == .bool { return try context.truth(x) }
        return try context.converted(x, to: dtype)
      }),
      "Identity": KerasLayerKind(emit: { context, inputs in try context.only(inputs) }),
      "StopGradient": KerasLayerKind(emit: { context, inputs in try context.only(inputs) }),
    ]
  }
}

extension KerasContext {
  /// A value as truth values.
  mutating func truth(_ x: ValueID) throws -> ValueID {
    if type(x).dtype == .bool { return x }
    let zero = try type(x).dtype.isFloat ? scalar(0) : integer(0, like: x)
    return try node("truth", Binary(.notEqual), [x, zero])
  }
}
