import AssayBase
import AssayGraph
import AssayTensor

/// Operators on shapes, and such whose result is known when the file is read.
extension ComposedOperators {
  static let shapes: [BuiltinOperator: Reader] = [
    "SHAPE": { try shape($0, &$1) },
    "RANK": { try rank($0, &$1) },
    "ZEROS_LIKE": { try zerosLike($0, &$1) },
    "FILL": { try fill($0, &$1) },
    "RANGE": { try range($0, &$1) },
    "BROADCAST_ARGS": { try broadcastShapes($0, &$1) },
    "WHERE": { try places($0, &$1) },
    "UNIQUE": { try unique($0, &$1) },
    "DENSIFY": { op, importer in
      // A sparse constant is given its zeros where it is read.
      try importer.bind(try importer.input(0, of: op), of: op)
    },
    "EMBEDDING_LOOKUP": { try embedding($0, &$1) },
    "MATRIX_DIAG": { try diagonal($0, &$1) },
    "MATRIX_SET_DIAG": { try setDiagonal($0, &$1) },
    "DYNAMIC_UPDATE_SLICE": { try updateSlice($0, &$1) },
    "DILATE": { try dilate($0, &$1) },
    "SPARSE_TO_DENSE": { try sparseToDense($0, &$1) },
  ]

  /// The most elements of a Constant that is made here.
  private static let mostElements = 1 << 24

  /// Lets the operator's output be a Constant.
  static func bindConstant(
    _ tensor: Tensor,
    output: Int = 0,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let name =
      try op.record.outputs.indices.contains(output)
      ? importer.record(Int(op.record.outputs[output])).name : op.name
    try importer.bind(importer.addConstant(name, tensor), output: output, of: op)
  }

  /// Integers in the type that the file declares for an output.
  static func integers(
    _ values: [Int],
    _ shape: Shape,
    output: Int = 0,
    _ op: ImportedOperator,
    _ importer: TFLiteImporter
  ) throws -> Tensor {
    let dtype = try importer.declaredType(output, of: op).dtype
    guard dtype == .int32 else { return Tensor(values.map(Int64.init), shape, dtype: .int64) }
    return Tensor(values.map { Int32(clamping: $0) }, shape)
  }

  private static func shape(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let shape = importer.type(x).shape
    guard shape.isStatic else { throw fault("the shape \(shape) is open") }
    try bindConstant(integers(shape.dims, [shape.rank], op, importer), op, &importer)
  }

  private static func rank(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let shape = importer.type(x).shape
    try bindConstant(integers([shape.rank], [], op, importer), op, &importer)
  }

  /// A Constant whose elements all have one bit pattern, that of an integer or of a float of 32 bits.
  static func filled(_ type: TensorType, with bytes: [UInt8]) throws -> Tensor {
    guard let count = type.byteCount, count <= mostElements, !bytes.isEmpty else {
      throw fault("a constant \(type)")
    }
    var all: [UInt8] = []
    all.reserveCapacity(count)
    while all.count < count { all += bytes }
    return try Tensor(type, bytes: ByteView(all.prefix(count)))
  }

  private static func zerosLike(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    try bindConstant(try filled(importer.type(x), with: [0]), op, &importer)
  }

  private static func fill(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let dims = try importer.integers(0, of: op)
    let value = try importer.input(1, of: op)
    guard dims.allSatisfy({ $0 >= 0 }) else { throw fault("the shape \(dims)") }
    var type = importer.type(value)
    type.shape = Shape(dims)
    if let known = importer.constant(value), known.count == 1, known.dtype.bitWidth >= 8,
      type.byteCount ?? .max <= 1 << 16
    {
      return try bindConstant(try filled(type, with: known.bytes.array), op, &importer)
    }
    try broadcast(value, to: dims, op, &importer)
  }

  private static func range(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let numbers = try (0..<3).map { index in
      guard let number = try importer.elements(index, of: op).floats().first else {
        throw fault("an empty bound")
      }
      return number
    }
    let type = try importer.declaredType(0, of: op)
    let (start, limit, step) = (numbers[0], numbers[1], numbers[2])
    guard step != 0, ((limit - start) / step).magnitude < 1e9 else {
      throw fault("a step of \(step)")
    }
    if type.dtype.isInteger {
      let bounds = try (0..<3).map { try importer.integers($0, of: op)[0] }
      let values = Array(stride(from: bounds[0], to: bounds[1], by: bounds[2]).prefix(mostElements))
      return try bindConstant(integers(values, [values.count], op, importer), op, &importer)
    }
    let count = max(Int(((limit - start) / step).rounded(.up)), 0)
    guard count <= mostElements else { throw fault("\(count) elements") }
    let values = (0..<count).map { start + Float($0) * step }
    try bindConstant(Tensor(values, [count]), op, &importer)
  }

