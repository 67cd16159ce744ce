import AssayTensor

extension Tensor {
  /// The tensor with its axes in another order; a quantized axis moves with its elements.
  public func rearranged(_ permutation: [Int]) -> Tensor {
    var quantization = self.quantization
    if let axis = quantization?.axis.flatMap(shape.normalized(axis:)) {
      quantization?.axis = permutation.firstIndex(of: axis)
      if let old = self.quantization, let size = old.blockSize, size > 0 {
        // The scales of blocks lie as the elements do.
        var dims = shape.dims
        dims[axis] = (dims[axis] + size - 1) / size
        if dims.reduce(1, *) == old.scales.count, old.zeroPoints.count == old.scales.count {
          let scales = Tensor(old.scales, Shape(dims)).permuted(permutation)
          let zeros = Tensor(old.zeroPoints, Shape(dims)).permuted(permutation)
          quantization?.scales = scales?.floats() ?? old.scales
          quantization?.zeroPoints = zeros?.elements(as: Int32.self) ?? old.zeroPoints
        }
      }
    }
    return (wholeBytesPermuted(permutation) ?? self).with(quantization: quantization)
  }

  /// `permuted`, also for elements of four bits.
  private func wholeBytesPermuted(_ permutation: [Int]) -> Tensor? {
    guard dtype.bitWidth == 4, dtype.isInteger else { return permuted(permutation) }
    let wide = Tensor(integers().map { Int8(clamping: $0) }, shape, dtype: .int8)
    guard let moved = wide.permuted(permutation) else { return nil }
    let codes = moved.elements(as: Int8.self).map { UInt8(bitPattern: $0) & 15 }
    return Tensor(codes: codes, TensorType(dtype, moved.shape))
  }

  /// The same elements in another shape; a quantized axis stays with its elements.
  public func reshapedKeepingAxis(_ dims: [Int]) -> Tensor {
    let result = reshaped(Shape(dims))
    guard var quantization, let axis = quantization.axis.flatMap(shape.normalized(axis:)) else {
      return result
    }
    let inner = shape.strides[axis]
    let target = Shape(dims)
    quantization.axis = dims.indices.first {
      target.strides[$0] == inner && dims[$0] == shape.dims[axis]
    }
    return result.with(quantization: quantization)
  }
}
