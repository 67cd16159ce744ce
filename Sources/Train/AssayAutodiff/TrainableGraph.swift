import AssayBase
import AssayGraph
import AssayKernels
import AssayReference
import AssayTensor

/// A Graph compiled for training in float32 with a fixed number of samples at once.
///
/// `forward` makes every value and keeps it, `backward` makes the gradient of every trainable
/// Parameter from the gradients that were put at the seeds (`seed(_:)`): those of a loss with respect
/// to the outputs. Random numbers follow from seed and step; sums are cut by shapes alone. So the
/// same graph, data and seed give the same bits, for any number of threads.
///
/// The class serves one caller at a time.
public final class TrainableGraph {
  /// How a graph is compiled.
  public struct Options {
    /// Workers, the caller being one.
    public var threads = 1
    /// What random numbers follow from.
    public var seed: UInt64 = 0
    /// The part of the old moving average that a training step keeps, in batch normalizations.
    public var batchNormMomentum: Float = 0.99
    /// A momentum for averages that follow half an epoch, at most the 0.99 of Keras: with few steps in an
    /// epoch that one would still hold what was before the training when it ends.
    public static func batchNormMomentum(stepsPerEpoch: Int) -> Float {
      min(max(1 - 2 / Float(max(stepsPerEpoch, 1)), 0.8), 0.99)
    }
    /// The same for single nodes, by name.
    public var batchNormMomentums: [String: Float] = [:]
    /// Where the losses put their gradients; the graph's outputs if `nil`.
    public var seeds: [ValueID]?
    /// Which parameters get a gradient, by the constant's name, its role and the node that reads it;
    /// `nil` for all weights, biases, scales, offsets and learned ranges.
    public var isTrainable: ((_ name: String, _ role: Parameter.Role, _ node: Node) -> Bool)?
    /// Whether the inputs get gradients too.
    public var hasInputGradients = false
    /// The instruction set; by default the best of this processor.
    public var kernels = Kernels.best
    /// The instruction set of the kernels of training.
    public var training = TrainingKernels.best

    /// The options as they stand above.
    public init() {}
  }

  /// The graph for this batch, with the constants as they were at the start (see `trained`).
  public let graph: Graph
  /// The graph as it was given, but for folded constants.
  private let source: Graph
  /// Samples at once.
  public let batch: Int
  /// What training reads and changes, in the order of the nodes.
  public private(set) var parameters: [Parameter] = []
  /// Where gradients are put before `backward`.
  public let seeds: [ValueID]

  let context: TrainingContext
  private var values: [FloatBuffer?]
  private var valueArena: FloatBlock
  private var gradientArena: FloatBlock?
  private var parameterValues: FloatBlock
  private var parameterGradients: FloatBlock
  private var seedGradients: [ValueID: FloatBuffer] = [:]
  private var inputGradients: [ValueID: FloatBuffer] = [:]
  private var forwardSteps: [(node: Int, run: () throws -> Void)] = []
  private var backwardSteps: [(node: Int, run: () throws -> Void)] = []
  private var constantBlocks: [FloatBlock] = []

  /// Compiles a graph.
  ///
  /// - Parameters:
  ///   - graph: a valid graph in float; every open extent but that of the samples is known.
  ///   - batch: samples at once.
  /// - Throws: `Diagnostic` TRN001 that names every operator on the way from a parameter to a seed that
  ///   has no gradient, TRN003 for extents, TRN004 when there is nothing to train.
  public init(_ graph: Graph, batch: Int, options: Options = Options()) throws {
    source = try graph.folded()
    let graph = try source.forTraining(batch: batch)
    self.graph = graph
    self.batch = batch
    seeds = options.seeds ?? graph.outputs
    context = TrainingContext(
      kernels: options.kernels,
      training: options.training,
      pool: ThreadPool(threads: options.threads),
      seed: options.seed
    )
    let roles = Self.roles(graph, options)
    values = [FloatBuffer?](repeating: nil, count: graph.values.count)
    // Parameters, each part of one block: checkpoints and optimizers read them in one go.
    let ids = roles.map(\.id)
    parameterValues = FloatBlock(
      count: ids.reduce(0) { $0 + Self.room(graph[$1].type.shape.count) }
    )
    parameterGradients = FloatBlock(
      count: roles.reduce(0) {
        $0 + ($1.isTrainable ? Self.room(graph[$1.id].type.shape.count) : 0)
      }
    )
    var (place, gradientPlace) = (0, 0)
    for role in roles {
      let value = graph[role.id]
      let count = value.type.shape.count
      let buffer = parameterValues.buffer.part(place, count)
      place += Self.room(count)
      var gradient: FloatBuffer?
      if role.isTrainable {
        gradient = parameterGradients.buffer.part(gradientPlace, count)
        gradientPlace += Self.room(count)
      }
      let parameter = Parameter(
        id: role.id,
        value: value,
        role: role.role,
        readers: role.readers,
        buffer: buffer,
        gradient: gradient
      )
      parameter.set(value.constant?.floats() ?? [])
      parameters.append(parameter)
      values[role.id.index] = buffer
    }
    valueArena = FloatBlock(count: 0)
    let joined = JoinedActivations(graph, seeds: seeds)
    try placeValues(joined)
    try build(options, joined)
  }

