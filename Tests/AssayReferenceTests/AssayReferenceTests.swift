import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// A graph of one operator over inputs `x0`, `x1`, …; the types of integers carry quantization.
func graph(of op: any Operator, _ inputs: [TensorType], output: TensorType? = nil) throws -> Graph {
  var graph = Graph(name: "one")
  let ids = inputs.enumerated().map { graph.addInput("x\($0)", $1) }
  graph.outputs = try graph.addNode("y", op, ids)
  if let output { graph[graph.outputs[0]].type = output }
  return graph
}

/// What the reference computes for one operator.
func evaluate(
  _ op: any Operator,
  _ inputs: [Tensor],
  output: TensorType? = nil
) throws -> [Tensor] {
  let graph = try graph(of: op, inputs.map(\.type), output: output)
  var arrays: [String: Tensor] = [:]
  for (index, input) in inputs.enumerated() { arrays["x\(index)"] = input }
  return try ReferenceEvaluator(graph).run(arrays).map(\.tensor)
}

/// A case of a fixture: the tensors that a framework computed an operator with.
struct KnownAnswer {
  let inputs: [Tensor]
  let outputs: [Tensor]

  static func read(_ file: String) throws -> [String: KnownAnswer] {
    let path = TestData.package + "/Tests/Fixtures/Reference/\(file).json"
    let text = try #require(try MappedFile(path: path).view.utf8)
    var answers: [String: KnownAnswer] = [:]
    for (name, value) in try #require(try JSON(parsing: text).pairs) {
      answers[name] = KnownAnswer(
        inputs: try #require(value["inputs"]?.array).map(tensor),
        outputs: try #require(value["outputs"]?.array).map(tensor)
      )
    }
    return answers
  }

  private static func tensor(_ json: JSON) throws -> Tensor {
    let shape = Shape(try #require(json["shape"]?.ints))
    let name = try #require(json["dtype"]?.string)
    let dtype = try #require(DType(rawValue: name))
    let numbers = try #require(json["data"]?.array).map { try #require($0.double) }
    var quantization: Quantization?
    if let scales = json["scales"]?.array, let zeros = json["zeros"]?.ints {
      let factors = scales.map { Float($0.double ?? .nan) }
      quantization =
        if let axis = json["axis"]?.int {
          Quantization(scales: factors, zeroPoints: zeros.map { Int32($0) }, axis: axis)
        } else {
          Quantization(scale: factors[0], zeroPoint: Int32(zeros[0]))
        }
    }
    let plain = Tensor(numbers.map { Float($0) }, shape)
    return try #require(plain.converted(to: dtype)).with(quantization: quantization)
  }
}
