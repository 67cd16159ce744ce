import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension FullyConnected: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["FULLY_CONNECTED"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let keepsAxes = try node.outputType.shape.rank != 2
    var options = FlatObject()
    options.set(0, FusedActivation(activation).rawValue)
    options.set(2, keepsAxes)
    // Rows of the input are quantized with a zero point of their own, as the converter has it.
    let isBlockwise = try node.type(1).quantization?.isBlockwise ?? false
    options.set(3, try isHybrid(node) || isBlockwise)
    let bias = exporter.tensor(node.input(2))
    let inputs = [
      exporter.flattenedTensor(node.input(0)), exporter.tensor(node.input(1)), bias,
    ]
    exporter.add(
      "FULLY_CONNECTED",
      version: try version(of: node, keepsAxes: keepsAxes),
      inputs: inputs,
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.fullyConnected, options)
    )
  }

  private func version(of node: ExportedNode, keepsAxes: Bool) throws -> Int {
    let (x, weights) = (try node.type(0), try node.type(1))
    let hybrid = try isHybrid(node)
    if x.dtype == .int16, weights.dtype == .int4 { return 13 }
    if hybrid, isPerChannel(weights) { return 12 }
    if x.dtype == .float32, weights.dtype == .int4 { return 12 }
    if x.dtype == .int16 { return weights.dtype == .int16 ? 7 : 4 }
    if keepsAxes { return 5 }
    switch (x.dtype, weights.dtype) {
    case (.int8, .int8): return 4
    case (.int8, .int4): return 10
    default: return hybrid ? 9 : 1
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    guard try options.int8(1) == 0 else {
      throw Diagnostic("TFL018", "the weights lie in a shuffled order", remedy: "convert it again")
    }
    let activation = try options.activation(0)
    var x = try importer.input(0, of: source)
    let weights = try importer.input(1, of: source)
    let (shape, filter) = (importer.type(x).shape, importer.type(weights).shape)
    guard filter.rank == 2, let count = shape.elementCount else {
      throw Diagnostic("GRF002", "weights \(filter) do not fit \(shape)")
    }
    // Without keep_num_dims the input is taken as rows of the weights' length.
    if try !options.bool(2), shape.rank != 2 || shape[1] != filter[1] {
      guard filter[1] > 0, count % filter[1] == 0 else {
        throw Diagnostic("GRF002", "weights \(filter) do not fit \(shape)")
      }
      x = try importer.intermediate(
        Reshape([count / filter[1], filter[1]]),
        [x],
        source,
        like: importer.type(x)
      )
    }
    let inputs = [x, weights, try importer.optionalInput(2, of: source)]
    let op = FullyConnected(activation: activation.activation ?? .none)
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, trimmed(inputs), source, then: after)
  }
}
