import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Functions of `keras.ops`, which Keras 3 saves beside layers.
  static let operations: [String: KerasLayerKind] = {
    func binary(_ kind: Binary.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let operands = try context.operands(["x1", "x2"])
        return try context.node("merge", Binary(kind), operands)
      })
    }
    func named(_ function: String) -> KerasLayerKind {
      KerasLayerKind(emit: { context, inputs in
        let x = try context.image(inputs)
        guard let function = KerasContext.functions[function] else { return x }
        return try function(&context, x)
      })
    }
    func unary(_ kind: Unary.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, inputs in
        try context.node("apply", Unary(kind), [context.image(inputs)])
      })
    }
    func reduce(_ kind: Reduce.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, inputs in
        let x = try context.only(inputs)
        let layer = context.layer
        let axes =
          try layer["axis"] == nil ? Array(0..<context.shape(x).rank) : layer.ints("axis")
        let keeps = try layer.bool("keepdims", default: false)
        return try context.node("reduce", Reduce(kind, axes: axes, keepsAxes: keeps), [x])
      })
    }
    return [
      "Add": binary(.add), "Subtract": binary(.subtract), "Multiply": binary(.multiply),
      "TrueDivide": binary(.divide), "Divide": binary(.divide), "Maximum": binary(.maximum),
      "Minimum": binary(.minimum), "Power": binary(.power),
      "Negative": unary(.negative), "Abs": unary(.abs), "Absolute": unary(.abs),
      "Square": unary(.square), "Sqrt": unary(.sqrt), "Rsqrt": unary(.rsqrt), "Exp": unary(.exp),
      "Log": unary(.log), "Sin": unary(.sin), "Cos": unary(.cos), "Floor": unary(.floor),
      "Ceil": unary(.ceil), "Tanh": unary(.tanh), "Erf": unary(.erf),
      "Relu": named("relu"), "Relu6": named("relu6"), "Sigmoid": named("sigmoid"),
      "Silu": named("silu"), "HardSigmoid": named("hard_sigmoid"), "HardSilu": named("hard_silu"),
      "Softplus": named("softplus"), "Softsign": named("softsign"),
      "Mean": reduce(.mean), "Max": reduce(.max), "Min": reduce(.min), "Sum": reduce(.sum),
      "Prod": reduce(.product),
      "Softmax": KerasLayerKind(emit: { context, inputs in
        let axis = try context.layer.int("axis", default: -1)
        return try context.node("softmax", Softmax(axis: axis), [context.image(inputs)])
      }),
      "Concatenate": KerasLayerKind(emit: { context, inputs in
        let axis = try context.layer.int("axis", default: 0)
        return try context.node("concat", Concat(axis: axis), inputs)
      }),
      "Reshape": KerasLayerKind(emit: { context, inputs in
        let x = try context.only(inputs)
        let target = try context.layer.newShape(batch: context.shape(x)[0])
        return try context.node("reshape", Reshape(target), [x])
      }),
      "Transpose": KerasLayerKind(emit: { context, inputs in
        let x = try context.only(inputs)
        let reversed = Array((0..<context.shape(x).rank).reversed())
        let order = try context.layer["axes"] == nil ? reversed : context.layer.ints("axes")
        return try context.node("transpose", Transpose(order), [x])
      }),
      "ExpandDims": KerasLayerKind(emit: { context, inputs in
        let x = try context.only(inputs)
        var dims = context.shape(x).dims
        let axis = try context.layer.int("axis")
        let place = axis < 0 ? dims.count + 1 + axis : axis
        guard (0...dims.count).contains(place) else {
          throw context.layer.unsupported("axis", "axis \(axis) of \(Shape(dims))")
        }
        dims.insert(1, at: place)
        return try context.node("expand", Reshape(dims), [x])
      }),
      "Squeeze": KerasLayerKind(emit: { context, inputs in
        let x = try context.only(inputs)
        let shape = context.shape(x)
        let given = try context.layer["axis"] == nil ? nil : context.layer.ints("axis")
        let axes = given?.compactMap(shape.normalized(axis:))
        guard axes?.count == given?.count, axes?.allSatisfy({ shape[$0] == 1 }) ?? true else {
          throw context.layer.unsupported("axis", "axes \(given ?? []) of \(shape)")
        }
        let kept = shape.dims.enumerated().filter { index, dim in
          axes.map { !$0.contains(index) } ?? (dim != 1)
        }
        return try context.node("squeeze", Reshape(kept.map(\.element)), [x])
      }),
    ]
  }()

  /// TensorFlow's functions, which Keras 2 saves as layers.
  static let functions: [String: KerasLayerKind] = {
    let lambda = KerasLayerKind(
      check: { layer in
        let function = layer.tensorFlowFunction
        guard tensorFlow[function] != nil else {
          throw Diagnostic("KER006", "the function '\(function)' is not imported")
        }
      },
      emit: { context, _ in
        guard let kind = tensorFlow[context.layer.tensorFlowFunction] else {
          throw Diagnostic("KER006", "the function is not imported")
        }
        return try kind(&context)
      }
    )
    return ["TFOpLambda": lambda]
  }()

  private typealias Emit = @Sendable (inout KerasContext) throws -> ValueID

  private static let tensorFlow: [String: Emit] = {
    func binary(_ kind: Binary.Kind) -> Emit {
      { context in try context.node("merge", Binary(kind), context.operands(["x", "y"])) }
    }
    func named(_ function: String) -> Emit {
      { context in
        let x = try context.operands(["x"])[0]
        guard let function = KerasContext.functions[function] else { return x }
        return try function(&context, x)
      }
    }
    return [
      "math.add": binary(.add), "__operators__.add": binary(.add),
      "math.subtract": binary(.subtract), "math.multiply": binary(.multiply),
      "math.truediv": binary(.divide), "math.divide": binary(.divide),
      "math.maximum": binary(.maximum), "math.minimum": binary(.minimum),
      "nn.relu": named("relu"), "nn.relu6": named("relu6"), "math.sigmoid": named("sigmoid"),
      "nn.sigmoid": named("sigmoid"), "math.tanh": named("tanh"), "nn.tanh": named("tanh"),
      "nn.softmax": named("softmax"), "nn.silu": named("silu"),
    ]
  }()
}

