import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

/// A loop that is a recurrent layer: what its body computes from an element of the sequence and the state
/// is what a cell with the loop's own weights computes.
///
/// The body is read once into a graph of its own. If all its nodes compute analytic functions, two networks
/// that agree at points taken at random agree everywhere; so the cell that its weights suggest is tried
/// against it, and the loop is unrolled where none agrees.
struct RecurrentLoop {
  /// What a value of the loop's state is.
  private enum Role {
    /// The same in every step.
    case invariant
    /// Counts the steps.
    case counter
    /// The list whose elements are read.
    case sequence
    /// The list of results, which keeps each or only the last.
    case results
    /// A tensor that the body changes.
    case state
  }

  private let call: TFCall
  private var roles: [Role] = []
  private var body = Graph(name: "body")
  private var element: ValueID?
  private var stateInputs: [Int: ValueID] = [:]
  private var stateResults: [Int: ValueID] = [:]
  private var result: ValueID?
  private var stacked: ValueID?
  private var length = 0
  private var keepsLastOnly = false

  // MARK: - Reading the body

  /// Reads a loop's body; `nil` when it cannot be a recurrent layer's.
  init?(_ call: TFCall, _ importer: TensorFlowImporter) throws {
    self.call = call
    var states: Set<Int> = []
    for (index, value) in call.inputs.enumerated() {
      if case .tensor(let id) = value, importer.graph[id].constant == nil { states.insert(index) }
    }
    // A state that begins as a Constant is known by what the body makes of it.
    for _ in 0..<3 {
      guard try read(importer, states) else { return nil }
      let found = Set(stateResults.keys)
      if found == states { return }
      states = found
    }
    return nil
  }

  /// Reads the body once, with these values as its inputs.
  private mutating func read(_ importer: TensorFlowImporter, _ states: Set<Int>) throws -> Bool {
    var scratch = TensorFlowImporter(Graph(name: "body"))
    scratch.functions = importer.functions
    scratch.callDepth = importer.callDepth
    scratch.variables = importer.variables
    scratch.savedNames = importer.savedNames
    scratch.checkpoint = importer.checkpoint
    roles = []
    (stateInputs, stateResults) = ([:], [:])
    (element, result, stacked, length) = (nil, nil, nil, 0)
    var arguments: [TFValue] = []
    for (index, value) in call.inputs.enumerated() {
      switch value {
      case .tensor(let id):
        let known = importer.graph[id]
        if states.contains(index) {
          let input = scratch.graph.addInput("state\(index)", known.type)
          stateInputs[index] = input
          arguments.append(.tensor(input))
          roles.append(.state)
        } else {
          guard let constant = known.constant else { return false }
          arguments.append(.tensor(scratch.graph.addConstant(known.name, constant)))
          roles.append(.invariant)
        }
      case .list(let list):
        if let whole = list.stacked {
          guard element == nil, let first = list.elements.first, let first else { return false }
          let input = scratch.graph.addInput("element", importer.graph[first].type)
          (element, stacked, length) = (input, whole, list.elements.count)
          let elements = [ValueID?](repeating: input, count: length)
          arguments.append(.list(TFTensorList(elements: elements)))
          roles.append(.sequence)
        } else {
          guard list.elements.allSatisfy({ $0 == nil }) else { return false }
          arguments.append(value)
          roles.append(.results)
        }
      case .variable:
        arguments.append(value)
        roles.append(.invariant)
      default: return false
      }
    }
    guard element != nil else { return false }
    let results = try scratch.call(try call.function("body"), arguments)
    guard scratch.faults.isEmpty, results.count == arguments.count else { return false }
    for (index, (before, after)) in zip(arguments, results).enumerated() {
      switch (before, after) {
      case (.tensor(let old), .tensor(let new)):
        if old == new { continue }
        guard let constant = scratch.graph[new].constant else {
          stateResults[index] = new
          continue
        }
        guard let was = scratch.graph[old].constant, was.count == 1, was.dtype.isInteger,
          was.integers() == [0], constant.integers() == [1]
        else { return false }
        roles[index] = .counter
      case (.list(let old), .list(let new)):
        if roles[index] == .sequence {
          guard old.elements == new.elements else { return false }
          continue
        }
        // A list of one element is overwritten in every step.
        keepsLastOnly = old.elements.count == 1 && length > 1
        guard new.elements.count == (keepsLastOnly ? 1 : length), old.elements.count > 0,
          let first = new.elements[0], result == nil,
          new.elements.dropFirst().allSatisfy({ $0 == nil })
        else { return false }
        result = first
      case (.variable(let old), .variable(let new)):
        guard old == new else { return false }
      default: return false
      }
    }
    // What the body hands on unchanged is no state of a cell.
    guard stateInputs.keys.allSatisfy({ stateResults[$0] != nil }) else { return false }
    body = scratch.graph
    return !stateResults.isEmpty && length > 0 && isAnalytic
  }

