import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension TopK: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["TOPK_V2"] }

  /// The format selects the greatest along the last axis, with positions of 32 bits: another axis
  /// changes places with the last one, and the least of numbers are the greatest of their negatives.
  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let x = try node.type(0)
    guard let axis = x.shape.normalized(axis: axis), node.outputs.count == 2 else {
      throw Diagnostic("TFL103", "axis \(axis) of \(x.shape)")
    }
    guard takesLargest || x.dtype == .float32 else {
      throw Diagnostic("TFL107", "the least of \(x.dtype.rawValue) elements cannot be selected")
    }
    var swap = Array(0..<x.shape.rank)
    swap.swapAt(axis, x.shape.rank - 1)
    func swapped(_ type: TensorType) -> TensorType {
      var type = type
      type.shape = Shape(swap.map { type.shape.dims[$0] })
      return type
    }
    let isLast = axis == x.shape.rank - 1
    var input = exporter.tensor(node.input(0))
    if !isLast {
      let moved = exporter.temporary("\(node.name)/transposed", swapped(x))
      try exporter.addTranspose(swap, name: node.name, of: x, from: input, to: moved)
      input = moved
    }
    if !takesLargest {
      let negative = exporter.temporary("\(node.name)/negative", swapped(x))
      exporter.add(
        "NEG",
        inputs: [input],
        outputs: [negative],
        options: (OptionsType.negative, FlatObject())
      )
      input = negative
    }
    var places = node.outputTypes[1]
    places.dtype = .int32
    let finals = node.outputs.map { exporter.tensor($0) }
    var results = [
      isLast && takesLargest
        ? finals[0] : exporter.temporary("\(node.name)/values", swapped(node.outputTypes[0])),
      isLast && dtype == .int32
        ? finals[1] : exporter.temporary("\(node.name)/places", swapped(places)),
    ]
    exporter.add(
      "TOPK_V2",
      version: integerVersion(of: x, int16: 3),
      inputs: [input, try exporter.constant("\(node.name)/k", [count], shape: [])],
      outputs: results,
      options: (OptionsType.topK, FlatObject())
    )
    if !takesLargest {
      let positive =
        isLast
        ? finals[0] : exporter.temporary("\(node.name)/positive", swapped(node.outputTypes[0]))
      exporter.add(
        "NEG",
        inputs: [results[0]],
        outputs: [positive],
        options: (OptionsType.negative, FlatObject())
      )
      results[0] = positive
    }
    if dtype != .int32 {
      var wide = swapped(node.outputTypes[1])
      wide.dtype = dtype
      let cast = isLast ? finals[1] : exporter.temporary("\(node.name)/wide", wide)
      var options = FlatObject()
      options.set(0, DType.int32.tfliteNumber)
      options.set(1, dtype.tfliteNumber)
      exporter.add(
        "CAST",
        inputs: [results[1]],
        outputs: [cast],
        options: (OptionsType.cast, options)
      )
      results[1] = cast
    }
    guard !isLast else { return }
    for (index, result) in results.enumerated() {
      try exporter.addTranspose(
        swap,
        name: "\(node.name)/\(index)",
        of: swapped(node.outputTypes[index]),
        from: result,
        to: finals[index]
      )
    }
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard let count = try importer.integers(1, of: source).first else {
      throw Diagnostic("TFL017", "the number of elements is missing")
    }
    let type = try importer.declaredType(1, of: source)
    let op = TopK(count, axis: -1, dtype: type.dtype)
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
