import AssayBase
import AssayGraph
import AssayTensor

extension TFLiteImporter {
  /// The record of a tensor.
  func record(_ index: Int) throws -> TensorRecord {
    guard frame.subgraph.tensors.indices.contains(index) else {
      throw Diagnostic("TFL003", "tensor \(index) is not there")
    }
    return frame.subgraph.tensors[index]
  }

  /// The number of an operator's inputs that are present.
  func inputCount(_ source: ImportedOperator) -> Int {
    source.record.inputs.count { $0 >= 0 }
  }

  /// The tensor index of an input; `nil` for an absent one.
  func tensorIndex(_ input: Int, of source: ImportedOperator) -> Int? {
    let inputs = source.record.inputs
    return inputs.indices.contains(input) && inputs[input] >= 0 ? Int(inputs[input]) : nil
  }

  /// The value of an optional input.
  mutating func optionalInput(_ input: Int, of source: ImportedOperator) throws -> ValueID? {
    guard let index = tensorIndex(input, of: source) else { return nil }
    return try value(index)
  }

  /// The value of an input that must be there.
  mutating func input(_ input: Int, of source: ImportedOperator) throws -> ValueID {
    guard let id = try optionalInput(input, of: source) else {
      throw Diagnostic("TFL012", "input \(input) is missing")
    }
    return id
  }

  /// The values of all inputs, each of which must be there.
  mutating func inputs(_ source: ImportedOperator) throws -> [ValueID] {
    try source.record.inputs.indices.map { try input($0, of: source) }
  }

  /// The type of a value.
  func type(_ id: ValueID) -> TensorType { graph[id].type }

  /// The elements of a value, when they are known.
  func constant(_ id: ValueID) -> Tensor? { graph[id].constant }

  /// The integers of an input that must be known before the network runs.
  ///
  /// - Throws: `Diagnostic` TFL013 when they are computed.
  func integers(_ input: Int, of source: ImportedOperator) throws -> [Int] {
    guard let index = tensorIndex(input, of: source) else {
      throw Diagnostic("TFL012", "input \(input) is missing")
    }
    guard let tensor = try knownIntegers(index) else {
      throw Diagnostic("TFL013", "input \(input) is computed while the network runs")
    }
    return tensor.integers()
  }

  /// A small constant integer tensor, from the file or computed; `nil` when the network computes it.
  func knownIntegers(_ index: Int) throws -> Tensor? {
    guard let constant = try knownElements(index), constant.dtype.isInteger,
      constant.count <= 1 << 16
    else { return nil }
    return constant
  }

  /// The elements of a constant tensor of any type, from the file or computed.
  func knownElements(_ index: Int) throws -> Tensor? {
    if let id = frame.valueOfTensor[index] { return graph[id].constant }
    return try elements(of: record(index))
  }

  /// The elements of an input that must be known before the network runs.
  ///
  /// - Throws: `Diagnostic` TFL013 when they are computed.
  func elements(_ input: Int, of source: ImportedOperator) throws -> Tensor {
    guard let index = tensorIndex(input, of: source) else {
      throw Diagnostic("TFL012", "input \(input) is missing")
    }
    guard let tensor = try knownElements(index) else {
      throw Diagnostic("TFL013", "input \(input) is computed while the network runs")
    }
    return tensor
  }

  /// The type that the file declares for an output.
  func declaredType(_ output: Int, of source: ImportedOperator) throws -> TensorType {
    guard source.record.outputs.indices.contains(output) else {
      throw Diagnostic("TFL012", "output \(output) is missing")
    }
    return try type(of: record(Int(source.record.outputs[output])))
  }

  /// Adds a Constant that the file does not hold as such.
  mutating func addConstant(_ name: String, _ tensor: Tensor) -> ValueID {
    graph.addConstant(uniqueName(name, or: "constant"), tensor)
  }

  /// The value of a tensor: made before, or a constant; `nil` for an absent one.
  mutating func value(_ index: Int) throws -> ValueID? {
    if index < 0 { return nil }
    if let known = frame.valueOfTensor[index] { return known }
    let tensor = try record(index)
    guard let elements = try elements(of: tensor) else {
      throw Diagnostic("TFL003", "tensor \(index) ('\(tensor.name)') is read before it is made")
    }
    let id = graph.addConstant(uniqueName(tensor.name, or: "constant \(index)"), elements)
    frame.valueOfTensor[index] = id
    return id
  }

