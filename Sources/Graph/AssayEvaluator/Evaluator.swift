import AssayBase
import AssayGraph
import AssayKernels
import AssayReference
import AssayTensor

/// Fast float32 execution of a graph, with a look at every value.
///
/// Weights are packed once, buffers are planned once for each set of input shapes. Every value is
/// held as floats. A quantized value is computed on its real numbers and then rounded to the numbers
/// that its integers stand for, so an integer graph gives what the integer kernels of a runtime give
/// up to a step of the output's scale (they accumulate exactly and rescale in fixed point, which
/// rounds ties differently). Plain integers and truth values are exact up to 2^24.
///
/// Where weights in 8 bits meet float values (`dynamic_int8`), the values are rounded to 8 bits while
/// the network runs, as the runtimes' hybrid kernels do (`HybridKernels`).
///
/// An operator without a kernel is computed as the reference does: slowly, and right.
///
/// The result does not depend on the number of threads. An evaluator serves one caller at a time.
public final class Evaluator {
  /// The graph that it executes.
  public let graph: Graph
  let store: ConstantStore
  let context: ExecutionContext
  private let hybrid: HybridKernels
  private var plans: [[Shape]: Plan] = [:]

  /// Prepares a graph.
  ///
  /// - Parameters:
  ///   - graph: a valid graph.
  ///   - threads: workers, the caller being one.
  ///   - kernels: the instruction set; by default the best of this processor.
  ///   - hybrid: whose rounding of float values under integer weights is followed.
  /// - Throws: `Diagnostics` EVL011 that name every operator that cannot be executed; what operators say
  ///   about shapes that do not fit.
  public init(
    _ graph: Graph,
    threads: Int = 1,
    kernels: Kernels = .best,
    hybrid: HybridKernels = .liteRT
  ) throws {
    self.hybrid = hybrid
    let faults = graph.nodes.filter { !Self.canEvaluate($0.op) }.map { node in
      Diagnostic(
        "EVL011",
        "operator '\(node.op.name)' cannot be computed",
        at: ["node '\(node.name)'"],
        remedy: "run the model on a runtime that has this operator"
      )
    }
    try Diagnostics(faults).throwIfErrors()
    try Self.check(graph)
    self.graph = graph
    context = ExecutionContext(kernels: kernels, pool: ThreadPool(threads: threads))
    store = ConstantStore(graph)
    let staticPlan = try Plan(folding: graph, store: store, context: context)
    for step in staticPlan.steps { try step.run() }
    if graph.inputs.allSatisfy({ graph[$0].type.shape.isStatic }) {
      _ = try plan(graph.inputs.map { graph[$0].type.shape })
    }
  }

  /// Whether it can execute an operator, with a kernel or as the reference does.
  public static func canEvaluate(_ op: any Operator) -> Bool {
    hasKernel(op) || ReferenceEvaluator.canEvaluate(op)
  }

  /// Whether it has a kernel of its own for an operator.
  public static func hasKernel(_ op: any Operator) -> Bool { op is any EvaluatedOperator }

  /// Throws what is wrong with a graph: kernels read and write as the shapes say.
  private static func check(_ graph: Graph) throws {
    // Open extents make shape inference fail; a plan infers shapes anew for the inputs it is given.
    let isOpen = graph.values.contains { !$0.type.shape.isStatic }
    let structural: Set = ["GRF010", "GRF011", "GRF014", "GRF015"]
    let faults = graph.validate().filter { !isOpen || structural.contains($0.code) }
    try Diagnostics(faults).throwIfErrors()
  }

  /// Runs the graph.
  ///
  /// - Parameters:
  ///   - inputs: a tensor for each input of the graph, by name. Floats for a quantized input are
  ///     quantized. The first extent may be a multiple of the graph's: the graph runs as often.
  ///   - tap: called with every value that a node makes, and with the inputs, as they are made; once
  ///     for each repetition.
  /// - Returns: the outputs in the graph's order.
  /// - Throws: `Diagnostic` EVL001 to EVL004 for the inputs, EVL01x for a node.
  public func run(
    _ inputs: [String: Tensor],
    tap: ((ValueID, Tensor) -> Void)? = nil
  ) throws -> [(name: String, tensor: Tensor)] {
    try execute(inputs) { plan, id in
      if let tap, let value = plan.values[id.index] {
        tap(id, value.tensor())
      }
    }
  }