  /// Whether the body's nodes compute analytic functions only.
  private var isAnalytic: Bool {
    body.nodes.allSatisfy { node in
      switch node.op {
      case is MatMul, is Reshape, is Split, is Slice, is Concat, is Transpose: true
      case let op as Binary:
        [.add, .subtract, .multiply].contains(op.kind) && op.activation == .none
      case let op as Unary: [.sigmoid, .tanh, .negative, .square].contains(op.kind)
      default: false
      }
    }
  }

  // MARK: - Finding the cell

  /// A cell with its weights in the order of `Recurrent`'s inputs 1 to 4.
  private struct Candidate {
    var op: Recurrent
    var weights: [Tensor?]
    /// The loop's values that are the state: the output and, for an LSTM, the cell's.
    var states: [Int]
  }

  /// What a value of the body follows from: the element, states, or both.
  private func dependencies() -> [ValueID: (element: Bool, state: Bool)] {
    var result: [ValueID: (element: Bool, state: Bool)] = [:]
    if let element { result[element] = (true, false) }
    for id in stateInputs.values { result[id] = (false, true) }
    for node in body.nodes {
      var both = (element: false, state: false)
      for case let input? in node.inputs {
        guard let known = result[input] else { continue }
        both = (both.element || known.element, both.state || known.state)
      }
      for output in node.outputs { result[output] = both }
    }
    return result
  }

  /// The cells that the body's weights may be those of.
  private func candidates() -> [Candidate] {
    let sources = dependencies()
    var kernels: [Tensor] = []
    var recurrent: [Tensor] = []
    var biases: (element: [Tensor], state: [Tensor], both: [Tensor]) = ([], [], [])
    for node in body.nodes {
      let constants = node.inputs.compactMap { $0.flatMap { body[$0].constant } }
      let others = node.inputs.compactMap { $0 }.filter { body[$0].constant == nil }
      guard let constant = constants.first, constants.count == 1, others.count == 1,
        let source = sources[others[0]]
      else { continue }
      if let product = node.op as? MatMul, constant.shape.rank == 2, !product.transposesA {
        let matrix = product.transposesB ? constant.permuted([1, 0]) ?? constant : constant
        if source.state { recurrent.append(matrix) } else { kernels.append(matrix) }
      } else if let sum = node.op as? Binary, sum.kind == .add, constant.count > 1 {
        let row = constant.reshaped([constant.count])
        if source.element && source.state {
          biases.both.append(row)
        } else if source.element {
          biases.element.append(row)
        } else {
          biases.state.append(row)
        }
      }
    }
    let states = stateResults.keys.sorted()
    guard kernels.count == 1, !recurrent.isEmpty, let first = states.first,
      let shape = stateInputs[first].map({ body[$0].type.shape }), shape.rank == 2,
      recurrent.allSatisfy({ $0.shape[0] == shape[1] && $0.dtype == .float32 }),
      kernels[0].dtype == .float32
    else { return [] }
    let units = shape[1]
    // The gates of a GRU are multiplied by the state before the candidate is.
    let ordered = recurrent.sorted { $0.shape[1] > $1.shape[1] }
    let joined = Self.columns(ordered)
    let columns = kernels[0].shape[1]
    guard columns == joined.shape[1], units > 0, columns % units == 0 else { return [] }
    func weights(_ bias: Tensor?, _ recurrentBias: Tensor?) -> [Tensor?] {
      [kernels[0].permuted([1, 0]), joined.permuted([1, 0]), bias, recurrentBias]
    }
    func row(_ list: [Tensor]) -> Tensor? { list.first { $0.count == columns } }
    let single = row(biases.both) ?? row(biases.element)
    switch (columns / units, states.count) {
    case (4, 2):
      return [states, Array(states.reversed())].map {
        Candidate(op: Recurrent(.lstm), weights: weights(single, row(biases.state)), states: $0)
      }
    case (3, 1):
      return [true, false].map { resetsAfter in
        Candidate(
          op: Recurrent(.gru, resetsAfter: resetsAfter),
          weights: weights(single, row(biases.state)),
          states: states
        )
      }
    case (1, 1):
      return [
        Candidate(
          op: Recurrent(.simple),
          weights: weights(single, row(biases.state)),
          states: states
        )
      ]
    default: return []
    }
  }

  /// Matrices side by side.
  private static func columns(_ parts: [Tensor]) -> Tensor {
    if parts.count == 1 { return parts[0] }
    let rows = parts[0].shape[0]
    let elements = parts.map { $0.elements(as: Float.self) }
    var joined: [Float] = []
    for row in 0..<rows {
      for (part, values) in zip(parts, elements) {
        let width = part.shape[1]
        joined += values[row * width..<(row + 1) * width]
      }
    }
    return Tensor(joined, [rows, parts.reduce(0) { $0 + $1.shape[1] }])
  }