  private static func broadcastShapes(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let (a, b) = (try importer.integers(0, of: op), try importer.integers(1, of: op))
    guard let both = Shape(a).broadcast(with: Shape(b)) else {
      throw fault("\(Shape(a)) and \(Shape(b)) do not broadcast")
    }
    try bindConstant(integers(both.dims, [both.rank], op, importer), op, &importer)
  }

  /// The coordinates of what is true, for a condition that is known.
  private static func places(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let condition = try importer.elements(0, of: op)
    let strides = condition.shape.strides
    let found = condition.floats().enumerated().filter { $0.element != 0 }.map(\.offset)
    let values = found.flatMap { place in
      condition.shape.dims.indices.map { place / strides[$0] % condition.shape.dims[$0] }
    }
    try bindConstant(
      integers(values, [found.count, condition.shape.rank], op, importer),
      op,
      &importer
    )
  }

  /// Distinct elements in the order of their first places, and for each element which it is.
  private static func unique(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.elements(0, of: op)
    guard x.dtype.isInteger, x.shape.rank == 1 else { throw fault("elements \(x.type)") }
    var order: [Int: Int] = [:]
    var distinct: [Int] = []
    let indices = x.integers().map { value -> Int in
      if let known = order[value] { return known }
      order[value] = distinct.count
      distinct.append(value)
      return distinct.count - 1
    }
    try bindConstant(integers(distinct, [distinct.count], op, importer), op, &importer)
    try bindConstant(
      integers(indices, x.shape, output: 1, op, importer),
      output: 1,
      op,
      &importer
    )
  }

  /// Rows of a table by number; a table of 8 bits gives floats.
  private static func embedding(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let (ids, table) = (try importer.input(0, of: op), try importer.input(1, of: op))
    let (type, output) = (importer.type(table), try importer.declaredType(0, of: op))
    guard type.quantization != nil, output.dtype == .float32 else {
      return try importer.add(Gather(axis: 0), [table, ids], op)
    }
    if type.quantization?.isPerChannel == true {
      let real = try importer.intermediate(Dequantize(), [table], op)
      return try importer.add(Gather(axis: 0), [real, ids], op)
    }
    let rows = try importer.intermediate(Gather(axis: 0), [table, ids], op, like: type)
    try importer.add(Dequantize(), [rows], op)
  }

  /// Truth values that are true on the diagonal.
  private static func diagonalMask(_ rows: Int, _ columns: Int) throws -> Tensor {
    guard rows * columns <= mostElements else { throw fault("matrices of \(rows)x\(columns)") }
    let elements = (0..<rows * columns).map { UInt8($0 / columns == $0 % columns ? 1 : 0) }
    return Tensor(elements, [rows, columns], dtype: .bool)
  }

  private static func diagonal(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let type = importer.type(x)
    guard let count = type.shape.dims.last, count > 0, count < 1 << 12 else {
      throw fault("a diagonal of \(type.shape)")
    }
    var dims = type.shape.dims
    dims.insert(1, at: dims.count - 1)
    let row = try importer.intermediate(Reshape(dims), [x], op, like: type)
    let mask = importer.addConstant("diagonal", try diagonalMask(count, count))
    var scalar = type
    scalar.shape = []
    let zero = importer.addConstant("zero", try filled(scalar, with: [0]))
    try importer.add(Select(), [mask, row, zero], op)
  }

  private static func setDiagonal(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let (x, diagonal) = (try importer.input(0, of: op), try importer.input(1, of: op))
    let (shape, type) = (importer.type(x).shape, importer.type(diagonal))
    guard shape.rank >= 2, shape[-1] > 0, shape[-2] > 0,
      type.shape.dims == shape.dims.dropLast(2) + [min(shape[-1], shape[-2])]
    else { throw fault("a diagonal \(type.shape) of \(shape)") }
    var dims = type.shape.dims
    dims.insert(1, at: shape[-1] <= shape[-2] ? dims.count - 1 : dims.count)
    let spread = try importer.intermediate(Reshape(dims), [diagonal], op, like: type)
    let mask = importer.addConstant("diagonal", try diagonalMask(shape[-2], shape[-1]))
    try importer.add(Select(), [mask, spread, x], op)
  }

