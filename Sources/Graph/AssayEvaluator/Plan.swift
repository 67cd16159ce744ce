import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

/// What steps share: kernels, threads and their memory.
final class ExecutionContext {
  let kernels: Kernels
  let pool: ThreadPool
  let scratch = Scratch()

  init(kernels: Kernels, pool: ThreadPool) {
    self.kernels = kernels
    self.pool = pool
  }
}

/// The graph for one set of input shapes: where each value lies and what is called in which order.
///
/// Values share one block of memory; a value's place is free again after its last reader.
final class Plan {
  struct Step {
    let node: Int
    let outputs: [ValueID]
    let run: () throws -> Void
  }

  /// The values that have a place, by index.
  private(set) var values: [BoundValue?]
  private(set) var steps: [Step] = []
  private var arena: FloatBlock?
  /// Room for one node's input as its hybrid kernel sees it.
  private var rounded: FloatBlock?

  /// The steps that make the values that follow from constants alone.
  init(folding graph: Graph, store: ConstantStore, context: ExecutionContext) throws {
    values = [BoundValue?](repeating: nil, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated()
    where node.outputs.contains(where: { store.isConstant[$0.index] }) {
      let inferred = try node.op.inferTypes(node.inputs.map { $0.map { graph[$0].type } })
      guard inferred.map(\.shape) == node.outputs.map({ graph[$0].type.shape }) else {
        throw Diagnostic(
          "GRF012",
          "the shapes of its outputs are wrong",
          at: ["node '\(node.name)' (\(node.op.name))"]
        )
      }
      for id in node.outputs {
        values[id.index] = BoundValue(type: graph[id].type, buffer: store.floats(id))
      }
      try addStep(index, graph, store, context)
    }
  }

  /// The steps for inputs of these shapes.
  init(
    _ graph: Graph,
    inputShapes: [Shape],
    store: ConstantStore,
    context: ExecutionContext,
    hybrid: HybridKernels = .none
  ) throws {
    values = [BoundValue?](repeating: nil, count: graph.values.count)
    let types = try Self.bind(graph, inputShapes)
    let layout = try Layout(graph, types, isConstant: store.isConstant)
    let arena = FloatBlock(count: layout.size)
    self.arena = arena
    for (index, place) in layout.places.enumerated() {
      guard let place else { continue }
      values[index] = BoundValue(
        type: types[index],
        buffer: arena.buffer.part(place, types[index].shape.count)
      )
    }
    for id in graph.outputs where store.isConstant[id.index] {
      values[id.index] = BoundValue(type: types[id.index], buffer: store.floats(id))
    }
    let roundings = graph.nodes.map { node in
      hybrid.rounding(node, types, isConstant: store.isConstant)
    }
    let largest = roundings.compactMap { $0?.count }.max() ?? 0
    if largest > 0 { rounded = FloatBlock(count: largest) }
    for (index, node) in graph.nodes.enumerated()
    where node.outputs.contains(where: { !store.isConstant[$0.index] }) {
      try addStep(index, graph, store, context, roundings[index])
    }
  }

  private func addStep(
    _ index: Int,
    _ graph: Graph,
    _ store: ConstantStore,
    _ context: ExecutionContext,
    _ rounding: HybridRounding? = nil
  ) throws {
    let node = graph.nodes[index]
    let kernels = context.kernels
    let place: (ValueID) -> FloatBuffer = { [values] id in
      values[id.index]?.buffer ?? store.floats(id)
    }
    let seen = rounding.flatMap { rounding in
      self.rounded.map { (id: rounding.input, buffer: $0.buffer.part(0, rounding.count)) }
    }
    let outputs = node.outputs.compactMap { values[$0.index] }
    let builder = StepBuilder(
      node: node,
      index: index,
      inputs: node.inputs.map { id in
        id.flatMap { id in
          values[id.index]?.type ?? (store.isConstant[id.index] ? graph[id].type : nil)
        }
      },
      outputs: outputs,
      store: store,
      context: context,
      place: { id in id == seen?.id ? seen?.buffer ?? place(id) : place(id) }
    )
    var body = try locating("node '\(node.name)' (\(node.op.name))") {
      try (node.op as? any EvaluatedOperator)?.step(builder) ?? builder.referenceStep()
    }
    if let rounding, let seen {
      let (source, step) = (place(rounding.input), body)
      body = {
        rounding.round(source, into: seen.buffer, kernels)
        try step()
      }
    }
    let rounded = outputs.filter { $0.rounding != nil }
    guard !rounded.isEmpty else {
      steps.append(Step(node: index, outputs: node.outputs, run: body))
      return
    }
    let whole = body
    steps.append(
      Step(node: index, outputs: node.outputs) {
        try whole()
        for value in rounded { value.round(kernels) }
      }
    )
  }

  /// The types of all values when the inputs have these shapes.
  private static func bind(_ graph: Graph, _ inputShapes: [Shape]) throws -> [TensorType] {
    var types = graph.values.map(\.type)
    for (id, shape) in zip(graph.inputs, inputShapes) { types[id.index].shape = shape }
    for node in graph.nodes {
      let inferred = try locating("node '\(node.name)' (\(node.op.name))") {
        let inferred = try node.op.inferTypes(node.inputs.map { $0.map { types[$0.index] } })
        guard inferred.count == node.outputs.count else {
          throw Diagnostic("GRF012", "it makes \(inferred.count) outputs")
        }
        return inferred
      }
      for (id, type) in zip(node.outputs, inferred) { types[id.index].shape = type.shape }
    }
    return types
  }
}

/// Where each value lies in a plan's memory.
private struct Layout {
  /// The first float of each value that has a place.
  var places: [Int?]
  /// Floats in all.
  var size = 0
  private var free: [(start: Int, count: Int)] = []

