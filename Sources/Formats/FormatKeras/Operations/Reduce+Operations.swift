import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Functions of `keras.ops` that take elements together or choose among them.
  static let reducingOperations: [String: KerasLayerKind] = {
    func reduce(_ kind: Reduce.Kind, isFloat: Bool = false) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        guard context.layer["initial"] == nil else {
          throw context.layer.unsupported("initial", "a first value")
        }
        var x = try context.operand(0, "x")
        if isFloat { x = try context.float(x) }
        if kind == .any || kind == .all { x = try context.truth(x) }
        return try context.reduced(x, kind)
      })
    }
    func moments(_ takesRoot: Bool) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        let mean = Reduce(.mean, axes: try context.axes(of: x), keepsAxes: true)
        let center = try context.node("mean", mean, [x])
        let square = try context.node("square", Binary(.squaredDifference), [x, center])
        let variance = try context.reduced(square, .mean)
        return takesRoot ? try context.node("root", Unary(.sqrt), [variance]) : variance
      })
    }
    func position(_ kind: ArgReduce.Kind) -> KerasLayerKind {
      KerasLayerKind(emit: { context, _ in
        var x = try context.operand(0, "x")
        let keeps = try context.layer.bool("keepdims", default: false)
        if context.layer["axis"] == nil {
          x = try context.node("flatten", Reshape([context.shape(x).count]), [x])
        }
        let axis = context.layer["axis"] == nil ? 0 : try context.axis(of: x)
        let op = ArgReduce(kind, axis: axis, keepsAxis: keeps, dtype: .int32)
        return try context.node("position", op, [x])
      })
    }
    return [
      "Mean": reduce(.mean, isFloat: true), "Max": reduce(.max), "Min": reduce(.min),
      "Amax": reduce(.max), "Amin": reduce(.min), "Sum": reduce(.sum), "Prod": reduce(.product),
      "Any": reduce(.any), "All": reduce(.all), "Var": moments(false), "Std": moments(true),
      "Argmax": position(.max), "Argmin": position(.min),
      "Average": KerasLayerKind(emit: { context, _ in
        guard context.argument(1, "weights") == nil else {
          throw context.layer.unsupported("weights", "a weighed average")
        }
        return try context.reduced(context.float(context.operand(0, "x")), .mean)
      }),
      "Logsumexp": KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        let axes = try context.axes(of: x)
        let top = try context.node("max", Reduce(.max, axes: axes, keepsAxes: true), [x])
        let centered = try context.node("center", Binary(.subtract), [x, top])
        let powers = try context.node("exp", Unary(.exp), [centered])
        let sum = try context.node("sum", Reduce(.sum, axes: axes, keepsAxes: true), [powers])
        let rest = try context.node("log", Unary(.log), [sum])
        let y = try context.node("logsumexp", Binary(.add), [rest, top])
        return try context.layer.bool("keepdims", default: false)
          ? y : context.squeezed(y, axes: axes)
      }),
      "Norm": KerasLayerKind(emit: { context, _ in
        let order = context.layer["ord"]
        guard order == nil || order?.double == 2 || order?.string == "fro" else {
          throw context.layer.unsupported("ord", "norms but the Euclidean")
        }
        let x = try context.float(context.operand(0, "x"))
        guard try order?.double == nil || context.axes(of: x).count == 1 else {
          throw context.layer.unsupported("ord", "the spectral norm of a matrix")
        }
        let square = try context.node("square", Unary(.square), [x])
        let sum = try context.reduced(square, .sum)
        return try context.node("root", Unary(.sqrt), [sum])
      }),
      "Normalize": KerasLayerKind(emit: { context, _ in
        guard try context.layer.int("order", default: 2) == 2 else {
          throw context.layer.unsupported("order", "norms but the Euclidean")
        }
        let x = try context.float(context.operand(0, "x"))
        let epsilon = try context.layer.float("epsilon", default: 1e-7)
        let axes = try context.layer["axis"] == nil ? [-1] : context.axes(of: x)
        return try context.unitNormalized(x, axes: axes, epsilon: epsilon)
      }),
      "TopK": KerasLayerKind(emitAll: { context, _ in
        let x = try context.operand(0, "x")
        return try context.nodes("top", TopK(context.layer.int("k"), dtype: .int32), [x])
      }),
      "Cumsum": KerasLayerKind(emit: { context, _ in
        let x = try context.operand(0, "x")
        guard context.layer["axis"] != nil else {
          throw context.layer.unsupported("axis", "the sum over all elements")
        }
        return try context.node("sum", CumulativeSum(axis: context.axis(of: x)), [x])
      }),
      "Softmax": KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        return try context.softmax(
          x,
          axes: context.layer["axis"] == nil ? [-1] : context.axes(of: x)
        )
      }),
      "LogSoftmax": KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        return try context.node("log_softmax", LogSoftmax(axis: context.axis(of: x)), [x])
      }),
      "LayerNorm": KerasLayerKind(emit: { context, _ in try context.layerNormOperation() }),
      "RMSNorm": KerasLayerKind(emit: { context, _ in
        let x = try context.float(context.operand(0, "x"))
        let axes = try context.layer["axis"] == nil ? [-1] : context.axes(of: x)
        let epsilon = try context.layer.float("epsilon", default: 1e-7)
        let y = try context.scaledByRoot(x, axes, epsilon, usesVariance: false)
        guard context.argument(1, "scale") != nil else { return y }
        let scale = try context.operand(1, "scale")
        return try context.node("scale", Binary(.multiply), [y, scale])
      }),
    ]
  }()
}

extension KerasContext {
  /// A reduction over the axes of the layer's configuration.
  fileprivate mutating func reduced(_ x: ValueID, _ kind: Reduce.Kind) throws -> ValueID {
    let keeps = try layer.bool("keepdims", default: false)
    return try node("reduce", Reduce(kind, axes: axes(of: x), keepsAxes: keeps), [x])
  }

  fileprivate mutating func layerNormOperation() throws -> ValueID {
    let x = try float(operand(0, "x"))
    let axes = try layer["axis"] == nil ? [shape(x).rank - 1] : self.axes(of: x)
    let epsilon = try layer.float("epsilon", default: 1e-7)
    var y =
      try layer.bool("rms_scaling", default: false)
      ? scaledByRoot(x, axes, epsilon, usesVariance: true) : standardized(x, axes, epsilon)
    if argument(1, "gamma") != nil {
      y = try node("scale", Binary(.multiply), [y, operand(1, "gamma")])
    }
    if argument(2, "beta") != nil {
      y = try node("shift", Binary(.add), [y, operand(2, "beta")])
    }
    return y
  }

  /// The tensor without some axes of extent 1.
  mutating func squeezed(_ x: ValueID, axes: [Int]) throws -> ValueID {
    let dims = shape(x).dims
    let kept = dims.indices.filter { !axes.contains($0) }.map { dims[$0] }
    return try node("squeeze", Reshape(kept), [x])
  }
}