  /// The elements that the file holds for a tensor; `nil` when it holds none.
  private func elements(of tensor: TensorRecord) throws -> Tensor? {
    guard !tensor.isExternal else {
      throw Diagnostic(
        "TFL014",
        "the constant '\(tensor.name)' lies in another file",
        remedy: "convert the model with its weights inside"
      )
    }
    guard !tensor.isVariable else { return nil }
    var type = try type(of: tensor)
    let isThere = model.buffers.indices.contains(tensor.buffer)
    guard isThere, let bytes = model.buffers[tensor.buffer] else {
      return type.shape.elementCount == 0 ? try Tensor(type, bytes: ByteView([])) : nil
    }
    return try locating("tensor '\(tensor.name)'") {
      var bytes = bytes
      if tensor.type == DType.tfliteInt2 {
        bytes = try unpackedPairs(bytes, count: type.shape.count)
      }
      if let sparsity = tensor.sparsity { bytes = try densified(bytes, sparsity, type) }
      if let record = tensor.quantization, record.kind == 2 {
        type.quantization = nil
        return try dequantized(try Tensor(type, bytes: bytes), record.blockwise)
      }
      return try Tensor(type, bytes: bytes)
    }
  }

  /// Integers of two bits, four a byte, as integers of eight.
  private func unpackedPairs(_ bytes: ByteView, count: Int) throws -> ByteView {
    guard bytes.count >= (count + 3) / 4 else {
      throw Diagnostic("TFL016", "\(bytes.count) bytes hold fewer than \(count) elements")
    }
    let packed = bytes.array
    return ByteView(
      (0..<count).map { index in
        let bits = packed[index / 4] >> UInt8(index % 4 * 2) & 3
        return bits > 1 ? bits | 0xFC : bits
      }
    )
  }

  /// Constants with a scale for each block of some elements of the last axis, as floats.
  private func dequantized(_ tensor: Tensor, _ record: BlockwiseRecord?) throws -> Tensor {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic("TFL016", "the blockwise quantization is not understood: \(what)")
    }
    guard let record, record.blockSize > 0, let inner = tensor.shape.dims.last, inner > 0,
      inner % record.blockSize == 0
    else { throw fault("blocks of \(record?.blockSize ?? 0) in \(tensor.shape)") }
    let scaleRecord = try self.record(record.scales)
    guard scaleRecord.quantization?.kind ?? 0 == 0, let scales = try knownElements(record.scales),
      scales.count == tensor.count / record.blockSize
    else { throw fault("the scales do not fit") }
    var zeros: [Int]?
    if record.zeroPoints > 0 {
      let zeroRecord = try self.record(record.zeroPoints)
      guard zeroRecord.quantization?.kind ?? 0 == 0 else { throw fault("the zero points") }
      zeros = try knownElements(record.zeroPoints)?.integers()
      guard zeros?.count == scales.count else { throw fault("the zero points do not fit") }
    }
    let factors = scales.floats()
    let values = tensor.integers().enumerated().map { index, value in
      let block = index / record.blockSize
      return Float(value - (zeros?[block] ?? 0)) * factors[block]
    }
    return Tensor(values, tensor.shape)
  }

  /// The type of a tensor as the file declares it.
  func type(of tensor: TensorRecord) throws -> TensorType {
    // Integers of two bits are held in eight: the values stay.
    let known = tensor.type == DType.tfliteInt2 ? .int8 : DType(tflite: tensor.type)
    guard let dtype = known else {
      throw Diagnostic("TFL015", "'\(tensor.name)' has elements of type \(tensor.type)")
    }
    let shape = Shape(tensor.shape.map(Int.init))
    guard shape.isStatic, let count = shape.elementCount, dtype.byteCount(count) != nil else {
      throw Diagnostic("TFL015", "'\(tensor.name)' has the shape \(shape)")
    }
    let quantization = try quantization(of: tensor, shape)
    return TensorType(dtype, shape, quantization: quantization)
  }

  private func quantization(of tensor: TensorRecord, _ shape: Shape) throws -> Quantization? {
    guard let record = tensor.quantization else { return nil }
    func fault(_ what: String) -> Diagnostic {
      Diagnostic("TFL016", "the quantization of '\(tensor.name)' is not understood: \(what)")
    }
    if record.kind == 2 { return nil }
    guard record.kind == 0 else { throw fault("it is custom or of several axes") }
    let zeroPoints = record.zeroPoints.map { Int32(clamping: $0) }
    guard let scale = record.scales.first else { return nil }
    if record.scales.count == 1 {
      guard zeroPoints.count <= 1 else { throw fault("\(zeroPoints.count) zero points") }
      return Quantization(scale: scale, zeroPoint: zeroPoints.first ?? 0)
    }
    // Some converters keep the axis of a filter for its bias, which has one axis only.
    let axis = shape.rank == 1 ? 0 : Int(record.axis)
    guard shape.dims.indices.contains(axis), shape.dims[axis] == record.scales.count else {
      throw fault("\(record.scales.count) scales along axis \(axis) of \(shape)")
    }
    guard zeroPoints.isEmpty || zeroPoints.count == record.scales.count else {
      throw fault("\(zeroPoints.count) zero points for \(record.scales.count) scales")
    }
    return Quantization(
      scales: record.scales,
      zeroPoints: zeroPoints.isEmpty ? nil : zeroPoints,
      axis: axis
    )
  }

  /// `name`, or `name` with a number when it is taken.
  mutating func uniqueName(_ name: String, or fallback: String) -> String {
    valueNames.unique(name.isEmpty ? fallback : name)
  }
}
