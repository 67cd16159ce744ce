import AssayBase
import AssayGraph
import AssayTensor

extension ScatterND: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (data, indices) = (try arguments.input(0), try arguments.input(1))
    let blocks = try BlockPositions(data.shape, indices)
    let targets = blocks.starts.flatMap { start in start..<start + blocks.length }
    return [try scattered(data, targets, try arguments.input(2), reduction, arguments.output)]
  }
}

extension ScatterElements: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (data, indices) = (try arguments.input(0), try arguments.input(1))
    let targets = try elementPositions(data.shape, indices, axis)
    return [try scattered(data, targets, try arguments.input(2), reduction, arguments.output)]
  }
}

/// `data` with the element at each of `targets` updated, in order.
private func scattered(
  _ data: Tensor,
  _ targets: [Int],
  _ updates: Tensor,
  _ reduction: ScatterReduction,
  _ type: TensorType
) throws -> Tensor {
  if reduction == .replace, data.quantization == updates.quantization {
    // Bits move: the source of each element is data, or the update that came last.
    var source = Array(0..<data.count)
    for (update, target) in zip(0..<updates.count, targets) { source[target] = data.count + update }
    return try select(try joined(data, updates), source, type)
  }
  var values = data.reals
  for (update, target) in zip(updates.reals, targets) {
    switch reduction {
    case .replace: values[target] = update
    case .add: values[target] += update
    case .multiply: values[target] *= update
    case .maximum: values[target] = max(values[target], update)
    case .minimum: values[target] = min(values[target], update)
    }
  }
  return try tensor(values, type)
}

/// The elements of two tensors of one type, one after the other.
private func joined(_ a: Tensor, _ b: Tensor) throws -> Tensor {
  let type = TensorType(a.dtype, [a.count + b.count], quantization: a.quantization)
  if a.dtype.bitWidth == 4 { return Tensor(codes: a.codes() + b.codes(), type) }
  return try Tensor(type, bytes: ByteView(a.bytes.array + b.bytes.array))
}
