import AssayBase

extension Tensor {
  /// The elements with the axes in another order: axis i of the result is axis `permutation[i]`.
  ///
  /// Nothing is copied when the order of the elements stays (only extents of 1 move).
  ///
  /// - Returns: the tensor, or `nil` when `permutation` does not name every axis once, or for text.
  public func permuted(_ permutation: [Int]) -> Tensor? {
    guard permutation.sorted() == Array(0..<shape.rank), shape.isStatic else { return nil }
    if let source = source(of: permutation) { return source.tensor.permuted(source.permutation) }
    let result = Shape(permutation.map { shape.dims[$0] })
    let long = permutation.filter { shape.dims[$0] != 1 }
    if long == long.sorted() { return reshaped(result) }
    let walk = PermutedWalk(shape: shape, permutation: permutation)
    func copy<T: BitwiseCopyable>(_ element: T.Type) -> Tensor {
      let type = TensorType(dtype, result, quantization: quantization)
      return unsafe withElements(as: element) { source in
        unsafe Tensor(type, as: element) { target in unsafe walk.copy(source, to: target) }
      }
    }
    switch dtype.bitWidth {
    case 4:
      let wide = Tensor(codes(), shape, dtype: .uint8)
      let moved = wide.permuted(permutation)?.codes()
      return moved.map {
        Tensor(codes: $0, TensorType(dtype, result, quantization: quantization))
      }
    case 8: return copy(UInt8.self)
    case 16: return copy(UInt16.self)
    case 32: return copy(UInt32.self)
    case 64: return copy(UInt64.self)
    default: return nil
    }
  }
}

/// How to walk a tensor so that its elements come out in permuted order.
///
/// Axes that stay neighbours are one axis. The innermost axis of the result and the axis that is
/// contiguous in the source are walked in square blocks, so that both sides stay in the cache.
private struct PermutedWalk {
  /// Extents of the result's joined axes.
  var extents: [Int] = []
  /// Elements of the source to step for one step along each.
  var steps: [Int] = []

  init(shape: Shape, permutation: [Int]) {
    let strides = shape.strides
    for axis in permutation where shape.dims[axis] != 1 {
      let (extent, step) = (shape.dims[axis], strides[axis])
      if let last = steps.last, last == step &* extent {
        extents[extents.count - 1] *= extent
        steps[steps.count - 1] = step
      } else {
        extents.append(extent)
        steps.append(step)
      }
    }
  }

  @inline(__always)
  func copy<T: BitwiseCopyable>(
    _ source: UnsafeBufferPointer<T>,
    to target: UnsafeMutableBufferPointer<T>
  ) {
    guard let from = source.baseAddress, let to = target.baseAddress,
      !target.isEmpty, source.count == target.count
    else { return }
    let targetSteps = Shape(extents).strides
    let inner = extents.count - 1
    // The axis to pair with the innermost one: contiguous in the source, else its neighbour.
    let pair = steps.firstIndex(of: 1).flatMap { $0 == inner ? nil : $0 } ?? max(inner - 1, 0)
    let outer = (0..<inner).filter { $0 != pair }
    var position = [Int](repeating: 0, count: outer.count)
    let (columns, columnStep) = (extents[inner], steps[inner])
    let (rows, rowStep) = inner == pair ? (1, 0) : (extents[pair], steps[pair])
    let targetRowStep = inner == pair ? 0 : targetSteps[pair]
    var (sourceBase, targetBase) = (0, 0)
    while true {
      for rowBlock in stride(from: 0, to: rows, by: 16) {
        let rowEnd = min(rowBlock &+ 16, rows)
        for columnBlock in stride(from: 0, to: columns, by: 64) {
          let columnEnd = min(columnBlock &+ 64, columns)
          for row in rowBlock..<rowEnd {
            let s = unsafe from + (sourceBase &+ row &* rowStep)
            let t = unsafe to + (targetBase &+ row &* targetRowStep)
            for column in columnBlock..<columnEnd {
              unsafe t[column] = unsafe s[column &* columnStep]
            }
          }
        }
      }
      var axis = outer.count - 1
      while axis >= 0 {
        position[axis] += 1
        sourceBase += steps[outer[axis]]
        targetBase += targetSteps[outer[axis]]
        if position[axis] < extents[outer[axis]] { break }
        sourceBase -= steps[outer[axis]] * extents[outer[axis]]
        targetBase -= targetSteps[outer[axis]] * extents[outer[axis]]
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
