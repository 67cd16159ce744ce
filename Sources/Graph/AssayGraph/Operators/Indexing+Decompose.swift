import AssayBase
import AssayTensor

extension BandPart: DecomposableOperator {
  /// A choice between the matrix and zeros.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let type = graph.type(x)
    let (rows, columns) = (type.shape[-2], type.shape[-1])
    guard rows >= 0, columns >= 0, rows.multipliedReportingOverflow(by: columns).overflow == false,
      rows * columns < 1 << 26, let zero = Tensor([Float(0)], []).converted(to: type.dtype)
    else { throw Diagnostic("GRF003", "a band of \(type) cannot be written out") }
    let elements = (0..<rows * columns).map { place -> UInt8 in
      let offset = place % columns - place / columns
      return offset >= (lowest ?? .min) && offset <= (highest ?? .max) ? 1 : 0
    }
    let mask = graph.addConstant("band", Tensor(elements, [rows, columns], dtype: .bool))
    let none = graph.addConstant("zero", zero.with(quantization: type.quantization))
    try graph.finish(Select(), [mask, x, none], node)
  }
}

extension GatherElements: DecomposableOperator {
  /// A GatherND at coordinates that count up along every axis but one.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let places = try coordinates(
      try graph.input(1, of: node),
      axis: axis,
      extent: graph.type(x).shape[axis],
      into: &graph
    )
    try graph.finish(GatherND(), [x, places], node)
  }
}

extension ScatterElements: DecomposableOperator {
  /// A ScatterND at coordinates that count up along every axis but one.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let places = try coordinates(
      try graph.input(1, of: node),
      axis: axis,
      extent: graph.type(x).shape[axis],
      into: &graph
    )
    try graph.finish(ScatterND(reduction), [x, places, try graph.input(2, of: node)], node)
  }
}

/// Whole coordinates `[I…, rank]` of int32 for indices along one axis; negative ones count from its
/// end.
private func coordinates(
  _ indices: ValueID,
  axis: Int,
  extent: Int,
  into graph: inout Decomposition
) throws -> ValueID {
  let shape = graph.type(indices).shape
  guard shape.isStatic, let axis = shape.normalized(axis: axis), shape.count < 1 << 24 else {
    throw Diagnostic("GRF003", "indices \(shape) cannot be written out")
  }
  var along = indices
  if graph.type(along).dtype != .int32 {
    along = try graph.add(Cast(.int32), [along], like: TensorType(.int32, shape))
  }
  let known = graph.constant(indices)?.integers()
  if known?.contains(where: { $0 < 0 }) ?? true {
    let zero = graph.addConstant("zero", Tensor([Int32(0)], []))
    let whole = graph.addConstant("extent", Tensor([Int32(clamping: extent)], []))
    let isNegative = try graph.add(Binary(.less), [along, zero])
    let counted = try graph.add(Binary(.add), [along, whole])
    along = try graph.add(Select(), [isNegative, counted, along])
  }
  let strides = shape.strides
  var parts: [ValueID] = []
  for other in 0..<shape.rank {
    if other == axis {
      parts.append(try graph.add(Reshape(shape.dims + [1]), [along]))
    } else {
      let values = (0..<shape.count).map { Int32($0 / strides[other] % shape.dims[other]) }
      parts.append(graph.addConstant("axis\(other)", Tensor(values, Shape(shape.dims + [1]))))
    }
  }
  return parts.count == 1 ? parts[0] : try graph.add(Concat(axis: -1), parts)
}

extension Pool3D: DecomposableOperator {
  /// A pooling over height and width, then one over the depth: a window's greatest element is that of
  /// its rows' greatest, and as every row has as many elements inside the volume, its average is that
  /// of its rows' averages.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let shape = graph.type(x).shape
    guard shape.rank == 5, shape.isStatic else {
      throw Diagnostic("GRF003", "\(name) of \(shape) cannot be written out")
    }
    func amounts(_ axis: Int) -> (before: Int, after: Int) {
      padding.amounts(
        axis: axis,
        extent: shape[axis + 1],
        window: window.all[axis],
        stride: strides.all[axis],
        dilation: 1
      )
    }
    let (deep, high, wide) = (amounts(0), amounts(1), amounts(2))
    let flat = try graph.add(
      Reshape([shape[0] * shape[1], shape[2], shape[3], shape[4]]),
      [x]
    )
    let rows = Pool2D(
      kind,
      window: Size2D(window.height, window.width),
      strides: Size2D(strides.height, strides.width),
      padding: .explicit(
        top: high.before,
        bottom: high.after,
        left: wide.before,
        right: wide.after
      )
    )
    var y = try graph.add(rows, [flat])
    let size = graph.type(y).shape
    y = try graph.add(Reshape([shape[0], shape[1], size[1] * size[2], shape[4]]), [y])
    let depths = Pool2D(
      kind,
      window: Size2D(window.depth, 1),
      strides: Size2D(strides.depth, 1),
      padding: .explicit(top: deep.before, bottom: deep.after, left: 0, right: 0),
      activation: activation
    )
    y = try graph.add(depths, [y])
    let depth = graph.type(y).shape[1]
    try graph.finish(Reshape([shape[0], depth, size[1], size[2], shape[4]]), [y], node)
  }
}