  init(_ graph: Graph, _ types: [TensorType], isConstant: [Bool]) throws {
    places = [Int?](repeating: nil, count: graph.values.count)
    // A value that another one merely renames lies where that one lies.
    var root = Array(graph.values.indices)
    var lastUse = [Int](repeating: -1, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      if let input = node.inputs.first ?? nil, let output = node.outputs.first,
        !isConstant[input.index], Self.renames(node, types)
      {
        root[output.index] = root[input.index]
      }
      for case let input? in node.inputs { lastUse[root[input.index]] = index }
      for output in node.outputs { lastUse[root[output.index]] = index }
    }
    for output in graph.outputs { lastUse[root[output.index]] = .max }
    // Inputs stay, so that what a tap sees does not depend on the order of the nodes.
    for input in graph.inputs {
      lastUse[input.index] = .max
      try place(input, types)
    }
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !isConstant[output.index] {
        if root[output.index] == output.index {
          try place(output, types)
        } else {
          places[output.index] = places[root[output.index]]
        }
      }
      let touched = node.inputs.compactMap { $0 } + node.outputs
      for value in Set(touched.map { root[$0.index] }).sorted()
      where lastUse[value] == index {
        if let place = places[value] { release(place, Self.room(types[value])) }
      }
    }
  }

  private static func renames(_ node: Node, _ types: [TensorType]) -> Bool {
    guard let input = node.inputs.first ?? nil, let output = node.outputs.first else {
      return false
    }
    if node.op is Dequantize { return true }
    return node.op is Reshape
      && types[input.index].quantization == types[output.index].quantization
      && types[input.index].dtype == types[output.index].dtype
  }

  /// Floats that a value takes: whole cache lines.
  private static func room(_ type: TensorType) -> Int { (type.shape.count + 15) / 16 * 16 }

  private mutating func place(_ id: ValueID, _ types: [TensorType]) throws {
    // All values together may take 8 GB.
    guard let count = types[id.index].shape.elementCount, count < 1 << 31, size < 1 << 31 else {
      throw Diagnostic("EVL012", "a value of \(types[id.index]) is too large to execute")
    }
    let room = (count + 15) / 16 * 16
    // The smallest gap that fits.
    let fitting = free.indices.filter { free[$0].count >= room }
    if let best = fitting.min(by: { free[$0].count < free[$1].count }) {
      places[id.index] = free[best].start
      free[best].start += room
      free[best].count -= room
      if free[best].count == 0 { free.remove(at: best) }
      return
    }
    if let last = free.last, last.start + last.count == size {
      places[id.index] = last.start
      size = last.start + room
      free.removeLast()
      return
    }
    places[id.index] = size
    size += room
  }

  private mutating func release(_ start: Int, _ count: Int) {
    guard count > 0 else { return }
    let index = free.firstIndex { $0.start > start } ?? free.count
    free.insert((start, count), at: index)
    if index + 1 < free.count, start + count == free[index + 1].start {
      free[index].count += free[index + 1].count
      free.remove(at: index + 1)
    }
    if index > 0, free[index - 1].start + free[index - 1].count == start {
      free[index - 1].count += free[index].count
      free.remove(at: index)
    }
  }
}
