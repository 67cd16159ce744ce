import AssayGraph
import AssayTensor

// Quantized networks are written as OpenVINO's own tools write them: activations are floats that a
// FakeQuantize rounds to the values that the integers stand for; weights are stored as integers and
// followed by Convert, Subtract, Multiply. OpenVINO makes integer kernels of that.

extension IRExporter {
  /// Floats rounded to what the integers of `type` stand for.
  mutating func fakeQuantized(_ value: IRValue, _ type: TensorType) -> IRValue {
    guard let quantization = type.quantization, let range = type.dtype.integerRange else {
      return value
    }
    let low = constant(quantization.dequantize(range.lowerBound))
    let high = constant(quantization.dequantize(range.upperBound))
    return add(
      "FakeQuantize",
      [value, low, high, low, high],
      [("levels", "\(range.count)"), ("auto_broadcast", "numpy")],
      outputs: [self.type(of: value)],
      hint: "\(network.layers[value.layer].name)/FakeQuantize"
    )
  }

  /// Floats of the integers that a user feeds.
  mutating func dequantized(_ value: IRValue, _ type: TensorType) -> IRValue {
    guard let quantization = type.quantization else { return value }
    var real = converted(value, to: .float32)
    if quantization.zeroPoint != 0 {
      let zero = constant(Float(quantization.zeroPoint))
      real = add("Subtract", [real, zero], hint: "\(network.layers[value.layer].name)/Subtract")
    }
    let scale = constant(quantization.scale)
    return add("Multiply", [real, scale], hint: "\(network.layers[value.layer].name)/Multiply")
  }

  /// The integers that floats stand for, which a FakeQuantize has rounded already.
  mutating func codes(_ value: IRValue, _ type: TensorType) -> IRValue {
    guard let quantization = type.quantization else { return value }
    let name = network.layers[value.layer].name
    var codes = add(
      "Divide",
      [value, constant(quantization.scale)],
      hint: "\(name)/Divide"
    )
    codes = add("Round", set: 5, [codes], [("mode", "half_to_even")], hint: "\(name)/Round")
    if quantization.zeroPoint != 0 {
      codes = add("Add", [codes, constant(Float(quantization.zeroPoint))], hint: "\(name)/Add")
    }
    return converted(codes, to: type.dtype)
  }

  /// Weights as they are stored, and the layers that make floats of them.
  mutating func quantizedParameter(
    _ tensor: Tensor,
    _ name: String,
    permutation: [Int]?,
    shape: [Int]?
  ) -> IRValue {
    guard let quantization = tensor.quantization, tensor.dtype.bitWidth <= 16 else {
      // Biases: a float each is as small.
      let floats = Tensor(tensor.floats(), tensor.shape)
      return addConstant(floats.arranged(permutation, shape), hint: name)
    }
    let isNarrow = tensor.dtype.bitWidth < 8
    let bytes =
      isNarrow
      ? Tensor(tensor.integers().map { Int8(clamping: $0) }, tensor.shape, dtype: .int8)
      : tensor.with(quantization: nil)
    let stored = addConstant(bytes.arranged(permutation, shape), hint: "\(name)/stored")
    var real = converted(stored, to: .float32)
    /// One number, or one for each slice along the axis, laid out as the weights are.
    func factors(_ numbers: [Float]) -> Tensor {
      guard quantization.isPerChannel,
        let axis = quantization.axis.flatMap(tensor.shape.normalized(axis:)),
        numbers.count == tensor.shape[axis]
      else { return Tensor([numbers.first ?? 0], []) }
      var dims = [Int](repeating: 1, count: tensor.shape.rank)
      dims[axis] = numbers.count
      let slim = Tensor(numbers, Shape(dims)).arranged(permutation, nil)
      guard let shape else { return slim }
      return Tensor(numbers, Shape(factorDims(slim.shape.dims, of: tensor, permutation, shape)))
    }
    if quantization.zeroPoints.contains(where: { $0 != 0 }) {
      let zero = addConstant(
        factors(quantization.zeroPoints.map { Float($0) }),
        hint: "\(name)/zero"
      )
      real = add("Subtract", [real, zero], hint: "\(name)/Subtract")
    }
    let scale = addConstant(factors(quantization.scales), hint: "\(name)/scale")
    return add("Multiply", [real, scale], hint: name)
  }

  /// The extents of factors after weights were brought to `shape`, where an axis may be split.
  private func factorDims(
    _ slim: [Int],
    of tensor: Tensor,
    _ permutation: [Int]?,
    _ shape: [Int]
  ) -> [Int] {
    let before = Shape(permutation.map { $0.map { tensor.shape[$0] } } ?? tensor.shape.dims)
    guard let axis = slim.firstIndex(where: { $0 > 1 }) else {
      return [Int](repeating: 1, count: shape.count)
    }
    // The new axes whose steps lie within the old axis.
    let inner = before.strides[axis]
    let outer = inner * before[axis]
    let strides = Shape(shape).strides
    return shape.indices.map { strides[$0] >= inner && strides[$0] < outer ? shape[$0] : 1 }
  }
}

extension Tensor {
  /// The elements with their axes in another order and then in another shape.
  func arranged(_ permutation: [Int]?, _ shape: [Int]?) -> Tensor {
    var result = self
    if let permutation { result = result.permuted(permutation) ?? result }
    if let shape, Shape(shape).count == result.count { result = result.reshaped(Shape(shape)) }
    return result
  }
}

extension IRNetwork {
  /// The network with float16 in the place of float32, as version 10 has it: readers widen what they
  /// compute in float32, and the Neural Compute Stick computes in float16.
  mutating func makeHalf() {
    // A Convert that widened stored weights has nothing to do any more.
    var moved: [Int] = []
    var kept: [IRLayer] = []
    for layer in layers {
      if layer.isDecompression, let source = layer.inputs.first {
        moved.append(moved[source.layer])
        kept[moved[source.layer]].name = layer.name
        continue
      }
      var copy = layer
      copy.inputs = layer.inputs.map { IRValue(layer: moved[$0.layer], output: $0.output) }
      copy.outputs = layer.outputs.map { TensorType($0.dtype.halved, $0.shape) }
      if let tensor = layer.constant { copy.constant = tensor.converted(to: tensor.dtype.halved) }
      copy.attributes = layer.attributes.map { name, value in
        let isType = ["element_type", "destination_type"].contains(name)
        return (name, isType && value == "f32" ? "f16" : value)
      }
      moved.append(kept.count)
      kept.append(copy)
    }
    layers = kept
  }
}

extension DType {
  fileprivate var halved: DType { self == .float32 ? .float16 : self }
}
