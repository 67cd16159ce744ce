import AssayBase
import AssayGraph
import AssayTensor

/// Converters leave computations on shapes in a file when its batch is open. Once the inputs' shapes
/// are known these have constant results, which later operators read as attributes.
extension TFLiteImporter {
  /// The greatest number of elements that is folded.
  private static let limit = 1024

  /// Computes an operator on known integers.
  ///
  /// - Returns: whether it was computed, so that it needs no node.
  mutating func fold(_ op: ImportedOperator) throws -> Bool {
    guard op.record.outputs.count == 1, let declared = try? declaredType(0, of: op),
      declared.dtype == .int32 || declared.dtype == .int64, declared.quantization == nil,
      let result = try folded(op), result.values.count <= Self.limit
    else { return false }
    let shape = Shape(result.shape)
    guard shape.elementCount == result.values.count else { return false }
    let tensor =
      declared.dtype == .int32
      ? Tensor(result.values.map { Int32(clamping: $0) }, shape)
      : Tensor(result.values.map(Int64.init), shape, dtype: .int64)
    setFolded(tensor, output: 0, of: op)
    return true
  }

  private struct Integers {
    var values: [Int]
    var shape: [Int]
  }

  private func known(_ input: Int, of op: ImportedOperator) throws -> Integers? {
    guard let index = tensorIndex(input, of: op), let tensor = try knownIntegers(index),
      tensor.count <= Self.limit
    else { return nil }
    return Integers(values: tensor.integers(), shape: tensor.shape.dims)
  }

  private mutating func folded(_ op: ImportedOperator) throws -> Integers? {
    if op.builtin == "SHAPE" {
      let x = try input(0, of: op)
      let shape = type(x).shape
      return shape.isStatic ? Integers(values: shape.dims, shape: [shape.rank]) : nil
    }
    guard let first = try known(0, of: op) else { return nil }
    switch op.builtin {
    case "CAST": return first
    case "RESHAPE", "SQUEEZE", "EXPAND_DIMS":
      return Integers(values: first.values, shape: try declaredType(0, of: op).shape.dims)
    case "PACK", "CONCATENATION": return try joined(op)
    case "STRIDED_SLICE":
      let shape = Shape(first.shape)
      guard let strided = try? StridedSlice(op, of: shape, self) else { return nil }
      let values = picked(first, strided.slice, strides: shape.strides, axis: 0, offset: 0)
      return Integers(values: values, shape: strided.reshaped ?? strided.slice.sizes)
    case "TRANSPOSE":
      guard first.shape.count <= 2, let order = try known(1, of: op), order.values == [1, 0] else {
        return nil
      }
      let (rows, columns) = (first.shape[0], first.shape[1])
      let values = (0..<columns).flatMap { x in (0..<rows).map { first.values[$0 * columns + x] } }
      return Integers(values: values, shape: [columns, rows])
    case "GATHER":
      guard first.shape.count == 1, let indices = try known(1, of: op),
        indices.values.allSatisfy({ first.values.indices.contains($0) })
      else { return nil }
      return Integers(values: indices.values.map { first.values[$0] }, shape: indices.shape)
    case "REDUCE_PROD", "SUM":
      guard first.shape.count <= 1 else { return nil }
      let isProduct = op.builtin == "REDUCE_PROD"
      let value = isProduct ? first.values.reduce(1, &*) : first.values.reduce(0, &+)
      return Integers(values: [value], shape: try op.options.bool(0) ? [1] : [])
    case "ADD", "SUB", "MUL", "FLOOR_DIV", "FLOOR_MOD", "DIV", "MAXIMUM", "MINIMUM":
      guard let second = try known(1, of: op) else { return nil }
      return combined(first, second, by: op.builtin)
    default: return nil
    }
  }

  /// The elements that a slice picks from `axis` on.
  private func picked(
    _ x: Integers,
    _ slice: Slice,
    strides: [Int],
    axis: Int,
    offset: Int
  ) -> [Int] {
    guard axis < slice.sizes.count else {
      return x.values.indices.contains(offset) ? [x.values[offset]] : []
    }
    return (0..<slice.sizes[axis]).flatMap { index in
      let element = slice.begin[axis] + index * slice.steps[axis]
      return picked(
        x,
        slice,
        strides: strides,
        axis: axis + 1,
        offset: offset + element * strides[axis]
      )
    }
  }

  /// Tensors joined along an axis, which PACK adds and CONCATENATION extends.
  private func joined(_ op: ImportedOperator) throws -> Integers? {
    var parts: [Integers] = []
    for index in op.record.inputs.indices {
      guard let part = try known(index, of: op) else { return nil }
      parts.append(part)
    }
    guard var shape = parts.first?.shape, shape.count <= 8 else { return nil }
    let isPack = op.builtin == "PACK"
    var axis = try op.options.int(isPack ? 1 : 0)
    if axis < 0 { axis += shape.count + (isPack ? 1 : 0) }
    guard axis >= 0, axis < shape.count + (isPack ? 1 : 0) else { return nil }
    if isPack {
      for index in parts.indices { parts[index].shape.insert(1, at: axis) }
      shape.insert(1, at: axis)
    }
    let outer = shape[..<axis].reduce(1, *)
    var lengths: [Int] = []
    shape[axis] = 0
    for part in parts {
      guard part.shape.count == shape.count, part.shape[..<axis] == shape[..<axis],
        part.shape[(axis + 1)...] == shape[(axis + 1)...]
      else { return nil }
      shape[axis] += part.shape[axis]
      lengths.append(part.shape[axis...].reduce(1, *))
    }
    let values = (0..<outer).flatMap { row in
      zip(parts, lengths).flatMap { $0.values[(row * $1)..<((row + 1) * $1)] }
    }
    return Integers(values: values, shape: shape)
  }

  private func combined(_ a: Integers, _ b: Integers, by op: BuiltinOperator) -> Integers? {
    let count = max(a.values.count, b.values.count)
    guard a.values.count == count || a.values.count == 1,
      b.values.count == count || b.values.count == 1
    else { return nil }
    var values: [Int] = []
    for index in 0..<count {
      let x = a.values[a.values.count == 1 ? 0 : index]
      let y = b.values[b.values.count == 1 ? 0 : index]
      switch op {
      case "ADD": values.append(x &+ y)
      case "SUB": values.append(x &- y)
      case "MUL": values.append(x &* y)
      case "MAXIMUM": values.append(max(x, y))
      case "MINIMUM": values.append(min(x, y))
      default:
        guard y > 0 else { return nil }
        let floor = x >= 0 ? x / y : -((-x + y - 1) / y)
        switch op {
        case "FLOOR_DIV": values.append(floor)
        case "FLOOR_MOD": values.append(x - floor * y)
        default: values.append(x / y)
        }
      }
    }
    return Integers(values: values, shape: a.shape.count >= b.shape.count ? a.shape : b.shape)
  }
}