extension KerasLayer {
  /// The dotted name of the function that a layer of Keras 2 wraps.
  fileprivate var tensorFlowFunction: String { self["function"]?.string ?? "?" }

  /// The target of a reshape that names every axis; an open first one is the batch.
  fileprivate func newShape(batch: Int) throws -> [Int] {
    guard let entries = (self["newshape"] ?? self["new_shape"])?.array else {
      throw unsupported("newshape", "extents were expected")
    }
    return try entries.enumerated().map { index, entry in
      if entry.isNull { return index == 0 ? batch : -1 }
      guard let dim = entry.int else { throw unsupported("newshape", "extents were expected") }
      return dim
    }
  }
}

extension KerasContext {
  /// The operands of a function, in order: tensors and numbers, by place or by name.
  fileprivate mutating func operands(_ names: [String]) throws -> [ValueID] {
    var positional = call.arguments
    if positional.count == 1, case .list(let elements) = positional[0] { positional = elements }
    var result: [ValueID] = []
    for (index, name) in names.enumerated() {
      let given =
        index < positional.count ? positional[index] : call.named.first { $0.name == name }?.value
      switch given {
      case .tensor(let reference):
        guard let id = values[reference] else {
          throw Diagnostic("KER006", "the operand '\(name)' is not known")
        }
        result.append(id)
      case .value(let json):
        guard let number = json.double else {
          throw Diagnostic("KER006", "the operand '\(name)' is no number")
        }
        result.append(scalar(Float(number)))
      default: throw Diagnostic("KER006", "the operand '\(name)' is missing")
      }
    }
    // A number with integers would change their type.
    guard let first = result.first(where: { graph[$0].constant == nil }) else {
      throw Diagnostic("KER006", "no operand is a tensor")
    }
    guard type(first).dtype == .float32 else {
      throw Diagnostic("KER006", "the operands are no floats")
    }
    return result
  }
}
