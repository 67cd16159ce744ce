import AssayBase
import AssayGraph
import AssayTensor

extension Unary: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    if let activation = kind.activation {
      model.finish(node, x, activation: activation)
      return
    }
    model.finish(node, try value(x, node, &model))
  }

  private func value(
    _ x: KerasResult,
    _ node: KerasNode,
    _ model: inout KerasExporter
  ) throws -> KerasResult {
    func activation(_ name: JSON) -> KerasResult {
      model.add("Activation", [x], [("activation", name)], for: node)
    }
    func function(
      _ name: String,
      in module: String = "numpy",
      _ config: [(name: String, value: JSON)] = []
    ) throws -> KerasResult {
      try model.function(name, in: module, [.tensor(x)], config, for: node)
    }
    let isArchive = model.container == .archive
    switch kind {
    case .sigmoid: return activation("sigmoid")
    case .tanh: return activation("tanh")
    case .exp: return activation("exponential")
    case .elu: return activation("elu")
    case .gelu: return activation("gelu")
    case .negative:
      if isArchive { return try function("Negative") }
      return model.rescaled(x, -1, 0, for: node)
    case .square:
      if isArchive { return try function("Square") }
      return model.add("Multiply", [x, x], for: node)
    case .hardSwish:
      if isArchive { return activation("hard_silu") }
      // x * relu6(x + 3) / 6
      let shifted = model.rescaled(x, 1, 3, for: node)
      let clamped = model.add("ReLU", [shifted], [("max_value", 6)], for: node)
      let gate = model.rescaled(clamped, 1.0 / 6, 0, for: node)
      return model.add("Multiply", [x, gate], for: node)
    case .geluApproximate: return try function("Gelu", in: "nn", [("approximate", true)])
    case .round: return try function("Round", [("decimals", 0)])
    case .log: return try function("Log")
    case .sqrt: return try function("Sqrt")
    case .rsqrt: return try function("Rsqrt", in: "math")
    case .abs:
      if isArchive { return try function("Absolute") }
      let positive = model.add("ReLU", [x], for: node)
      let turned = model.rescaled(x, -1, 0, for: node)
      let negative = model.add("ReLU", [turned], for: node)
      return model.add("Add", [positive, negative], for: node)
    case .floor: return try function("Floor")
    case .ceil: return try function("Ceil")
    case .sin: return try function("Sin")
    case .cos: return try function("Cos")
    case .erf: return try function("Erf", in: "math")
    case .logicalNot: return try function("LogicalNot")
    case .sign: return try function("Sign")
    case .tan: return try function("Tan")
    case .asin: return try function("Arcsin")
    case .acos: return try function("Arccos")
    case .atan: return try function("Arctan")
    case .sinh: return try function("Sinh")
    case .cosh: return try function("Cosh")
    case .asinh: return try function("Arcsinh")
    case .acosh: return try function("Arccosh")
    case .atanh: return try function("Arctanh")
    case .isNaN: return try function("Isnan")
    case .isInfinite: return try function("Isinf")
    case .bitwiseNot: return try function("BitwiseNot")
    case .relu, .relu6, .reluN1To1: return x
    }
  }
}

