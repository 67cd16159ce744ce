import AssayAutodiff
import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTestSupport
import Testing

/// A one-node graph whose constants are parameters, held against finite differences.
struct GradientCheck {
  var op: any Operator
  /// The graph's inputs, in the node's order before the constants.
  var inputs: [Tensor]
  /// The node's further inputs: constants; `nil` for an absent one.
  var constants: [Tensor?] = []
  /// Where an operand is a kink (a maximum's ties), differences mean nothing: a smaller step helps.
  var step: Float = 1e-2
  var tolerance: Float = 2e-2
  var outputs = 1

  /// Compares all gradients of a random projection of the outputs with central differences, and the
  /// forward pass with the evaluator.
  func run(_ rng: inout SeededRNG, threads: Int = 2, isTraining: Bool = true) throws {
    var graph = Graph(name: "check")
    var ids: [ValueID?] = inputs.enumerated().map { graph.addInput("in\($0)", $1.type) }
    for (index, constant) in constants.enumerated() {
      ids.append(constant.map { graph.addConstant("c\(index)", $0) })
    }
    graph.outputs = try graph.addNode("node", op, ids)
    var options = TrainableGraph.Options()
    options.threads = threads
    options.hasInputGradients = true
    options.seed = 5
    let model = try TrainableGraph(graph, batch: inputs[0].shape[0], options: options)
    for (id, tensor) in zip(model.graph.inputs, inputs) {
      let floats = tensor.floats()
      for index in floats.indices { model.value(id)?[index] = floats[index] }
    }
    let weights = model.graph.outputs.map { id in
      (0..<model.graph[id].type.shape.count).map { _ in rng.normal() }
    }
    let statistics = model.parameters.filter { $0.role == .statistic || $0.role == .range }
    let held = statistics.map(\.value.array)
    /// The projection, in double.
    func value() throws -> Double {
      for (parameter, elements) in zip(statistics, held) where parameter.gradient == nil {
        parameter.set(elements)
      }
      try model.forward(training: isTraining, step: 3)
      var sum = 0.0
      for (id, factors) in zip(model.graph.outputs, weights) {
        guard let output = model.value(id) else { continue }
        for index in factors.indices { sum += Double(output[index]) * Double(factors[index]) }
      }
      return sum
    }
    _ = try value()
    for (id, factors) in zip(model.seeds, weights) {
      for index in factors.indices { model.seed(id)?[index] = factors[index] }
    }
    try model.backward()
    var places: [(String, FloatBuffer, [Float])] = model.parameters.compactMap { parameter in
      parameter.gradient.map { (parameter.name, parameter.value, $0.array) }
    }
    for (index, id) in model.graph.inputs.enumerated() {
      if let value = model.value(id), let gradient = model.gradient(ofInput: id) {
        places.append(("in\(index)", value, gradient.array))
      }
    }
    try #require(!places.isEmpty)
    for (name, buffer, gradient) in places {
      let peak = max(gradient.map(\.magnitude).max() ?? 0, 1e-2)
      for _ in 0..<min(buffer.count, 12) {
        let index = rng.int(0...buffer.count - 1)
        let kept = buffer[index]
        buffer[index] = kept + step
        let above = try value()
        buffer[index] = kept - step
        let below = try value()
        buffer[index] = kept
        let expected = Float((above - below) / Double(2 * step))
        let error = (gradient[index] - expected).magnitude
        try #require(
          error <= tolerance * peak + 2e-3,
          "\(op.name) \(op.attributes) \(name)[\(index)]: \(gradient[index]), by differences \(expected)"
        )
      }
    }
  }

  /// Compares the forward pass, as the network is used, with the evaluator's.
  func compareForward() throws {
    var graph = Graph(name: "check")
    var ids: [ValueID?] = inputs.enumerated().map { graph.addInput("in\($0)", $1.type) }
    for (index, constant) in constants.enumerated() {
      ids.append(constant.map { graph.addConstant("c\(index)", $0) })
    }
    graph.outputs = try graph.addNode("node", op, ids)
    var options = TrainableGraph.Options()
    options.hasInputGradients = true
    let model = try TrainableGraph(graph, batch: inputs[0].shape[0], options: options)
    for (id, tensor) in zip(model.graph.inputs, inputs) {
      let floats = tensor.floats()
      for index in floats.indices { model.value(id)?[index] = floats[index] }
    }
    try model.forward(training: false)
    let named = Dictionary(
      uniqueKeysWithValues: inputs.enumerated().map { ("in\($0)", $1) }
    )
    let expected = try Evaluator(graph).run(named)
    for (id, result) in zip(model.graph.outputs, expected) {
      let difference = largestDifference(model.value(id)?.array ?? [], result.tensor.floats())
      try #require(difference.relative < 1e-5, "\(op.name) \(op.attributes)")
    }
  }
}