  /// Whether an operator can stand between a parameter and a loss.
  public static func hasGradient(_ op: any Operator) -> Bool {
    guard let op = op as? any DifferentiableOperator else { return false }
    return (op.flows(to: 0) || op.flows(to: 1)) && (op as? Unary)?.isDifferentiable ?? true
  }

  /// Whether the forward pass is part of a training step.
  public var isTraining: Bool { context.isTraining }

  /// Whether batch normalizations use their moving averages in training too, and leave them alone.
  public var freezesNormalization: Bool {
    get { context.freezesNormalization }
    set { context.freezesNormalization = newValue }
  }

  /// Whether fake quantizations leave their moving and current ranges alone.
  public var freezesRanges: Bool {
    get { context.freezesRanges }
    set { context.freezesRanges = newValue }
  }

  /// The threads, for work between two passes.
  public var pool: ThreadPool { context.pool }

  /// The kernels of training, for work between two passes.
  public var kernels: TrainingKernels { context.training }

  /// The elements of a value, as the last forward pass made them; an input's are to be set before.
  public func value(_ id: ValueID) -> FloatBuffer? { values[id.index] }

  /// Where the gradient of the loss with respect to a seed is put before `backward`.
  public func seed(_ id: ValueID) -> FloatBuffer? { seedGradients[id] }

  /// The gradient of an input, after `backward`; `nil` unless they were asked for.
  public func gradient(ofInput id: ValueID) -> FloatBuffer? { inputGradients[id] }

  /// Makes all values from those of the inputs.
  ///
  /// - Parameters:
  ///   - training: whether dropouts drop, normalizations use the batch's statistics and so on.
  ///   - step: the number of the training step, from which random numbers follow.
  /// - Throws: `Diagnostic` of a node.
  public func forward(training: Bool, step: Int = 0) throws {
    context.isTraining = training
    context.step = step
    for step in forwardSteps {
      do { try step.run() } catch let fault as Diagnostic {
        throw fault.inside("node '\(graph.nodes[step.node].name)'")
      }
    }
  }

