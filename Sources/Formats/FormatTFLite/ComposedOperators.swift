import AssayBase
import AssayGraph
import AssayTensor

/// Operators of the format that our graph writes as several of its own: read only.
enum ComposedOperators {
  typealias Reader = @Sendable (ImportedOperator, inout TFLiteImporter) throws -> Void

  /// The reader of each.
  static let readers: [BuiltinOperator: Reader] = [
    "PACK": { try pack($0, &$1) },
    "UNPACK": { try unpack($0, &$1) },
    "TILE": { try tile($0, &$1) },
    "BROADCAST_TO": { try broadcast($0, &$1) },
    "REVERSE_V2": { try reverse($0, &$1) },
    "ADD_N": { try sum($0, &$1) },
    "SPACE_TO_DEPTH": { try spaceToDepth($0, &$1) },
    "DEPTH_TO_SPACE": { try depthToSpace($0, &$1) },
    "SPACE_TO_BATCH_ND": { try spaceToBatch($0, &$1) },
    "BATCH_TO_SPACE_ND": { try batchToSpace($0, &$1) },
    "RELU_0_TO_1": { try relu0To1($0, &$1) },
    "LOG_SOFTMAX": { try logSoftmax($0, &$1) },
    "L2_NORMALIZATION": { try l2Normalization($0, &$1) },
  ]

  private static func fault(_ what: String) -> Diagnostic { Diagnostic("TFL017", what) }

  /// Tensors joined along a new axis.
  private static func pack(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var axis = try op.options.int(1)
    var parts: [ValueID] = []
    for index in op.record.inputs.indices {
      let x = try importer.input(index, of: op)
      var dims = importer.type(x).shape.dims
      if axis < 0 { axis += dims.count + 1 }
      guard axis >= 0, axis <= dims.count else { throw fault("axis \(axis) of \(Shape(dims))") }
      dims.insert(1, at: axis)
      parts.append(try importer.intermediate(Reshape(dims), [x], op, like: importer.type(x)))
    }
    try importer.add(Concat(axis: axis), parts, op)
  }

  /// A tensor cut into slices of one element of an axis, which is dropped.
  private static func unpack(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let type = importer.type(x)
    guard let axis = type.shape.normalized(axis: try op.options.int(1)),
      op.record.outputs.count == type.shape.dims[axis]
    else { throw fault("\(type.shape) is not \(op.record.outputs.count) slices") }
    var dims = type.shape.dims
    dims.remove(at: axis)
    let ones = [Int](repeating: 1, count: op.record.outputs.count)
    _ = try importer.intermediate(Split(axis: axis, sizes: ones), [x], op, like: type)
    for (index, part) in importer.lastOutputs.enumerated() {
      try importer.add(Reshape(dims), [part], op, outputs: [op.record.outputs[index]])
    }
  }

  /// A tensor repeated along its axes.
  private static func tile(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    try repeated(x, try importer.integers(1, of: op), op, &importer)
  }

  /// A tensor whose axes of one element are repeated up to a shape.
  private static func broadcast(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var x = try importer.input(0, of: op)
    let target = try importer.integers(1, of: op)
    var type = importer.type(x)
    guard target.count >= type.shape.rank else { throw fault("\(type.shape) as \(target)") }
    if target.count > type.shape.rank {
      let ones = [Int](repeating: 1, count: target.count - type.shape.rank)
      x = try importer.intermediate(Reshape(ones + type.shape.dims), [x], op, like: type)
      type = importer.type(x)
    }
    let counts = try zip(type.shape.dims, target).map { extent, wanted in
      guard wanted == extent || extent == 1 else { throw fault("\(type.shape) as \(target)") }
      return wanted == extent ? 1 : wanted
    }
    try repeated(x, counts, op, &importer)
  }

  private static func repeated(
    _ x: ValueID,
    _ counts: [Int],
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let type = importer.type(x)
    guard counts.count == type.shape.rank, counts.allSatisfy({ $0 >= 1 && $0 <= 1024 }) else {
      throw fault("\(type.shape) repeated \(counts) times")
    }
    var axes = counts.indices.filter { counts[$0] > 1 }
    guard let last = axes.popLast() else {
      return try importer.add(Reshape(type.shape.dims), [x], op)
    }
    var current = x
    for axis in axes {
      let parts = [ValueID](repeating: current, count: counts[axis])
      current = try importer.intermediate(Concat(axis: axis), parts, op, like: type)
    }
    let parts = [ValueID](repeating: current, count: counts[last])
    try importer.add(Concat(axis: last), parts, op)
  }

