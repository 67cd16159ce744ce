import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Convolutions and pools over volumes.
  static let volumes: [String: KerasLayerKind] = {
    let plain: @Sendable (KerasLayer) throws -> KerasWeightNames = { layer in
      KerasWeightNames(trained: try ["kernel"] + layer.biasNames)
    }
    func convolution(
      _ body: @escaping @Sendable (inout KerasContext, ValueID) throws -> ValueID
    ) -> KerasLayerKind {
      KerasLayerKind(
        weights: plain,
        check: { layer in
          _ = try layer.volumeWindow()
          try layer.checkActivation()
        },
        emit: { context, inputs in
          try context.onImage(context.image(inputs, rank: 5)) { context, x in
            try context.activated(body(&context, x))
          }
        }
      )
    }
    func pool(_ kind: Pool2D.Kind) -> KerasLayerKind {
      KerasLayerKind(
        check: { _ = try $0.pool3D(kind) },
        emit: { context, inputs in
          try context.onImage(context.image(inputs, rank: 5)) { context, x in
            try context.node("pool", context.layer.pool3D(kind), [x])
          }
        }
      )
    }
    let forward = convolution { context, x in try context.volumeConvolution(x) }
    let transposed = convolution { context, x in try context.transposedVolumeConvolution(x) }
    return [
      "Conv3D": forward, "Convolution3D": forward, "Conv3DTranspose": transposed,
      "Convolution3DTranspose": transposed,
      "MaxPooling3D": pool(.max), "MaxPool3D": pool(.max), "AveragePooling3D": pool(.average),
      "AvgPool3D": pool(.average),
    ]
  }()
}

/// The attributes of a layer that slides a window over volumes.
private struct KerasVolumeWindow {
  var kernel: Size3D
  var strides: Size3D
  var dilations: Size3D
  var padding: Padding3D
}

extension KerasLayer {
  fileprivate func volumeWindow() throws -> KerasVolumeWindow {
    let kernel = try ints("kernel_size", count: 3)
    let strides = try ints("strides", count: 3, default: 1)
    let dilations = try ints("dilation_rate", count: 3, default: 1)
    guard (kernel + strides + dilations).allSatisfy({ (1..<1 << 16).contains($0) }) else {
      throw unsupported("kernel_size", "window, strides and dilations must be positive")
    }
    return KerasVolumeWindow(
      kernel: Size3D(kernel),
      strides: Size3D(strides),
      dilations: Size3D(dilations),
      padding: try volumePadding()
    )
  }

  private func volumePadding() throws -> Padding3D {
    try padding() == .same ? .same : .valid
  }

  fileprivate func pool3D(_ kind: Pool2D.Kind) throws -> Pool3D {
    let window = try ints("pool_size", count: 3, default: 2)
    let strides = try self["strides"] == nil ? window : ints("strides", count: 3)
    guard (window + strides).allSatisfy({ (1..<1 << 16).contains($0) }) else {
      throw unsupported("pool_size", "window and strides must be positive")
    }
    return Pool3D(
      kind,
      window: Size3D(window),
      strides: Size3D(strides),
      padding: try volumePadding()
    )
  }
}

extension Size3D {
  /// Three extents in the order of the axes.
  fileprivate init(_ extents: [Int]) { self.init(extents[0], extents[1], extents[2]) }
}

extension KerasContext {
  fileprivate mutating func volumeConvolution(_ x: ValueID) throws -> ValueID {
    let window = try layer.volumeWindow()
    // Keras: [depth, height, width, input channels of a group, output channels].
    let filter = try weight("kernel") { try $0.permutedWeight([4, 0, 1, 2, 3]) }
    let op = Conv3D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding,
      activation: layer.fusedActivation
    )
    return try node("conv", op, [x, filter, bias()])
  }

  fileprivate mutating func transposedVolumeConvolution(_ x: ValueID) throws -> ValueID {
    let window = try layer.volumeWindow()
    let extra = try layer["output_padding"].map { _ in try layer.ints("output_padding", count: 3) }
    // Keras: [depth, height, width, output channels, input channels].
    let filter = try weight("kernel") { try $0.permutedWeight([3, 0, 1, 2, 4]) }
    let dims = shape(x).dims
    let extents = try (0..<3).map { axis in
      try outputExtent(
        dims[axis + 1],
        window: (window.kernel.all[axis] - 1) * window.dilations.all[axis] + 1,
        stride: window.strides.all[axis],
        isSame: window.padding == .same,
        extra: extra?[axis]
      )
    }
    let op = TransposeConv3D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding,
      outputSize: Size3D(extents),
      activation: layer.fusedActivation
    )
    return try node("deconv", op, [x, filter, bias()])
  }
}
