import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Pool2D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["MAX_POOL_2D", "AVERAGE_POOL_2D"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (image, output) = (try node.type(0), try node.outputType)
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