  /// Axes run backwards.
  private static func reverse(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let shape = importer.type(x).shape
    var slice = Slice(begin: shape.dims.map { _ in 0 }, sizes: shape.dims)
    for axis in try importer.integers(1, of: op) {
      guard let axis = shape.normalized(axis: axis) else { throw fault("axis \(axis) of \(shape)") }
      guard shape.dims[axis] > 1 else { continue }
      slice.begin[axis] = shape.dims[axis] - 1
      slice.steps[axis] = -1
    }
    try importer.add(slice, [x], op)
  }

  /// The sum of several tensors.
  private static func sum(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    var total = try importer.input(0, of: op)
    let count = op.record.inputs.count
    guard count > 1 else {
      return try importer.add(Reshape(importer.type(total).shape.dims), [total], op)
    }
    for index in 1..<count {
      let next = try importer.input(index, of: op)
      if index == count - 1 {
        try importer.add(Binary(.add), [total, next], op)
      } else {
        total = try importer.intermediate(Binary(.add), [total, next], op)
      }
    }
  }

  /// Moves elements: the tensor as `split`, its axes in `order`, the result as `joined`.
  private static func rearrange(
    _ x: ValueID,
    split: [Int],
    order: [Int],
    joined: [Int],
    then crop: Slice? = nil,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let like = importer.type(x)
    let parts = try importer.intermediate(Reshape(split), [x], op, like: like)
    let moved = try importer.intermediate(Transpose(order), [parts], op, like: like)
    guard let crop else { return try importer.add(Reshape(joined), [moved], op) }
    let whole = try importer.intermediate(Reshape(joined), [moved], op, like: like)
    try importer.add(crop, [whole], op)
  }

  private static func spaceToDepth(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let x = try importer.input(0, of: op)
    let (shape, block) = (importer.type(x).shape, try op.options.int(0))
    guard shape.rank == 4, block > 0, shape[1] % block == 0, shape[2] % block == 0 else {
      throw fault("blocks of \(block) in \(shape)")
    }
    let (rows, columns) = (shape[1] / block, shape[2] / block)
    try rearrange(
      x,
      split: [shape[0], rows, block, columns, block, shape[3]],
      order: [0, 1, 3, 2, 4, 5],
      joined: [shape[0], rows, columns, block &* block &* shape[3]],
      op,
      &importer
    )
  }

  private static func depthToSpace(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let x = try importer.input(0, of: op)
    let (shape, block) = (importer.type(x).shape, try op.options.int(0))
    guard shape.rank == 4, block > 0, block < 1 << 16, shape[3] % (block * block) == 0 else {
      throw fault("blocks of \(block) in \(shape)")
    }
    let depth = shape[3] / (block * block)
    try rearrange(
      x,
      split: [shape[0], shape[1], shape[2], block, block, depth],
      order: [0, 1, 3, 2, 4, 5],
      joined: [shape[0], shape[1] &* block, shape[2] &* block, depth],
      op,
      &importer
    )
  }

  /// Blocks of the spatial axes, or pairs of amounts around them.
  private static func checked(_ values: [Int], least: Int) throws -> [Int] {
    guard values.allSatisfy({ $0 >= least && $0 < 1 << 20 }) else { throw fault("\(values)") }
    return values
  }