  /// A block of a tensor replaced, at a place that is known.
  static func updateSlice(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let (x, update) = (try importer.input(0, of: op), try importer.input(1, of: op))
    let (type, block) = (importer.type(x), importer.type(update))
    let rank = type.shape.rank
    // StableHLO has an input for each coordinate, the other form a tensor of them.
    let given =
      op.record.inputs.count == 3 && rank != 1 || op.builtin == "DYNAMIC_UPDATE_SLICE"
      ? try importer.integers(2, of: op)
      : try (0..<rank).flatMap { try importer.integers(2 + $0, of: op) }
    guard given.count == rank, block.shape.rank == rank,
      zip(block.shape.dims, type.shape.dims).allSatisfy({ $0 <= $1 }),
      type.shape.count <= mostElements
    else { throw fault("\(block.shape) in \(type.shape)") }
    let start = given.indices.map {
      min(max(given[$0], 0), type.shape.dims[$0] - block.shape.dims[$0])
    }
    let after = start.indices.map { type.shape.dims[$0] - block.shape.dims[$0] - start[$0] }
    let padded = try importer.intermediate(
      Pad(before: start, after: after),
      [update],
      op,
      like: block
    )
    let strides = type.shape.strides
    let inside = (0..<type.shape.count).map { place in
      UInt8(
        start.indices.allSatisfy { axis in
          let coordinate = place / strides[axis] % type.shape.dims[axis]
          return coordinate >= start[axis] && coordinate < start[axis] + block.shape.dims[axis]
        } ? 1 : 0
      )
    }
    let mask = importer.addConstant("block", Tensor(inside, type.shape, dtype: .bool))
    try importer.add(Select(), [mask, padded, x], op)
  }

  /// Values at coordinates of a tensor that holds one value elsewhere.
  private static func sparseToDense(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let dims = try importer.integers(1, of: op)
    let fill = try importer.elements(3, of: op)
    var (indices, values) = (try importer.input(0, of: op), try importer.input(2, of: op))
    let (places, type) = (importer.type(indices), importer.type(values))
    guard fill.count == 1, fill.dtype.bitWidth >= 8, places.shape.rank <= 2 else {
      throw fault("indices \(places.shape)")
    }
    // A scalar or a list of coordinates is that of the only axis.
    let count = places.shape.rank == 2 ? places.shape[0] : places.shape.count
    if places.shape.rank < 2 {
      indices = try importer.intermediate(Reshape([count, 1]), [indices], op, like: places)
    }
    if type.shape.dims != [count] {
      let spread: any Operator = type.shape.rank == 0 ? BroadcastTo([count]) : Reshape([count])
      values = try importer.intermediate(spread, [values], op, like: type)
    }
    var whole = type
    whole.shape = Shape(dims)
    let start = importer.addConstant("default", try filled(whole, with: fill.bytes.array))
    try importer.add(ScatterND(), [start, indices, values], op)
  }

  private static func dilate(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let dilations = try importer.integers(1, of: op)
    guard let value = try importer.elements(2, of: op).floats().first else {
      throw fault("the padding value is missing")
    }
    let type = importer.type(x)
    guard dilations.count == type.shape.rank, dilations.allSatisfy({ $0 >= 1 && $0 < 1 << 16 })
    else {
      throw fault("dilations \(dilations) of \(type.shape)")
    }
    let spread = try interspersed(x, by: dilations.map { $0 - 1 }, value: value, op, &importer)
    try importer.add(Reshape(importer.type(spread).shape.dims), [spread], op)
  }

  /// `x` with elements of `value` between its own, so many along each axis.
  static func interspersed(
    _ x: ValueID,
    by amounts: [Int],
    value: Float,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID {
    var current = x
    let type = importer.type(x)
    for (axis, amount) in amounts.enumerated() where amount > 0 && type.shape.dims[axis] > 1 {
      var dims = importer.type(current).shape.dims
      let extent = dims[axis]
      dims.insert(1, at: axis + 1)
      current = try importer.intermediate(Reshape(dims), [current], op, like: type)
      var after = dims.map { _ in 0 }
      after[axis + 1] = amount
      let pad = Pad(before: dims.map { _ in 0 }, after: after, value: value)
      current = try importer.intermediate(pad, [current], op, like: type)
      dims.remove(at: axis + 1)
      dims[axis] = extent * (amount + 1)
      current = try importer.intermediate(Reshape(dims), [current], op, like: type)
      dims[axis] -= amount
      let cut = Slice(begin: dims.map { _ in 0 }, sizes: dims)
      current = try importer.intermediate(cut, [current], op, like: type)
    }
    return current
  }
}
