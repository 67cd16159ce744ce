import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// MaxPooling and AveragePooling over one and two axes.
  static let pooling: [String: KerasLayerKind] = {
    func kind(_ pool: Pool2D.Kind, _ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        check: { layer in
          _ = try layer.pool(pool, axes: axes)
        },
        emit: { context, inputs in
          try context.onImage(context.image(inputs, rank: axes + 2)) { context, x in
            let op = try context.layer.pool(pool, axes: axes)
            guard axes == 1 else { return try context.node("pool", op, [x]) }
            return try context.narrowed(context.node("pool", op, [context.widened(x)]))
          }
        }
      )
    }
    return [
      "MaxPooling1D": kind(.max, 1), "MaxPool1D": kind(.max, 1),
      "MaxPooling2D": kind(.max, 2), "MaxPool2D": kind(.max, 2),
      "AveragePooling1D": kind(.average, 1), "AvgPool1D": kind(.average, 1),
      "AveragePooling2D": kind(.average, 2), "AvgPool2D": kind(.average, 2),
    ]
  }()
}

extension KerasLayer {
  fileprivate func pool(_ kind: Pool2D.Kind, axes: Int) throws -> Pool2D {
    let window = try ints("pool_size", count: axes, default: 2)
    let strides = try self["strides"] == nil ? window : ints("strides", count: axes)
    guard (window + strides).allSatisfy({ (1..<1 << 16).contains($0) }) else {
      throw unsupported("pool_size", "window and strides must be positive")
    }
    return Pool2D(
      kind,
      window: axes == 1 ? Size2D(1, window[0]) : Size2D(window[0], window[1]),
      strides: axes == 1 ? Size2D(1, strides[0]) : Size2D(strides[0], strides[1]),
      padding: try padding()
    )
  }
}
