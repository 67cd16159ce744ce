import AssayBase
import AssayGraph
import AssayTensor

/// One set of inputs that both graphs are given.
public struct Probe: Sendable {
  /// What it is, such as `seeded 1` or `zeros`.
  public var name: String
  /// An array for each of the original's inputs, by name.
  public var arrays: [String: Tensor]
  /// Whether it lies where real data need not: outputs of a quantized variant are then looked at for
  /// NaN only, as its ranges were never meant for it.
  public var isAdversarial: Bool

  /// Makes a probe.
  public init(name: String, arrays: [String: Tensor], isAdversarial: Bool = false) {
    self.name = name
    self.arrays = arrays
    self.isAdversarial = isAdversarial
  }

  /// Seeded inputs for a graph: uniform in [0, 1), or over the range that a quantized input can hold.
  ///
  /// Whole numbers lie below the number of rows of the tables that they index.
  ///
  /// - Parameter variant: a variant whose quantized inputs tell the range of real data.
  public static func seeded(_ graph: Graph, seed: UInt64, variant: Graph? = nil) -> Probe {
    var rng = SeededRNG(seed: seed)
    var ranges: [ValueID: (low: Float, high: Float)] = [:]
    for id in graph.inputs { ranges[id] = realRange(of: graph[id].type) }
    if let variant, let pairs = try? correspondingInputs(graph, variant) {
      for pair in pairs where graph[pair.original].type.quantization == nil {
        let type = variant[pair.variant].type
        if type.quantization != nil { ranges[pair.original] = realRange(of: type) }
      }
    }
    let arrays = tensors(graph) { id, _ in
      let range = ranges[id] ?? (0, 1)
      return rng.uniform(range.low, range.high)
    }
    return Probe(name: "seeded \(seed)", arrays: arrays)
  }

  /// Inputs that find what random ones do not: zeros, the ends of the range in turns, one element
  /// alone.
  public static func adversarial(_ graph: Graph, seed: UInt64 = 1) -> [Probe] {
    var rng = SeededRNG(seed: seed)
    let zeros = tensors(graph) { _, _ in 0 }
    let extremes = tensors(graph) { id, index in
      let range = realRange(of: graph[id].type)
      let isFloat = graph[id].type.quantization == nil && graph[id].type.dtype.isFloat
      return index % 2 == 0 ? range.high : isFloat ? -range.high : range.low
    }
    var alone: [ValueID: Int] = [:]
    for id in graph.inputs {
      alone[id] = Int.random(in: 0..<max(staticShape(graph[id].type.shape).count, 1), using: &rng)
    }
    let oneHot = tensors(graph) { id, index in
      index == alone[id] ? realRange(of: graph[id].type).high : 0
    }
    return [("zeros", zeros), ("extremes", extremes), ("one-hot", oneHot)].map {
      Probe(name: $0, arrays: $1, isAdversarial: true)
    }
  }

  /// The samples of a probe, one run of `graph` each: the first extents may be multiples of the graph's.
  func samples(for graph: Graph) -> [[String: Tensor]] {
    var count: Int?
    for id in graph.inputs {
      guard let tensor = tensor(for: id, of: graph), let first = graph[id].type.shape.dims.first,
        first > 0, tensor.shape.rank > 0, tensor.shape[0] > first, tensor.shape[0] % first == 0
      else { continue }
      count = tensor.shape[0] / first
    }
    guard let count, count > 1 else { return [arrays] }
    return (0..<count).map { index in
      arrays.mapValues { tensor in
        guard tensor.shape.rank > 0, tensor.shape[0] % count == 0 else { return tensor }
        var dims = tensor.shape.dims
        dims[0] /= count
        let length = tensor.bytes.count / count
        let type = TensorType(tensor.dtype, Shape(dims), quantization: tensor.quantization)
        return (try? Tensor(type, bytes: tensor.bytes.slice(index * length, length))) ?? tensor
      }
    }
  }

  private func tensor(for id: ValueID, of graph: Graph) -> Tensor? {
    arrays[graph[id].name]
      ?? (graph.inputs.count == 1 && arrays.count == 1 ? arrays.first?.value : nil)
  }

  private static func staticShape(_ shape: Shape) -> Shape { Shape(shape.dims.map { max($0, 1) }) }

  private static func tensors(
    _ graph: Graph,
    _ element: (ValueID, Int) -> Float
  ) -> [String: Tensor] {
    var arrays: [String: Tensor] = [:]
    for id in graph.inputs {
      let type = graph[id].type
      let shape = staticShape(type.shape)
      let values = (0..<shape.count).map { element(id, $0) }
      guard type.quantization == nil, !type.dtype.isFloat else {
        arrays[graph[id].name] = Tensor(values, shape)
        continue
      }
      // An element from 0 to 1 is a place between the first row and the last.
      let rows = tableRows(id, graph)
      let indices = values.map { min(Float(Int($0.magnitude * Float(rows))), Float(rows - 1)) }
      let tensor = Tensor(indices, shape)
      arrays[graph[id].name] = tensor.converted(to: type.dtype) ?? tensor
    }
    return arrays
  }

  /// The rows of the smallest table that the integers of an input index; 2 when there is none.
  private static func tableRows(_ id: ValueID, _ graph: Graph) -> Int {
    var reached: Set<ValueID> = [id]
    var rows: [Int] = []
    for node in graph.nodes {
      if let gather = node.op as? Gather, node.inputs.count > 1, let indices = node.inputs[1],
        reached.contains(indices), let table = node.inputs[0]
      {
        rows.append(graph[table].type.shape[gather.axis])
      }
      if node.op is Cast || node.op is Reshape, let input = node.inputs.first ?? nil,
        reached.contains(input)
      {
        reached.formUnion(node.outputs)
      }
    }
    return max(rows.filter { $0 > 0 }.min() ?? 2, 1)
  }

  /// The real numbers that an input is meant to hold.
  private static func realRange(of type: TensorType) -> (low: Float, high: Float) {
    guard let quantization = type.quantization, let range = type.dtype.integerRange else {
      return (0, 1)
    }
    return (
      quantization.dequantize(range.lowerBound), quantization.dequantize(range.upperBound)
    )
  }
}
