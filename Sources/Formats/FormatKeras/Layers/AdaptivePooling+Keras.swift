import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Pools whose output has a given size.
  static let adaptivePooling: [String: KerasLayerKind] = {
    var table: [String: KerasLayerKind] = [:]
    for axes in 1...3 {
      for (name, reduction) in [("Average", Reduce.Kind.mean), ("Max", .max)] {
        table["Adaptive\(name)Pooling\(axes)D"] = KerasLayerKind(
          check: { _ = try $0.ints("output_size", count: axes) },
          emit: { context, inputs in
            try context.onImage(context.image(inputs, rank: axes + 2)) { context, x in
              let sizes = try context.layer.ints("output_size", count: axes)
              var y = x
              for (index, size) in sizes.enumerated() {
                y = try context.pooled(y, axis: index + 1, to: size, reduction)
              }
              return y
            }
          }
        )
      }
    }
    return table
  }()
}

extension KerasContext {
  /// One axis brought to `size` parts: part i runs from `floor(i n / size)` to `ceil((i+1) n / size)`.
  fileprivate mutating func pooled(
    _ x: ValueID,
    axis: Int,
    to size: Int,
    _ kind: Reduce.Kind
  ) throws -> ValueID {
    let dims = shape(x).dims
    let extent = dims[axis]
    guard (1...1024).contains(size), extent > 0, extent < 1 << 24 else {
      throw layer.unsupported("output_size", "\(size) of \(extent)")
    }
    if size == extent { return x }
    if extent % size == 0 {
      // Parts of one length are an axis of their own.
      var parted = dims
      parted.replaceSubrange(axis...axis, with: [size, extent / size])
      let parts = try node("parts", Reshape(parted), [x])
      return try node("pool", Reduce(kind, axes: [axis + 1], keepsAxes: false), [parts])
    }
    let parts = try (0..<size).map { index -> ValueID in
      let first = index * extent / size
      let end = ((index + 1) * extent + size - 1) / size
      var (begin, sizes) = (dims.map { _ in 0 }, dims)
      (begin[axis], sizes[axis]) = (first, end - first)
      let part = try node("part", Slice(begin: begin, sizes: sizes), [x])
      return try node("pool", Reduce(kind, axes: [axis], keepsAxes: true), [part])
    }
    return try node("join", Concat(axis: axis), parts)
  }
}