  /// Runs the graph and shows the real numbers of every value, without a copy.
  ///
  /// - Parameter body: called with the inputs and with every value that a node makes; the pointer
  ///   must not escape.
  @discardableResult
  public func observe(
    _ inputs: [String: Tensor],
    _ body: (ValueID, FloatBuffer) -> Void
  ) throws -> [(name: String, tensor: Tensor)] {
    try execute(inputs) { plan, id in
      if let value = plan.values[id.index] { body(id, value.buffer) }
    }
  }

  private func execute(
    _ inputs: [String: Tensor],
    _ made: (Plan, ValueID) -> Void
  ) throws -> [(name: String, tensor: Tensor)] {
    let tensors = try ordered(inputs)
    let repetitions = try self.repetitions(tensors)
    if repetitions == 1 { return try runOnce(tensors, made) }
    var parts: [[Tensor]] = []
    for repetition in 0..<repetitions {
      let slices = try tensors.map { try $0.slab(repetition, of: repetitions) }
      parts.append(try runOnce(slices, made).map(\.tensor))
    }
    return try graph.outputs.enumerated().map { index, id in
      (graph.outputName(id), try Tensor.joining(parts.map { $0[index] }))
    }
  }

  private func runOnce(
    _ tensors: [Tensor],
    _ made: (Plan, ValueID) -> Void
  ) throws -> [(name: String, tensor: Tensor)] {
    let plan = try plan(tensors.map(\.shape))
    for (id, tensor) in zip(graph.inputs, tensors) {
      if let value = plan.values[id.index] { try value.fill(tensor) }
      made(plan, id)
    }
    for step in plan.steps {
      do {
        try step.run()
      } catch let fault as Diagnostic {
        throw fault.inside("node '\(graph.nodes[step.node].name)'")
      }
      for id in step.outputs { made(plan, id) }
    }
    return try graph.outputs.map { id in
      guard let value = plan.values[id.index] else {
        throw Diagnostic("EVL010", "output '\(graph.outputName(id))' is never made")
      }
      return (graph.outputName(id), value.tensor())
    }
  }

  private func plan(_ shapes: [Shape]) throws -> Plan {
    if let plan = plans[shapes] { return plan }
    // Each plan has buffers of its own: a user who sends ever new shapes must not fill the memory.
    if plans.count >= 4 { plans.removeAll() }
    let plan = try Plan(graph, inputShapes: shapes, store: store, context: context, hybrid: hybrid)
    plans[shapes] = plan
    return plan
  }

  /// The tensors in the graph's order; their first extents are checked by `repetitions`.
  private func ordered(_ inputs: [String: Tensor]) throws -> [Tensor] {
    try bind(
      inputs,
      to: graph.inputs.map { id in
        var type = graph[id].type
        if !type.shape.dims.isEmpty { type.shape.dims[0] = -1 }
        return (graph[id].name, type)
      }
    )
  }

  /// How often the graph must run for these tensors.
  private func repetitions(_ tensors: [Tensor]) throws -> Int {
    var result: Int?
    for (id, tensor) in zip(graph.inputs, tensors) {
      let (declared, given) = (graph[id].type.shape, tensor.shape)
      var count = 1
      if let first = declared.dims.first, first >= 0, given[0] != first {
        guard first > 0, given[0] > 0, given[0] % first == 0 else {
          throw Diagnostic(
            "EVL003",
            "the array is \(tensor.type), the input takes \(graph[id].type)",
            at: ["input '\(graph[id].name)'"],
            remedy: "the first extent may be a multiple of the model's, the others may not"
          )
        }
        count = given[0] / first
      }
      if let result, result != count {
        throw Diagnostic("EVL003", "the arrays of the inputs have different numbers of samples")
      }
      result = count
    }
    return result ?? 1
  }
}