  /// How long each node takes in a training step, in seconds: the least of some runs of both passes.
  ///
  /// The seeds' gradients are taken as they are; statistics move as in training.
  public func nodeTimes(runs: Int = 5) throws -> [(node: Int, forward: Double, backward: Double)] {
    var result = graph.nodes.indices.map { (node: $0, forward: 0.0, backward: 0.0) }
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let duration = try ContinuousClock().measure(body).components
      return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    }
    context.isTraining = true
    for run in 0..<max(runs, 1) {
      for step in forwardSteps {
        let time = try seconds(step.run)
        let known = result[step.node].forward
        result[step.node].forward = run == 0 ? time : min(known, time)
      }
      for step in backwardSteps {
        let time = try seconds(step.run)
        let known = result[step.node].backward
        result[step.node].backward = run == 0 ? time : min(known, time)
      }
    }
    return result
  }

  /// Makes the gradients of all parameters from those at the seeds.
  ///
  /// - Precondition: the last call was `forward(training: true)`, and every seed's gradient is set.
  public func backward() throws {
    for step in backwardSteps { try step.run() }
  }

  /// The graph that was given, with the parameters as they are now; training operators are still in it
  /// (see `Graph.withoutTrainingOperators`).
  public var trained: Graph {
    var result = source
    for parameter in parameters { result[parameter.id].constant = parameter.tensor }
    return result
  }

  // MARK: Compilation

  private static func room(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  private struct RoleOfConstant {
    var id: ValueID
    var role: Parameter.Role
    var readers: [Int]
    var isTrainable: Bool
  }

  /// The constants that operators call parameters, in the order of the nodes.
  private static func roles(_ graph: Graph, _ options: Options) -> [RoleOfConstant] {
    var result: [RoleOfConstant] = []
    var place: [ValueID: Int] = [:]
    // Values that follow from the inputs without a parameter: what is done to them is preprocessing.
    var isRaw = Set(graph.inputs)
    for (index, node) in graph.nodes.enumerated() {
      guard let op = node.op as? any DifferentiableOperator else { continue }
      var hasParameter = false
      for (position, role) in op.parameterInputs.sorted(by: { $0.key < $1.key }) {
        guard node.inputs.indices.contains(position), let id = node.inputs[position],
          let constant = graph[id].constant, constant.dtype == .float32
        else { continue }
        if node.op is Binary {
          // A single number, or what shifts and scales the raw input, is no weight.
          let other = node.inputs[1 - position]
          guard constant.count > 1, let other, !isRaw.contains(other) else { continue }
        }
        hasParameter = true
        if let known = place[id] {
          result[known].readers.append(index)
          continue
        }
        let isLearned = (node.op as? FakeQuantize)?.range == .learned
        var isTrainable = role != .statistic && (role != .range || isLearned)
        if isTrainable, let wanted = options.isTrainable {
          isTrainable = wanted(graph[id].name, role, node)
        }
        place[id] = result.count
        result.append(
          RoleOfConstant(id: id, role: role, readers: [index], isTrainable: isTrainable)
        )
      }
      let isFed = node.inputs.compactMap { $0 }.allSatisfy {
        isRaw.contains($0) || graph[$0].constant != nil
      }
      if isFed, !hasParameter { isRaw.formUnion(node.outputs) }
    }
    return result
  }

  private func placeValues(_ joined: JoinedActivations) throws {
    // A value that another one merely renames lies where that one lies.
    var root = Array(graph.values.indices)
    for (index, node) in graph.nodes.enumerated()
    where node.op is Reshape || joined.isTakenOver[index] {
      if let input = node.inputs.first ?? nil { root[node.outputs[0].index] = root[input.index] }
    }
    var places: [Int: Int] = [:]
    var size = 0
    for id in graph.inputs + graph.nodes.flatMap(\.outputs) where root[id.index] == id.index {
      guard let count = graph[id].type.shape.elementCount, count < 1 << 33, size < 1 << 36 else {
        throw Diagnostic("TRN003", "a value of \(graph[id].type) is too large to train")
      }
      places[id.index] = size
      size += Self.room(count)
    }
    valueArena = FloatBlock(count: size)
    for index in graph.values.indices {
      if let place = places[root[index]] {
        values[index] = valueArena.buffer.part(place, graph.values[index].type.shape.count)
      }
    }
    for index in graph.values.indices where values[index] == nil {
      guard let constant = graph.values[index].constant, constant.dtype != .string else { continue }
      let block = FloatBlock(constant.floats())
      constantBlocks.append(block)
      values[index] = block.buffer
    }
  }

  private func build(_ options: Options, _ joined: JoinedActivations) throws {
    let parameterIndex = Dictionary(
      uniqueKeysWithValues: parameters.enumerated().compactMap { index, parameter in
        parameter.gradient == nil ? nil : (parameter.id, index)
      }
    )
    let (isActive, flows) = try Self.activity(
      graph,
      parameters: Set(parameterIndex.keys),
      seeds: seeds,
      wanted: options.hasInputGradients ? Set(graph.inputs) : []
    )
    let layout = GradientLayout(
      graph,
      seeds: seeds,
      parameters: parameterIndex,
      isActive: isActive,
      flows: flows,
      reuses: graph.nodes.map { ($0.op as? any DifferentiableOperator)?.reusesGradient ?? false }
    )
    let arena = FloatBlock(count: layout.size)
    gradientArena = arena
    func buffer(_ target: GradientLayout.Target, _ count: Int) -> FloatBuffer {
      switch target {
      case .place(let start): arena.buffer.part(start, count)
      case .parameter(let index):
        parameters[index].gradient ?? arena.buffer.part(0, 0)
      }
    }
    for (id, start) in layout.seeds {
      seedGradients[id] = arena.buffer.part(start, graph[id].type.shape.count)
    }
    var visits = [Int?](repeating: nil, count: graph.nodes.count)
    for (index, visit) in layout.visits.enumerated() { visits[visit.node] = index }
    var steps = [GradientStep?](repeating: nil, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let visit = visits[index].map { layout.visits[$0] }
      let outputs = node.outputs.compactMap { values[$0.index] }
      let site = GradientSite(
        node: node,
        index: index,
        context: context,
        inputTypes: node.inputs.map { $0.map { graph[$0].type } },
        outputTypes: node.outputs.map { graph[$0].type },
        inputs: node.inputs.map { $0.flatMap { values[$0.index] } },
        outputs: outputs,
        outputGradients: node.outputs.indices.map { position in
          guard let visit, let start = visit.outputs[position] else { return nil }
          return arena.buffer.part(start, outputs[position].count)
        },
        inputGradients: node.inputs.indices.map { position in
          guard let visit, let target = visit.inputs[position], let id = node.inputs[position]
          else {
            return nil
          }
          return buffer(target, graph[id].type.shape.count)
        },
        bounds: joined.bounds[index],
        isTakenBack: joined.isTakenBack[index],
        takenBack: joined.takenBack[index],
        batchNormMomentum: options.batchNormMomentums[node.name] ?? options.batchNormMomentum
      )
      let step = try locating("node '\(node.name)' (\(node.op.name))") {
        joined.isTakenOver[index]
          ? GradientStep(forward: {})
          : try (node.op as? any DifferentiableOperator)?.gradientStep(site) ?? site.referenceStep()
      }
      steps[index] = step
      forwardSteps.append((index, step.forward))
    }
    for (position, visit) in layout.visits.enumerated() {
      guard let step = steps[visit.node] else { continue }
      let zeroed = visit.zeroed.map { arena.buffer.part($0.place, $0.count) }
      let added = layout.additions[position].map { addition in
        (
          from: arena.buffer.part(addition.from, addition.count),
          to: buffer(addition.to, addition.count)
        )
      }
      if zeroed.isEmpty, added.isEmpty {
        backwardSteps.append((visit.node, step.backward))
        continue
      }
      let context = context
      backwardSteps.append(
        (
          visit.node,
          {
            for buffer in zeroed { buffer.fill(0) }
            try step.backward()
            for (from, to) in added { context.training.add(from, to: to, pool: context.pool) }
          }
        )
      )
    }
    if options.hasInputGradients { try placeInputGradients(layout, arena) }
  }

  private func placeInputGradients(_ layout: GradientLayout, _ arena: FloatBlock) throws {
    // An input's gradient is written by the first of its readers that the backward pass meets.
    for visit in layout.visits {
      for (position, id) in graph.nodes[visit.node].inputs.enumerated() {
        guard let id, graph.inputs.contains(id), inputGradients[id] == nil,
          case .place(let start)? = visit.inputs[position]
        else { continue }
        inputGradients[id] = arena.buffer.part(start, graph[id].type.shape.count)
      }
    }
  }

  /// Which nodes take part in the backward pass, and to which of their inputs a gradient flows.
  private static func activity(
    _ graph: Graph,
    parameters: Set<ValueID>,
    seeds: [ValueID],
    wanted: Set<ValueID>
  ) throws -> (isActive: [Bool], flows: [[Bool]]) {
    var depends = [Bool](repeating: false, count: graph.values.count)
    for id in parameters.union(wanted) { depends[id.index] = true }
    for node in graph.nodes {
      let op = node.op as? any DifferentiableOperator
      let isTouched = node.inputs.enumerated().contains { position, id in
        id.map { depends[$0.index] && (op?.flows(to: position) ?? true) } ?? false
      }
      if isTouched { for output in node.outputs { depends[output.index] = true } }
    }
    guard seeds.contains(where: { depends[$0.index] }) else {
      throw Diagnostic(
        "TRN004",
        "nothing in the network can be trained",
        remedy: "a float32 network with weights is needed: `assay inspect` shows what it holds"
      )
    }
    var leads = [Bool](repeating: false, count: graph.values.count)
    for seed in seeds { leads[seed.index] = true }
    var isActive = [Bool](repeating: false, count: graph.nodes.count)
    var flows = graph.nodes.map { [Bool](repeating: false, count: $0.inputs.count) }
    var faults: [Diagnostic] = []
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      guard node.outputs.contains(where: { leads[$0.index] && depends[$0.index] }) else { continue }
      guard let op = node.op as? any DifferentiableOperator else {
        faults.append(
          Diagnostic(
            "TRN001",
            "operator '\(node.op.name)' has no gradient",
            at: ["node '\(node.name)'"],
            remedy: "freeze the parameters before it, or train another part of the network"
          )
        )
        continue
      }
      for (position, id) in node.inputs.enumerated() {
        guard let id, depends[id.index], op.flows(to: position) else { continue }
        flows[index][position] = true
        leads[id.index] = true
      }
      isActive[index] = flows[index].contains(true)
    }
    try Diagnostics(faults.reversed()).throwIfErrors()
    return (isActive, flows)
  }
}
