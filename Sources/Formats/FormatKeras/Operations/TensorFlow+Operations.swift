import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Functions of `keras.ops`, which Keras 3 saves beside layers.
  static let operations: [String: KerasLayerKind] = {
    let groups = [
      elementwiseOperations, reducingOperations, shapingOperations, productOperations,
    ]
    return groups.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
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
    let node = KerasLayerKind(
      check: { layer in
        let name = layer.nodeOperation
        guard tensorFlow[name] != nil else {
          throw Diagnostic("KER006", "the operation '\(name)' is not imported")
        }
      },
      emit: { context, inputs in try context.nodeLayer(inputs) }
    )
    return ["TFOpLambda": lambda, "TensorFlowOpLayer": node]
  }()

  fileprivate typealias Emit = @Sendable (inout KerasContext) throws -> ValueID

  fileprivate static let tensorFlow: [String: Emit] = {
    func binary(_ kind: Binary.Kind) -> Emit {
      { context in try context.node("merge", Binary(kind), context.pair("x", "y")) }
    }
    func named(_ function: String) -> Emit {
      { context in
        let name = context.argument(0, "features") == nil ? "x" : "features"
        let x = try context.float(context.operand(0, name))
        guard let function = KerasContext.functions[function] else { return x }
        return try function(&context, x)
      }
    }
    func reduce(_ kind: Reduce.Kind) -> Emit {
      { context in
        let x = try context.operand(0, "input_tensor")
        var axes = Array(0..<context.shape(x).rank)
        if case .value(let json)? = context.argument(1, "axis") {
          let given = json.int.map { [$0] } ?? json.ints ?? []
          axes = given.compactMap(context.shape(x).normalized(axis:))
          guard axes.count == given.count else {
            throw Diagnostic("KER006", "axes \(given) of \(context.shape(x))")
          }
        }
        let keeps = context.flag("keepdims", at: 2) ?? false
        return try context.node("reduce", Reduce(kind, axes: axes, keepsAxes: keeps), [x])
      }
    }
    var table: [String: Emit] = [:]
    let binaries: [(Binary.Kind, [String])] = [
      (.add, ["math.add", "__operators__.add", "AddV2", "Add", "BiasAdd"]),
      (.subtract, ["math.subtract", "__operators__.sub", "Sub"]),
      (.multiply, ["math.multiply", "__operators__.mul", "Mul"]),
      (.divide, ["math.truediv", "math.divide", "__operators__.truediv", "RealDiv"]),
      (.maximum, ["math.maximum", "Maximum"]), (.minimum, ["math.minimum", "Minimum"]),
      (.power, ["math.pow", "Pow"]), (.squaredDifference, ["SquaredDifference"]),
    ]
    for (kind, names) in binaries { for name in names { table[name] = binary(kind) } }
    let functions: [(String, [String])] = [
      ("relu", ["nn.relu", "Relu"]), ("relu6", ["nn.relu6", "Relu6"]),
      ("sigmoid", ["math.sigmoid", "nn.sigmoid", "Sigmoid"]),
      ("tanh", ["math.tanh", "nn.tanh", "Tanh"]), ("softmax", ["nn.softmax", "Softmax"]),
      ("silu", ["nn.silu", "nn.swish"]), ("elu", ["nn.elu", "Elu"]), ("selu", ["nn.selu", "Selu"]),
      ("softplus", ["math.softplus", "Softplus"]), ("gelu", ["nn.gelu"]),
      ("exp", ["math.exp", "Exp"]), ("sqrt", ["math.sqrt", "Sqrt"]), ("abs", ["math.abs", "Abs"]),
      ("square", ["math.square", "Square"]), ("negative", ["math.negative", "Neg"]),
      ("sin", ["math.sin", "Sin"]), ("cos", ["math.cos", "Cos"]),
    ]
    for (function, names) in functions { for name in names { table[name] = named(function) } }
    table["math.reduce_mean"] = reduce(.mean)
    table["math.reduce_sum"] = reduce(.sum)
    table["math.reduce_max"] = reduce(.max)
    table["math.reduce_min"] = reduce(.min)
    table["concat"] = { context in
      guard case .value(let axis)? = context.argument(1, "axis"), let axis = axis.int,
        case .list(let elements)? = context.argument(0, "values")
      else { throw Diagnostic("KER006", "an axis was expected") }
      let operands = elements.flatMap(\.tensors).compactMap { context.values[$0] }
      return try context.node("concat", Concat(axis: axis), operands)
    }
    table["reshape"] = { context in
      let x = try context.operand(0, "tensor")
      guard case .value(let shape)? = context.argument(1, "shape"), let dims = shape.ints else {
        throw Diagnostic("KER006", "a shape was expected")
      }
      return try context.node("reshape", Reshape(dims), [x])
    }
    return table
  }()
}

extension KerasLayer {
  /// The dotted name of the function that a layer of Keras 2 wraps.
  fileprivate var tensorFlowFunction: String { self["function"]?.string ?? "?" }

  /// The operation of a node of a TensorFlow graph that an early Keras 2 wraps.
  fileprivate var nodeOperation: String { self["node_def"]?["op"]?.string ?? "?" }
}

extension KerasContext {
  /// A node of a TensorFlow graph: the operands are the layer's inputs and its constants, by place.
  fileprivate mutating func nodeLayer(_ inputs: [ValueID]) throws -> ValueID {
    guard let kind = KerasLayerKind.tensorFlow[layer.nodeOperation] else {
      throw Diagnostic("KER006", "the operation is not imported")
    }
    var tensors = call.arguments.flatMap { argument -> [KerasArgument] in
      argument.tensors.map { .tensor($0) }
    }[...]
    let constants = layer["constants"]?.pairs ?? []
    var arguments: [KerasArgument] = []
    for place in 0..<inputs.count + constants.count {
      if let known = constants.first(where: { $0.key == "\(place)" }) {
        arguments.append(.value(known.value))
      } else if let tensor = tensors.popFirst() {
        arguments.append(tensor)
      }
    }
    let outer = call
    call = KerasCall(arguments: arguments, named: [])
    defer { call = outer }
    return try kind(&self)
  }
}
