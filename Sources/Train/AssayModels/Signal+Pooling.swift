import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// The greatest of each window; the windows follow one another without overlap unless told.
  public func maxPool(
    _ window: Int,
    strides: Int? = nil,
    padding: Padding = .valid,
    name: String? = nil
  ) -> Signal {
    pool(.max, Size2D(window, window), strides, padding, "MaxPooling2D", name)
  }

  /// The mean of each window; the windows follow one another without overlap unless told.
  public func averagePool(
    _ window: Int,
    strides: Int? = nil,
    padding: Padding = .valid,
    name: String? = nil
  ) -> Signal {
    pool(.average, Size2D(window, window), strides, padding, "AveragePooling2D", name)
  }

  /// The mean of each window of different extents, without overlap.
  public func averagePool(_ window: Size2D, name: String? = nil) -> Signal {
    network.layer("AveragePooling2D", name: name, on: self) {
      try $0.node(Pool2D(.average, window: window, strides: window), [id])
    }
  }

  /// The mean or greatest of each window along time, of a series that lies as `[1, 1, T, C]`.
  public func pool1D(_ kind: Pool2D.Kind, _ window: Int, name: String? = nil) -> Signal {
    let layer = kind == .max ? "MaxPooling1D" : "AveragePooling1D"
    return network.layer(layer, name: name, on: self) {
      try $0.node(Pool2D(kind, window: Size2D(1, window), strides: Size2D(1, window)), [id])
    }
  }

  private func pool(
    _ kind: Pool2D.Kind,
    _ window: Size2D,
    _ strides: Int?,
    _ padding: Padding,
    _ layer: String,
    _ name: String?
  ) -> Signal {
    network.layer(layer, name: name, on: self) {
      let steps = strides.map { Size2D($0, $0) } ?? window
      return try $0.node(Pool2D(kind, window: window, strides: steps, padding: padding), [id])
    }
  }

  /// The mean of each channel over the whole picture.
  public func globalAveragePool(keepsAxes: Bool = false, name: String? = nil) -> Signal {
    global(.mean, keepsAxes, "GlobalAveragePooling2D", name)
  }

  /// The greatest of each channel over the whole picture.
  public func globalMaxPool(keepsAxes: Bool = false, name: String? = nil) -> Signal {
    global(.max, keepsAxes, "GlobalMaxPooling2D", name)
  }

  private func global(
    _ kind: Reduce.Kind,
    _ keepsAxes: Bool,
    _ layer: String,
    _ name: String?
  ) -> Signal {
    network.layer(layer, name: name, on: self) {
      let axes = Array(1..<max(shape.rank - 1, 1))
      return try $0.node(Reduce(kind, axes: axes, keepsAxes: keepsAxes), [id])
    }
  }

  /// Zeros around the picture.
  public func zeroPad(
    top: Int,
    bottom: Int,
    left: Int,
    right: Int,
    name: String? = nil
  ) -> Signal {
    network.layer("ZeroPadding2D", name: name, on: self) {
      try $0.node(Pad(before: [0, top, left, 0], after: [0, bottom, right, 0]), [id])
    }
  }

  /// The picture enlarged by whole factors.
  public func upsample(
    _ factor: Size2D,
    _ kind: Resize2D.Kind = .nearest,
    name: String? = nil
  ) -> Signal {
    network.layer("UpSampling2D", name: name, on: self) {
      let size = Size2D(shape[1] * factor.height, shape[2] * factor.width)
      return try $0.node(Resize2D(kind, size: size, usesHalfPixels: kind == .bilinear), [id])
    }
  }
}
