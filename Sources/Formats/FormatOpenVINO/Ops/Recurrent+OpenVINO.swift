import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Recurrent: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    func refuse(_ what: String) -> Diagnostic {
      Diagnostic("OVI118", "OpenVINO's sequences have no \(what)")
    }
    guard coupling == .none, cellClip == nil, projectionClip == nil else {
      throw refuse("coupled gates and no bounds on the state")
    }
    for input in [Input.peepholes, .projection, .projectionBias, .mask]
    where node.has(input.rawValue) {
      throw refuse("\(input)")
    }
    guard let weights = file.floats(node, Input.weights.rawValue),
      let recurrent = file.floats(node, Input.recurrentWeights.rawValue)
    else { throw refuse("computed weights") }
    let x = node.input(0).shape
    let units = weights.shape[0] / cell.gates
    let (bias, candidateBias) = try biases(node, file, units)
    let isSplit = cell == .gru && resetsAfter
    let parameters = [
      weights.gates(gateOrder), recurrent.gates(gateOrder),
      Tensor(
        bias.gates(gateOrder).floats() + (isSplit ? candidateBias : []),
        [
          (cell.gates + (isSplit ? 1 : 0)) * units
        ]
      ),
    ]
    var inputs = [file.real(node, 0), state(node, .initialOutput, [x[0], units], &file)]
    if cell == .lstm { inputs.append(state(node, .initialCell, [x[0], units], &file)) }
    inputs.append(
      file.addConstant(
        Tensor([Int32](repeating: Int32(clamping: x[1]), count: max(x[0], 0)), [max(x[0], 0)]),
        hint: "\(node.node.name)/lengths"
      )
    )
    for (tensor, role) in zip(parameters, ["W", "R", "B"]) {
      let stacked = tensor.reshaped(Shape([1] + tensor.shape.dims))
      inputs.append(file.addConstant(stacked, hint: "\(node.node.name)/\(role)"))
    }
    var functions = [activation]
    if cell != .simple { functions.insert(recurrentActivation, at: 0) }
    if cell == .lstm { functions.append(outputActivation) }
    var attributes: [(name: String, value: String)] = [
      ("hidden_size", "\(units)"), ("direction", isReversed ? "reverse" : "forward"),
      ("activations", try functions.map(functionName).joined(separator: ", ")),
    ]
    if let gateClip { attributes.append(("clip", "\(gateClip)")) }
    if cell == .gru { attributes.append(("linear_before_reset", "\(resetsAfter)")) }
    let last = TensorType(.float32, [x[0], 1, units])
    let layer = file.add(
      cell == .simple ? "RNNSequence" : "\(cell.rawValue)Sequence",
      set: 5,
      inputs,
      attributes,
      outputs: [TensorType(.float32, [x[0], 1, x[1], units]), last]
        + (cell == .lstm ? [last] : []),
      for: node
    ).layer
    for output in node.node.outputs.indices {
      let result = IRValue(layer: layer, output: output)
      file.finish(node, output: output, file.reshaped(result, node.outputs[output].shape.dims))
    }
  }

  /// The Graph's gates in OpenVINO's order: an LSTM's forget gate is its first.
  private var gateOrder: [Int] { cell == .lstm ? [1, 0, 2, 3] : Array(0..<cell.gates) }

  /// The sum of both biases; where the candidate keeps two, its recurrent one by itself.
  private func biases(
    _ node: NodeView,
    _ file: IRExporter,
    _ units: Int
  ) throws -> (Tensor, [Float]) {
    let count = cell.gates * units
    func floats(_ input: Input) throws -> [Float] {
      guard node.has(input.rawValue) else { return [Float](repeating: 0, count: count) }
      guard let tensor = file.floats(node, input.rawValue) else {
        throw Diagnostic("OVI118", "OpenVINO's sequences have no computed \(input)")
      }
      return tensor.floats()
    }
    let (plain, recurrent) = (try floats(.bias), try floats(.recurrentBias))
    guard cell == .gru, resetsAfter else {
      return (Tensor(zip(plain, recurrent).map { $0 + $1 }, [count]), [])
    }
    let joined = plain.indices.map { $0 < 2 * units ? plain[$0] + recurrent[$0] : plain[$0] }
    return (Tensor(joined, [count]), Array(recurrent[(2 * units)...]))
  }

  /// An initial state `[N, 1, U]`.
  private func state(
    _ node: NodeView,
    _ input: Input,
    _ dims: [Int],
    _ file: inout IRExporter
  ) -> IRValue {
    let shape = [dims[0], 1, dims[1]]
    guard node.has(input.rawValue) else {
      let zeros = [Float](repeating: 0, count: Shape(shape).count)
      return file.addConstant(Tensor(zeros, Shape(shape)), hint: "\(node.node.name)/\(input)")
    }
    return file.reshaped(file.real(node, input.rawValue), shape)
  }

  private func functionName(_ function: RecurrentFunction) throws -> String {
    switch function.kind {
    case .sigmoid: return "sigmoid"
    case .tanh: return "tanh"
    case .relu: return "relu"
    default:
      throw Diagnostic("OVI118", "OpenVINO's sequences have no activation \(function.text)")
    }
  }
}

extension Tensor {
  /// Blocks of rows, as many as `order` has, in another order (float32 only).
  fileprivate func gates(_ order: [Int]) -> Tensor {
    let all = floats()
    let block = count / max(order.count, 1)
    return Tensor(order.flatMap { all[$0 * block..<($0 + 1) * block] }, shape)
  }
}
