import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Operators that a Graph has not are composed of those that it has. These are the words for it: each
// adds a node named after the call's output, or none where it would do nothing.

extension GraphImporter {
  /// The extents of a value of the graph.
  func shape(_ id: ValueID) -> Shape { graph[id].type.shape }

  /// The element type of a value of the graph.
  func dtype(_ id: ValueID) -> DType { graph[id].type.dtype }

  /// A scalar; integers too, which a float could not hold.
  mutating func scalar(_ value: Double, _ dtype: DType) -> ValueID {
    let tensor: Tensor
    switch dtype {
    case .float64: tensor = Tensor([value], [], dtype: .float64)
    case .int64:
      tensor = Tensor([Int64(exactly: value.rounded(.towardZero)) ?? 0], [], dtype: .int64)
    default:
      let plain = Tensor([Float(value)], [])
      tensor = plain.converted(to: dtype) ?? plain
    }
    return addConstant(valueName("const/\(value)"), tensor)
  }

  /// A function of each element.
  mutating func unary(_ call: OperatorCall, _ kind: Unary.Kind, _ x: ValueID) throws -> ValueID {
    try step(call, kind.rawValue.lowercased(), Unary(kind), [x])
  }

  /// A function of two values, which broadcast.
  mutating func binary(
    _ call: OperatorCall,
    _ kind: Binary.Kind,
    _ a: ValueID,
    _ b: ValueID
  ) throws -> ValueID {
    try step(call, kind.rawValue.lowercased(), Binary(kind), [a, b])
  }

  /// A function of a value and a number of its type.
  mutating func binary(
    _ call: OperatorCall,
    _ kind: Binary.Kind,
    _ a: ValueID,
    _ number: Double
  ) throws -> ValueID {
    let b = scalar(number, dtype(a))
    return try binary(call, kind, a, b)
  }

  /// `a` where the condition is true, else `b`.
  mutating func choice(
    _ call: OperatorCall,
    _ condition: ValueID,
    _ a: ValueID,
    _ b: ValueID
  ) throws -> ValueID {
    try step(call, "choice", Select(), [condition, a, b])
  }

  /// The same elements in another shape.
  mutating func reshaped(_ call: OperatorCall, _ x: ValueID, _ dims: [Int]) throws -> ValueID {
    if shape(x).dims == dims { return x }
    return try step(call, "shaped", Reshape(dims), [x])
  }

  /// The axes in another order.
  mutating func turned(
    _ call: OperatorCall,
    _ x: ValueID,
    _ permutation: [Int]
  ) throws -> ValueID {
    if permutation == Array(permutation.indices) { return x }
    return try step(call, "turned", Transpose(permutation), [x])
  }

  /// The elements in another type.
  mutating func cast(
    _ call: OperatorCall,
    _ x: ValueID,
    _ dtype: DType,
    saturates: Bool = true
  ) throws -> ValueID {
    if self.dtype(x) == dtype { return x }
    return try step(call, dtype.rawValue, Cast(dtype, saturates: saturates), [x])
  }

  /// A value taken together over axes.
  mutating func reduced(
    _ call: OperatorCall,
    _ kind: Reduce.Kind,
    _ x: ValueID,
    _ axes: [Int],
    keeps: Bool = true
  ) throws -> ValueID {
    try step(call, kind.rawValue, Reduce(kind, axes: axes, keepsAxes: keeps), [x])
  }

  /// A run of positions of one axis.
  mutating func sliced(
    _ call: OperatorCall,
    _ x: ValueID,
    axis: Int,
    _ range: Range<Int>,
    step stride: Int = 1
  ) throws -> ValueID {
    let shape = shape(x)
    var slice = AssayGraph.Slice(begin: shape.dims.map { _ in 0 }, sizes: shape.dims)
    slice.begin[axis] = range.lowerBound
    slice.sizes[axis] = (range.count + stride - 1) / stride
    slice.steps[axis] = stride
    return try step(call, "part", slice, [x])
  }

  /// Values joined along an axis.
  mutating func joined(_ call: OperatorCall, _ parts: [ValueID], axis: Int) throws -> ValueID {
    if parts.count == 1 { return parts[0] }
    return try step(call, "joined", Concat(axis: axis), parts)
  }

  /// A product of matrices.
  mutating func product(
    _ call: OperatorCall,
    _ a: ValueID,
    _ b: ValueID,
    transposesB: Bool = false
  ) throws -> ValueID {
    try step(call, "product", MatMul(transposesB: transposesB), [a, b])
  }

  /// Positions chosen along an axis.
  mutating func gathered(
    _ call: OperatorCall,
    _ x: ValueID,
    axis: Int,
    _ positions: [Int],
    shape: Shape? = nil
  ) throws -> ValueID {
    let indices = Tensor(positions.map { Int64($0) }, shape ?? [positions.count], dtype: .int64)
    let id = addConstant(valueName("\(call.output)/positions"), indices)
    return try step(call, "picked", Gather(axis: axis), [x, id])
  }

  /// A Constant of reals in an element type.
  mutating func constant(
    _ call: OperatorCall,
    _ values: [Double],
    _ shape: Shape,
    _ dtype: DType
  ) -> ValueID {
    let tensor =
      dtype == .float64
      ? Tensor(values, shape, dtype: .float64)
      : Tensor(values.map { Float($0) }, shape).converted(to: dtype)
        ?? Tensor(values.map { Float($0) }, shape)
    return addConstant(valueName("\(call.output)/table"), tensor)
  }

  /// Lets the call's output be a value of the graph, under the output's name where that is free.
  mutating func conclude(_ call: OperatorCall, _ id: ValueID, output: Int = 0) {
    guard call.node.outputs.indices.contains(output), !call.node.outputs[output].isEmpty else {
      return
    }
    let name = call.node.outputs[output]
    if graph[id].constant == nil, graph[id].name.hasPrefix("\(call.output)/") {
      graph[id].name = valueName(name)
    }
    twins.place(name, plain: id)
  }

  /// Whether anybody asks for one of the call's outputs.
  func wants(_ call: OperatorCall, _ output: Int) -> Bool {
    call.node.outputs.indices.contains(output) && !call.node.outputs[output].isEmpty
  }

  /// The axis that a call names, counted from the front.
  func axis(_ call: OperatorCall, _ shape: Shape, default value: Int) throws -> Int {
    let given = call.int("axis", default: value)
    guard let axis = shape.normalized(axis: given) else {
      throw call.unsupported("axis \(given) of \(shape)")
    }
    return axis
  }
}
