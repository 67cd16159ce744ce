import AssayFormat
import AssayGraph
import AssayTensor

// OpenVINO's files do not say what the integers of an input or an output stand for; the layers beside it
// do: Convert, Subtract and Multiply of constants, or Divide, Round, Add and Convert.

extension Graph {
  /// The graph with inputs and outputs that know their quantization.
  ///
  /// An input of bytes is taken for levels of gray, which a network may scale by itself; only where the
  /// layers are named as our exporter does is it a quantized one.
  func withQuantizedPorts() -> Graph {
    guard (inputs + outputs).contains(where: { self[$0].type.dtype.isPort }) else { return self }
    var result = self
    for input in inputs { result.quantizeInput(input) }
    for output in outputs { result.quantizeOutput(output) }
    return result.withoutUnusedNodes()
  }

  private mutating func quantizeInput(_ input: ValueID) {
    let index = GraphIndex(self)
    let type = self[input].type
    guard type.dtype.isPort, type.quantization == nil, let first = index.soleReader(of: input),
      (nodes[first].op as? Cast)?.dtype == .float32,
      var last = index.soleReader(of: nodes[first].outputs[0])
    else { return }
    var zeroPoint: Float = 0
    if let zero = factor(of: last, .subtract, over: nodes[first].outputs[0]),
      let next = index.soleReader(of: nodes[last].outputs[0])
    {
      (zeroPoint, last) = (zero, next)
    }
    guard let before = operand(of: last),
      let scale = factor(of: last, .multiply, over: before),
      let quantization = Quantization(checking: scale, zeroPoint, type.dtype),
      type.dtype != .uint8 || nodes[last].name == "\(self[input].name)/Multiply"
    else { return }
    self[input].type.quantization = quantization
    nodes[last].op = Dequantize()
    nodes[last].inputs = [input]
  }

  private mutating func quantizeOutput(_ output: ValueID) {
    let makers = producers()
    let type = self[output].type
    guard type.dtype.isPort, type.quantization == nil, var last = makers[output] else { return }
    // The output of a picture's layer may be the codes in another order of axes.
    var codes = output
    if nodes[last].op is Transpose, let moved = operand(of: last), let maker = makers[moved],
      GraphIndex(self).soleReader(of: moved) == last
    {
      (codes, last) = (moved, maker)
    }
    guard (nodes[last].op as? Cast)?.dtype == type.dtype else { return }
    var value = operand(of: last)
    var zeroPoint: Float = 0
    if let id = value, let maker = makers[id], let before = operand(of: maker),
      let zero = factor(of: maker, .add, over: before)
    {
      (zeroPoint, value) = (zero, before)
    }
    guard let rounded = value, let round = makers[rounded],
      (nodes[round].op as? Unary)?.kind == .round, let quotient = operand(of: round),
      let division = makers[quotient], let reals = operand(of: division),
      let scale = factor(of: division, .divide, over: reals),
      let quantization = Quantization(checking: scale, zeroPoint, type.dtype)
    else { return }
    for id in [codes, output] { self[id].type.quantization = quantization }
    nodes[last].op = Quantize(type.dtype, quantization)
    nodes[last].inputs = [reals]
  }

  /// What a node reads first, if it reads anything.
  private func operand(of node: Int) -> ValueID? { nodes[node].inputs.first.flatMap { $0 } }

  /// The lone number that a node joins with a value.
  private func factor(of node: Int, _ kind: Binary.Kind, over value: ValueID) -> Float? {
    guard let op = nodes[node].op as? Binary, op.kind == kind, op.activation == .none,
      nodes[node].inputs.count == 2, nodes[node].inputs[0] == value,
      let other = nodes[node].inputs[1],
      let tensor = self[other].constant, tensor.count == 1
    else { return nil }
    return tensor.floats()[0]
  }
}

extension DType {
  /// Whether an input or output of this type may be quantized.
  fileprivate var isPort: Bool { [.int8, .uint8, .int16].contains(self) }
}

extension Quantization {
  /// A quantization of numbers that layers have; `nil` when they are of another purpose.
  fileprivate init?(checking scale: Float, _ zeroPoint: Float, _ dtype: DType) {
    guard scale > 0, scale.isFinite, zeroPoint.rounded() == zeroPoint,
      let range = dtype.integerRange, let zero = Int(exactly: zeroPoint), range.contains(zero)
    else { return nil }
    self.init(scale: scale, zeroPoint: Int32(zero))
  }
}