  /// Padding, then the offsets within blocks become images of their own.
  private static func spaceToBatch(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    var x = try importer.input(0, of: op)
    let blocks = try checked(importer.integers(1, of: op), least: 1)
    let amounts = try checked(importer.integers(2, of: op), least: 0)
    let type = importer.type(x)
    let spatial = blocks.count
    guard spatial > 0, spatial <= 4, amounts.count == 2 * spatial, type.shape.rank > spatial else {
      throw fault("blocks \(blocks) of \(type.shape)")
    }
    let tail = [Int](repeating: 0, count: type.shape.rank - spatial - 1)
    if amounts.contains(where: { $0 > 0 }) {
      let pad = Pad(
        before: [0] + (0..<spatial).map { amounts[2 * $0] } + tail,
        after: [0] + (0..<spatial).map { amounts[2 * $0 + 1] } + tail
      )
      x = try importer.intermediate(pad, [x], op, like: type)
    }
    let dims = importer.type(x).shape.dims
    var split = [dims[0]]
    var joined = [blocks.reduce(dims[0], &*)]
    for axis in 0..<spatial {
      guard dims[axis + 1] % blocks[axis] == 0 else { throw fault("\(blocks) of \(Shape(dims))") }
      split += [dims[axis + 1] / blocks[axis], blocks[axis]]
      joined.append(dims[axis + 1] / blocks[axis])
    }
    let rest = dims[(spatial + 1)...]
    let order =
      (0..<spatial).map { 2 * $0 + 2 } + [0] + (0..<spatial).map { 2 * $0 + 1 }
      + rest.indices.map { $0 + spatial }
    try rearrange(x, split: split + rest, order: order, joined: joined + rest, op, &importer)
  }

  /// Images become offsets within blocks, then the border is cut off.
  private static func batchToSpace(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let x = try importer.input(0, of: op)
    let blocks = try checked(importer.integers(1, of: op), least: 1)
    let crops = try checked(importer.integers(2, of: op), least: 0)
    let dims = importer.type(x).shape.dims
    let spatial = blocks.count
    let images = blocks.reduce(1, &*)
    guard spatial > 0, spatial <= 4, crops.count == 2 * spatial, dims.count > spatial, images > 0,
      dims[0] % images == 0
    else { throw fault("blocks \(blocks) of \(Shape(dims))") }
    let rest = dims[(spatial + 1)...]
    let split = blocks + [dims[0] / images] + dims[1...spatial] + rest
    var order = [spatial]
    var joined = [dims[0] / images]
    for axis in 0..<spatial {
      order += [spatial + 1 + axis, axis]
      joined.append(dims[axis + 1] &* blocks[axis])
    }
    order += rest.indices.map { $0 + spatial }
    joined += rest
    var crop: Slice?
    if crops.contains(where: { $0 > 0 }) {
      var slice = Slice(begin: joined.map { _ in 0 }, sizes: joined)
      for axis in 0..<spatial {
        slice.begin[axis + 1] = crops[2 * axis]
        slice.sizes[axis + 1] -= crops[2 * axis] + crops[2 * axis + 1]
      }
      crop = slice
    }
    try rearrange(x, split: split, order: order, joined: joined, then: crop, op, &importer)
  }

  /// The operator's only input, which must be of floats.
  private static func floatInput(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID? {
    let x = try importer.input(0, of: op)
    guard importer.type(x).dtype == .float32, importer.type(x).shape.rank > 0 else {
      try importer.addOpaque(op)
      return nil
    }
    return x
  }

  private static func relu0To1(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let one = importer.addConstant("one", Tensor([Float(1)], []))
    let rectified = try importer.intermediate(Unary(.relu), [x], op)
    try importer.add(Binary(.minimum), [rectified, one], op)
  }

  /// The logarithm of a softmax along the last axis, by way of the greatest element.
  private static func logSoftmax(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let greatest = try importer.intermediate(
      Reduce(.max, axes: [-1], keepsAxes: true),
      [x],
      op
    )
    let shifted = try importer.intermediate(Binary(.subtract), [x, greatest], op)
    let powers = try importer.intermediate(Unary(.exp), [shifted], op)
    let total = try importer.intermediate(Reduce(.sum, axes: [-1], keepsAxes: true), [powers], op)
    let logarithm = try importer.intermediate(Unary(.log), [total], op)
    try importer.add(Binary(.subtract), [shifted, logarithm], op)
  }

  /// Vectors along the last axis brought to length one; the length is at least 1e-6.
  private static func l2Normalization(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    guard let x = try floatInput(op, &importer) else { return }
    let squares = try importer.intermediate(Unary(.square), [x], op)
    let sum = try importer.intermediate(Reduce(.sum, axes: [-1], keepsAxes: true), [squares], op)
    let least = importer.addConstant("least", Tensor([Float(1e-12)], []))
    let bounded = try importer.intermediate(Binary(.maximum), [sum, least], op)
    let factor = try importer.intermediate(Unary(.rsqrt), [bounded], op)
    try importer.add(Binary(.multiply), [x, factor], op, then: op.options.activation(0))
  }
}
