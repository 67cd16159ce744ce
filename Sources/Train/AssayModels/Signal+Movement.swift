import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// A box of the signal: where it begins and its extents, both without the axis of samples.
  public func slice(_ begin: [Int], _ sizes: [Int], name: String? = nil) -> Signal {
    network.layer("Slice", name: name, on: self) {
      try $0.node(Slice(begin: [0] + begin, sizes: [shape[0]] + sizes), [id])
    }
  }

  /// Parts of the last axis.
  public func split(_ sizes: [Int]) -> [Signal] {
    var start = 0
    return sizes.map { size in
      defer { start += size }
      let begin = [Int](repeating: 0, count: max(shape.rank - 2, 0)) + [start]
      return slice(begin, shape.dims.dropFirst().dropLast() + [size])
    }
  }

  /// Rows and columns that are left out at the borders.
  public func crop(top: Int, bottom: Int, left: Int, right: Int, name: String? = nil) -> Signal {
    network.layer("Cropping2D", name: name, on: self) {
      let sizes = [shape[0], shape[1] - top - bottom, shape[2] - left - right, channels]
      return try $0.node(Slice(begin: [0, top, left, 0], sizes: sizes), [id])
    }
  }

  /// The axes behind that of samples in another order; they count from 1.
  public func transpose(_ axes: [Int], name: String? = nil) -> Signal {
    network.layer("Permute", name: name, on: self) { try $0.node(Transpose([0] + axes), [id]) }
  }

  /// The picture in another size.
  public func resize(
    to size: Size2D,
    _ kind: Resize2D.Kind = .bilinear,
    name: String? = nil
  ) -> Signal {
    network.layer("Resizing", name: name, on: self) {
      try $0.node(Resize2D(kind, size: size, usesHalfPixels: kind == .bilinear), [id])
    }
  }

  /// The zeros that make a convolution of stride 2 without padding cover the picture as Keras's mobile
  /// networks do: fewer in front of an even extent than behind it.
  public func padForStride2(_ kernel: Int, name: String? = nil) -> Signal {
    let (rows, columns) = (shape[1], shape[2])
    let reach = kernel / 2
    return zeroPad(
      top: reach - 1 + rows % 2,
      bottom: reach,
      left: reach - 1 + columns % 2,
      right: reach,
      name: name
    )
  }

  /// Zeros around the picture, the same number on every side.
  public func zeroPad(_ amount: Int, name: String? = nil) -> Signal {
    zeroPad(top: amount, bottom: amount, left: amount, right: amount, name: name)
  }
}
