import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Softmax: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SOFTMAX"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, output) = (try node.type(0), try node.outputType)
    guard let axis = x.shape.normalized(axis: axis) else {
      throw Diagnostic("TFL103", "axis \(axis) of \(x.shape)")
    }
    var options = FlatObject()
    options.set(0, beta)
    let input = exporter.tensor(node.input(0))
    let result = exporter.tensor(node.outputs.first)
    let version = integerVersion(of: x, int16: 3)
    let table = (OptionsType.softmax, options)
    guard axis != x.shape.rank - 1 else {
      exporter.add("SOFTMAX", version: version, inputs: [input], outputs: [result], options: table)
      return
    }
    // The format's softmax runs along the last axis: the axis changes places with it, and back.
    var swap = Array(0..<x.shape.rank)
    swap.swapAt(axis, x.shape.rank - 1)
    func swapped(_ type: TensorType) -> TensorType {
      TensorType(
        type.dtype,
        Shape(swap.map { type.shape.dims[$0] }),
        quantization: type.quantization
      )
    }
    let before = exporter.temporary("\(node.name)/transposed", swapped(x))
    let after = exporter.temporary("\(node.name)/softmax", swapped(output))
    try exporter.addTranspose(swap, name: node.name, of: x, from: input, to: before)
    exporter.add("SOFTMAX", version: version, inputs: [before], outputs: [after], options: table)
    try exporter.addTranspose(swap, name: node.name, of: output, from: after, to: result)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = Softmax(axis: -1, beta: try source.options.float(0))
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}

extension LogSoftmax: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["LOG_SOFTMAX"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, output) = (try node.type(0), try node.outputType)
    guard let axis = x.shape.normalized(axis: axis) else {
      throw Diagnostic("TFL103", "axis \(axis) of \(x.shape)")
    }
    let version = integerVersion(of: x)
    guard axis != x.shape.rank - 1 else {
      exporter.add(
        "LOG_SOFTMAX",
        version: version,
        node,
        options: (OptionsType.logSoftmax, FlatObject())
      )
      return
    }
    var swap = Array(0..<x.shape.rank)
    swap.swapAt(axis, x.shape.rank - 1)
    func swapped(_ type: TensorType) -> TensorType {
      var type = type
      type.shape = Shape(swap.map { type.shape.dims[$0] })
      return type
    }
    let before = exporter.temporary("\(node.name)/transposed", swapped(x))
    let after = exporter.temporary("\(node.name)/logarithms", swapped(output))
    let input = exporter.tensor(node.input(0))
    try exporter.addTranspose(swap, name: node.name, of: x, from: input, to: before)
    exporter.add(
      "LOG_SOFTMAX",
      version: version,
      inputs: [before],
      outputs: [after],
      options: (OptionsType.logSoftmax, FlatObject())
    )
    let result = exporter.tensor(node.outputs.first)
    try exporter.addTranspose(swap, name: node.name, of: swapped(output), from: after, to: result)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    try importer.add(LogSoftmax(axis: -1), [try importer.input(0, of: source)], source)
  }
}
