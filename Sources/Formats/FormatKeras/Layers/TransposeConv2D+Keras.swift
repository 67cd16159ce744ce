import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Conv2DTranspose and Conv1DTranspose.
  static let transposedConvolutions: [String: KerasLayerKind] = {
    func kind(_ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        weights: { KerasWeightNames(trained: try ["kernel"] + $0.biasNames) },
        check: { layer in
          _ = try layer.window(axes: axes)
          try layer.checkActivation()
        },
        emit: { context, inputs in
          try context.onImage(context.image(inputs, rank: axes + 2)) { context, x in
            let image = axes == 1 ? try context.widened(x) : x
            let y = try context.transposedConvolution(image, axes: axes)
            return try axes == 1
              ? context.narrowed(y, thenActivation: true) : context.activated(y)
          }
        }
      )
    }
    return [
      "Conv2DTranspose": kind(2), "Convolution2DTranspose": kind(2), "Deconvolution2D": kind(2),
      "Conv1DTranspose": kind(1), "Convolution1DTranspose": kind(1),
    ]
  }()
}

extension KerasContext {
  fileprivate mutating func transposedConvolution(_ x: ValueID, axes: Int) throws -> ValueID {
    let window = try layer.window(axes: axes)
    let dilations = try layer.ints("dilation_rate", count: axes, default: 1)
    // The graph has no dilated transposed convolution: the filter is spread instead.
    let kernel = try zip(layer.ints("kernel_size", count: axes), dilations).map {
      ($0 - 1) * $1 + 1
    }
    let extra = try layer["output_padding"].map { _ in
      try layer.ints("output_padding", count: axes)
    }
    // Keras: [height, width, output channels, input channels].
    let filter = try weight("kernel") { kernel in
      try kernel.permutedWeight(axes == 1 ? [1, 0, 2] : [2, 0, 1, 3]).spread(dilations)
        .withUnitHeight(axes)
    }
    let dims = shape(x).dims
    func extent(_ axis: Int, _ stride: Int) throws -> Int {
      guard axes == 2 || axis == 1 else { return 1 }
      let index = axes == 1 ? 0 : axis
      return try outputExtent(
        dims[axis + 1],
        window: kernel[index],
        stride: stride,
        isSame: window.padding == .same,
        extra: extra?[index]
      )
    }
    let op = TransposeConv2D(
      strides: window.strides,
      padding: window.padding,
      outputSize: Size2D(
        try extent(0, window.strides.height),
        try extent(1, window.strides.width)
      ),
      activation: layer.fusedActivation
    )
    return try node("deconv", op, [x, filter, bias()])
  }

  /// The extent of a transposed convolution's output along one axis, by Keras's rule.
  func outputExtent(
    _ extent: Int,
    window: Int,
    stride: Int,
    isSame: Bool,
    extra: Int?
  ) throws -> Int {
    guard extent < 1 << 30 else { throw Diagnostic("KER008", "the image is too large") }
    let result: Int
    if let extra {
      let padding = isSame ? 2 * (window / 2) : 0
      result = (extent - 1) * stride + window - padding + extra
    } else {
      result = extent * stride + (isSame ? 0 : max(window - stride, 0))
    }
    return result
  }
}

extension Tensor {
  /// A filter `[O, K…, C]` with zeros between the taps of its axes.
  fileprivate func spread(_ dilations: [Int]) throws -> Tensor {
    guard dilations.contains(where: { $0 > 1 }), shape.rank == dilations.count + 2 else {
      return self
    }
    var dims = shape.dims
    for (axis, dilation) in dilations.enumerated() {
      let (reach, overflow) = (dims[axis + 1] - 1).multipliedReportingOverflow(by: dilation)
      guard !overflow, reach < 1 << 16 else {
        throw Diagnostic("KER006", "a filter of \(shape) is spread too far")
      }
      dims[axis + 1] = reach + 1
    }
    guard let count = Shape(dims).elementCount, count < 1 << 28 else {
      throw Diagnostic("KER006", "a filter of \(shape) is spread too far")
    }
    let values = floats()
    var result = [Float](repeating: 0, count: count)
    let (from, to) = (shape.strides, Shape(dims).strides)
    for index in values.indices {
      var place = 0
      for axis in shape.dims.indices {
        let step = dilations.indices.contains(axis - 1) ? dilations[axis - 1] : 1
        place += index / from[axis] % shape.dims[axis] * step * to[axis]
      }
      result[place] = values[index]
    }
    return Tensor(result, Shape(dims))
  }
}
