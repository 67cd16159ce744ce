import AssayTensor

extension Tensor {
  /// The tensor with its axes in another order; a quantized axis moves with its elements.
  public func rearranged(_ permutation: [Int]) -> Tensor {
    var quantization = self.quantization
    if let axis = quantization?.axis.flatMap(shape.normalized(axis:)) {
      quantization?.axis = permutation.firstIndex(of: axis)
    }
    return (permuted(permutation) ?? self).with(quantization: quantization)
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
