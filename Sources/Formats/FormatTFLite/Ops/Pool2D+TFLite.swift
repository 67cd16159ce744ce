import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Pool2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["MAX_POOL_2D", "AVERAGE_POOL_2D"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (image, output) = (try node.type(0), try node.outputType)
    if kind == .average, image.dtype != .float32, case .explicit = padding,
      try isPadded(node, &exporter)
    {
      return try writeInParts(node, to: &exporter)
    }
    // Padding never wins a maximum; in an average it counts as zero, which is mended below.
    let exported = try exporter.window(
      node,
      window: window,
      strides: strides,
      padding: padding,
      value: kind == .max ? lowest(of: image) : 0
    )
    let mend =
      kind == .average && exported.shape != image.shape
      ? try averageMend(image: image.shape, output: output) : nil
    var options = FlatObject()
    options.set(0, exported.padding)
    options.set(1, Int32(clamping: strides.width))
    options.set(2, Int32(clamping: strides.height))
    options.set(3, Int32(clamping: window.width))
    options.set(4, Int32(clamping: window.height))
    options.set(5, FusedActivation(mend == nil ? activation : .none).rawValue)
    let final = exporter.tensor(node.outputs.first)
    let result = mend == nil ? final : exporter.temporary("\(node.name)/pooled", output)
    exporter.add(
      kind == .max ? "MAX_POOL_2D" : "AVERAGE_POOL_2D",
      version: integerVersion(of: image, int16: 3),
      inputs: [exported.image],
      outputs: [result],
      options: (OptionsType.pool2D, options)
    )
    guard let mend else { return }
    var multiply = FlatObject()
    multiply.set(0, FusedActivation(activation).rawValue)
    exporter.add(
      "MUL",
      inputs: [result, exporter.constant("\(node.name)/mend", mend)],
      outputs: [final],
      options: (OptionsType.multiply, multiply)
    )
  }

  /// The least real number of a type, which padding of a maximum takes.
  private func lowest(of type: TensorType) -> Float {
    guard let quantization = type.quantization, let range = type.dtype.integerRange else {
      return -Float.greatestFiniteMagnitude
    }
    return quantization.dequantize(range.lowerBound)
  }

  /// Whether the padding is neither that of SAME nor none.
  private func isPadded(_ node: ExportedNode, _ exporter: inout TFLiteExporter) throws -> Bool {
    guard case .explicit(let top, let bottom, let left, let right) = padding else { return false }
    let shape = try node.type(0).shape
    func same(_ axis: Int, _ window: Int, _ stride: Int) -> (Int, Int) {
      let amounts = Padding.same.amounts(
        extent: shape[axis],
        window: window,
        stride: stride,
        dilation: 1,
        isHeight: axis == 1
      )
      return (amounts.before, amounts.after)
    }
    let isSame =
      same(1, window.height, strides.height) == (top, bottom)
      && same(2, window.width, strides.width) == (left, right)
    return !isSame && top + bottom + left + right > 0
  }

  /// Places of the output along one axis whose windows lie alike: within the image all together, at a
  /// border each on its own.
  private struct Span {
    /// The elements of the image that the windows cover.
    var source: Range<Int>
    var window: Int
    var stride: Int
  }

  private func spans(
    _ extent: Int,
    _ count: Int,
    _ window: Int,
    _ stride: Int,
    _ before: Int
  ) -> [Span] {
    var spans: [Span] = []
    var isWhole = false
    for place in 0..<count {
      let start = place * stride - before
      let (first, last) = (max(start, 0), min(start + window, extent))
      let fits = first == start && last == start + window
      if fits, isWhole, let span = spans.last {
        spans[spans.count - 1].source = span.source.lowerBound..<last
      } else {
        spans.append(
          Span(
            source: first..<max(last, first + 1),
            window: max(last - first, 1),
            stride: fits ? stride : 1
          )
        )
      }
      isWhole = fits
    }
    return spans
  }

  /// An average of integers with explicit padding: windows that reach beyond the image are averaged on
  /// their own, over the elements that they have, so that each result is rounded once, as it should be.
  private func writeInParts(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    guard case .explicit(let top, _, let left, _) = padding else { return }
    let (image, output) = (try node.type(0), try node.outputType)
    let rows = spans(image.shape[1], output.shape[1], window.height, strides.height, top)
    let columns = spans(image.shape[2], output.shape[2], window.width, strides.width, left)
    guard rows.count * columns.count <= 1024 else {
      throw Diagnostic("TFL104", "\(rows.count * columns.count) parts of a padded average")
    }
    let input = exporter.tensor(node.input(0))
    let final = exporter.tensor(node.outputs.first)
    var bands: [Int32] = []
    for (y, row) in rows.enumerated() {
      var parts: [Int32] = []
      var band = output
      band.shape.dims[1] = (row.source.count - row.window) / row.stride + 1
      for (x, column) in columns.enumerated() {
        let name = "\(node.name)/\(y)_\(x)"
        var cut = image
        cut.shape.dims[1] = row.source.count
        cut.shape.dims[2] = column.source.count
        let piece = exporter.temporary("\(name)/image", cut)
        let slice = Slice(
          begin: [0, row.source.lowerBound, column.source.lowerBound, 0],
          sizes: cut.shape.dims
        )
        try exporter.addSlice(slice, name: name, of: image, from: input, to: piece)
        var part = band
        part.shape.dims[2] = (column.source.count - column.window) / column.stride + 1
        let isOnly = rows.count == 1 && columns.count == 1
        let result = isOnly ? final : exporter.temporary("\(name)/part", part)
        var options = FlatObject()
        options.set(0, Int8(1))
        options.set(1, Int32(clamping: column.stride))
        options.set(2, Int32(clamping: row.stride))
        options.set(3, Int32(clamping: column.window))
        options.set(4, Int32(clamping: row.window))
        options.set(5, FusedActivation(activation).rawValue)
        exporter.add(
          "AVERAGE_POOL_2D",
          version: integerVersion(of: image, int16: 3),
          inputs: [piece],
          outputs: [result],
          options: (OptionsType.pool2D, options)
        )
        parts.append(result)
      }
      let isLast = rows.count == 1
      bands.append(
        join(parts, axis: 2, as: band, to: isLast ? final : nil, "\(node.name)/\(y)", &exporter)
      )
    }
    if rows.count > 1 { _ = join(bands, axis: 1, as: output, to: final, node.name, &exporter) }
  }

  /// Parts joined along an axis; a lone one is itself.
  private func join(
    _ parts: [Int32],
    axis: Int,
    as type: TensorType,
    to final: Int32?,
    _ name: String,
    _ exporter: inout TFLiteExporter
  ) -> Int32 {
    if parts.count == 1 { return parts[0] }
    let result = final ?? exporter.temporary("\(name)/band", type)
    var options = FlatObject()
    options.set(0, Int32(clamping: axis))
    exporter.add(
      "CONCATENATION",
      version: integerVersion(of: type, int16: 3),
      inputs: parts,
      outputs: [result],
      options: (OptionsType.concatenation, options)
    )
    return result
  }

  /// Window size over the number of elements inside the image, for each place of the output.
  private func averageMend(image: Shape, output: TensorType) throws -> Tensor {
    guard output.dtype == .float32, case .explicit(let top, _, let left, _) = padding else {
      throw Diagnostic(
        "TFL104",
        "a quantized average with explicit padding has no counterpart",
        remedy: "use SAME or VALID padding"
      )
    }
    func inside(_ place: Int, _ window: Int, _ stride: Int, _ before: Int, _ extent: Int) -> Int {
      let start = place * stride - before
      return max(1, min(start + window, extent) - max(start, 0))
    }
    var factors: [Float] = []
    for y in 0..<max(output.shape[1], 0) {
      let rows = inside(y, window.height, strides.height, top, image[1])
      for x in 0..<max(output.shape[2], 0) {
        let columns = inside(x, window.width, strides.width, left, image[2])
        factors.append(Float(window.height * window.width) / Float(rows * columns))
      }
    }
    return Tensor(factors, [1, output.shape[1], output.shape[2], 1])
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(5)
    let op = Pool2D(
      source.builtin == "MAX_POOL_2D" ? .max : .average,
      window: Size2D(try options.int(4), try options.int(3)),
      strides: Size2D(try options.int(2), try options.int(1)),
      padding: try options.padding(0),
      activation: activation.activation ?? .none
    )
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, [try importer.input(0, of: source)], source, then: after)
  }
}