  /// Whether a cell computes what the body does, at points taken at random.
  private func agrees(_ candidate: Candidate) throws -> Bool {
    guard let element, let result, let output = stateResults[candidate.states[0]] else {
      return false
    }
    var graph = body
    graph.outputs = [result] + candidate.states.compactMap { stateResults[$0] }
    guard graph.outputs.count == candidate.states.count + 1 else { return false }
    // One value under two roles, the step's result and the new state, leaves the graph once.
    graph.outputs = output == result ? Array(graph.outputs.dropFirst()) : graph.outputs
    var rng = SeededRNG(seed: 0x5EED)
    func random(_ type: TensorType) -> Tensor {
      Tensor(
        (0..<type.shape.count).map { _ in Float.random(in: -1.5...1.5, using: &rng) },
        type.shape
      )
    }
    for _ in 0..<3 {
      let x = random(body[element].type)
      var inputs = [body[element].name: x]
      var states: [Tensor] = []
      for index in candidate.states {
        guard let id = stateInputs[index] else { return false }
        let state = random(body[id].type)
        inputs[body[id].name] = state
        states.append(state)
      }
      let expected = try ReferenceEvaluator(graph).run(inputs).map(\.tensor)
      let sequence = x.reshaped([x.shape[0], 1, x.shape[1]])
      let operands = [sequence] + candidate.weights + states
      let made = try ReferenceEvaluator.evaluate(candidate.op, operands)
      // The step's result, the new output and the new cell state.
      var pairs = Array(zip(expected.suffix(candidate.states.count), made.dropFirst()))
      if expected.count > candidate.states.count { pairs.append((expected[0], made[1])) }
      for (a, b) in pairs {
        let distance = zip(a.floats(), b.floats()).map { abs($0 - $1) }.max() ?? 0
        guard distance < 2e-6 else { return false }
      }
    }
    return true
  }

  // MARK: - The layer

  /// Adds the layer that the loop is to the importer's graph, and gives the loop's results; `nil` when
  /// no cell agrees with its body.
  func layer(_ importer: inout TensorFlowImporter) throws -> [TFValue]? {
    guard let stacked, let element, body[element].type.shape.rank == 2,
      body[element].type.dtype == .float32, try runsThrough(&importer),
      let cell = try candidates().first(where: { try agrees($0) })
    else { return nil }
    let sequence = try importer.transposed(call, stacked, [1, 0, 2], as: "sequence")
    let names = ["kernel", "recurrent_kernel", "bias", "recurrent_bias"]
    var inputs: [ValueID?] = [sequence]
    for (name, tensor) in zip(names, cell.weights) {
      inputs.append(tensor.map { importer.addConstant("\(call.name)/\(name)", $0) })
    }
    for index in cell.states {
      let initial = try importer.tensor(call, index)
      let isZero = importer.graph[initial].constant?.floats().allSatisfy { $0 == 0 } ?? false
      inputs.append(isZero ? nil : initial)
    }
    while inputs.last == .some(nil) { inputs.removeLast() }
    let outputs = try importer.add(call.name, cell.op, inputs)
    let last = outputs[1]
    let steps: ValueID
    if keepsLastOnly {
      let dims = importer.graph[last].type.shape.dims
      steps = try importer.reshaped(call, last, to: [1] + dims, as: "steps")
    } else {
      steps = try importer.transposed(call, outputs[0], [1, 0, 2], as: "steps")
    }
    return call.inputs.enumerated().map { index, value in
      switch roles[index] {
      case .invariant, .sequence: return value
      case .counter:
        guard case .tensor(let id) = value else { return value }
        let dtype = importer.graph[id].type.dtype
        return .tensor(importer.addIntegers("\(call.name)/count", [length], [], dtype))
      case .results:
        if keepsLastOnly { return .list(TFTensorList(elements: [last], stacked: steps)) }
        let elements = [ValueID?](repeating: nil, count: length)
        return .list(TFTensorList(elements: elements, stacked: steps))
      case .state:
        let place = cell.states.firstIndex(of: index) ?? 0
        return .tensor(outputs[1 + place])
      }
    }
  }

  /// Whether the loop ends when, and only when, all elements were read.
  private func runsThrough(_ importer: inout TensorFlowImporter) throws -> Bool {
    func goesOn(after steps: Int) throws -> Bool? {
      let state = call.inputs.enumerated().map { index, value -> TFValue in
        guard roles[index] == .counter, case .tensor(let id) = value else { return value }
        let dtype = importer.graph[id].type.dtype
        return .tensor(importer.addIntegers("\(call.name)/step", [steps], [], dtype))
      }
      let results = try importer.call(try call.function("cond"), state)
      guard case .tensor(let id) = results.first else { return nil }
      return importer.graph[id].constant?.floats().first.map { $0 != 0 }
    }
    return try goesOn(after: length - 1) == true && goesOn(after: length) == false
  }
}