extension Binary: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let result =
      try byConstant(node, &model) ?? layer(node, &model) ?? function(node, &model)
    model.finish(node, result, activation: activation)
  }

  /// Arithmetic with a number, or with one for each channel.
  private func byConstant(
    _ node: KerasNode,
    _ model: inout KerasExporter
  ) throws -> KerasResult? {
    guard node.outputs[0].dtype == .float32 else { return nil }
    let (a, b) = (model.constant(node, 0), model.constant(node, 1))
    guard let constant = a ?? b, a == nil || b == nil, constant.dtype == .float32 else {
      return nil
    }
    let isFirst = a != nil
    let x = try model.input(node, isFirst ? 1 : 0)
    let type = model.type(of: x)
    guard type == TensorType(.float32, node.outputs[0].shape) else { return nil }
    var values = constant.floats()
    let isNumber = constant.count == 1
    guard isNumber || constant.count == type.shape[-1] && constant.shape[-1] == constant.count
    else { return nil }
    let scales: [Float]?
    let offsets: [Float]?
    if kind == .maximum || kind == .minimum, isNumber, model.container == .hdf5 {
      return model.bounded(x, Double(values[0]), isLow: kind == .maximum, for: node)
    }
    switch kind {
    case .add: (scales, offsets) = (nil, values)
    case .multiply: (scales, offsets) = (values, nil)
    case .subtract:
      if !isFirst { values = values.map { -$0 } }
      (scales, offsets) = (isFirst ? values.map { _ in -1 } : nil, values)
    case .divide where !isFirst:
      // Exact only where the reciprocal is; functions divide.
      let isExact = values.allSatisfy { $0.significand == 1 && $0.isNormal }
      guard isExact || model.container == .hdf5 else { return nil }
      (scales, offsets) = (values.map { 1 / $0 }, nil)
    default: return nil
    }
    if isNumber {
      let (scale, offset) = (Double(scales?.first ?? 1), Double(offsets?.first ?? 0))
      return model.rescaled(x, scale, offset, for: node)
    }
    guard type.shape.rank >= 2 else { return nil }
    return model.channelAffine(x, gamma: scales, beta: offsets, for: node)
  }

  /// The layers that merge tensors; operands of fewer axes would be lined up otherwise there.
  private func layer(_ node: KerasNode, _ model: inout KerasExporter) throws -> KerasResult? {
    let className =
      switch kind {
      case .add: "Add"
      case .subtract: "Subtract"
      case .multiply: "Multiply"
      case .maximum: "Maximum"
      case .minimum: "Minimum"
      default: ""
      }
    guard !className.isEmpty, model.constant(node, 0) == nil, model.constant(node, 1) == nil,
      node.shape(0).rank == node.shape(1).rank, node.shape(0).rank >= 2,
      node.outputs[0].dtype == .float32
    else { return nil }
    return model.add(
      className,
      [try model.input(node, 0), try model.input(node, 1)],
      output: node.outputs[0],
      for: node
    )
  }

  private func function(_ node: KerasNode, _ model: inout KerasExporter) throws -> KerasResult {
    let operands = [try model.operand(node, 0), try model.operand(node, 1)]
    if kind == .squaredDifference {
      let difference = try model.function("Subtract", operands, for: node)
      return try model.function("Square", [.tensor(difference)], for: node)
    }
    let name =
      switch kind {
      case .add: "Add"
      case .subtract: "Subtract"
      case .multiply: "Multiply"
      case .divide: "Divide"
      case .maximum: "Maximum"
      case .minimum: "Minimum"
      case .power: "Power"
      case .floorDivide: "FloorDivide"
      case .floorModulo: "Mod"
      case .equal: "Equal"
      case .notEqual: "NotEqual"
      case .less: "Less"
      case .lessEqual: "LessEqual"
      case .greater: "Greater"
      case .greaterEqual: "GreaterEqual"
      case .logicalAnd: "LogicalAnd"
      case .logicalOr: "LogicalOr"
      case .logicalXor: "LogicalXor"
      case .bitwiseAnd: "BitwiseAnd"
      case .bitwiseOr: "BitwiseOr"
      case .bitwiseXor: "BitwiseXor"
      case .shiftLeft: "LeftShift"
      case .shiftRight: "RightShift"
      case .atan2: "Arctan2"
      case .squaredDifference: "Subtract"
      case .truncatedModulo: throw Diagnostic("KER102", "Keras has no function for \(name)")
      }
    return try model.function(name, operands, for: node)
  }
}

extension LeakyReLU: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let key = model.container == .archive ? "negative_slope" : "alpha"
    let slope = JSON(Double(alpha))
    model.finish(node, model.add("LeakyReLU", [try model.input(node)], [(key, slope)], for: node))
  }
}

extension PReLU: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let shape = node.shape(0)
    let slopes = try model.weight(node, 1)
    let rank = max(shape.rank, 1)
    var dims = [Int](repeating: 1, count: max(rank - slopes.shape.rank, 0)) + slopes.shape.dims
    guard dims.count == rank, dims[0] == 1 else {
      throw Diagnostic("KER112", "slopes \(slopes.shape) differ from sample to sample")
    }
    dims.removeFirst()
    // Axes that share a slope, but for those that have one element.
    let shared = dims.indices.filter { dims[$0] == 1 }.map { JSON($0 + 1) }
    let result = model.add(
      "PReLU",
      [try model.input(node)],
      [("shared_axes", shared.isEmpty ? .null : .array(shared))],
      weights: [("alpha", slopes.reshaped(Shape(dims)))],
      for: node
    )
    model.finish(node, result)
  }
}

extension Select: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let operands = try (0..<3).map { try model.operand(node, $0) }
    model.finish(node, try model.function("Where", operands, for: node))
  }
}
