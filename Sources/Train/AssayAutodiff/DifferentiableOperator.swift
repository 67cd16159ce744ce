import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

/// An operator that training can pass in both directions; its file here has the operator's stem.
protocol DifferentiableOperator: Operator {
  /// The inputs whose constants are parameters, and what they are.
  var parameterInputs: [Int: Parameter.Role] { get }

  /// Whether the gradient of input 0 may take the place of the output's gradient: each element of it
  /// must be written after the last time that the same element of the other is read.
  var reusesGradient: Bool { get }

  /// The activation that the operator bounds its output with, `.none` when it has none but could;
  /// `nil` where an operator cannot, or takes its own back in its own way.
  var outputBounds: Activation? { get }

  /// Whether a gradient flows to an input; `false` for indices and conditions.
  func flows(to input: Int) -> Bool

  /// The work of one node in both directions, with all that depends on shapes done beforehand.
  ///
  /// - Throws: `Diagnostic` TRN… for attributes that have no gradient.
  func gradientStep(_ site: GradientSite) throws -> GradientStep
}

extension DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [:] }
  var reusesGradient: Bool { false }
  var outputBounds: Activation? { nil }
  func flows(to input: Int) -> Bool { true }
}

/// An operator that exists only while a network is trained: it passes its first input on when the
/// network is used, and leaves no trace in an exported graph.
public protocol TrainingOperator: Operator {}

/// What a node does in a step of training.
struct GradientStep {
  /// Makes the outputs.
  var forward: () throws -> Void
  /// Sets the gradients of the inputs that `GradientSite.gradient(of:)` gives.
  var backward: () throws -> Void

  init(forward: @escaping () throws -> Void, backward: @escaping () throws -> Void = {}) {
    self.forward = forward
    self.backward = backward
  }
}

/// What all nodes share while a graph is trained.
final class TrainingContext {
  let kernels: Kernels
  let training: TrainingKernels
  let pool: ThreadPool
  let scratch = Scratch()
  let seed: UInt64
  private var zeroBlock = FloatBlock(count: 4096)
  private var workspaces: [FloatBlock?] = []
  private var kept: [FloatBlock] = []

  /// Whether the forward pass is part of a training step, or shows what the network would answer.
  var isTraining = false
  /// The number of the training step, from which random numbers follow.
  var step = 0
  /// Whether normalizations use their moving averages in training too and leave them alone.
  var freezesNormalization = false
  /// Whether fake quantizations leave their ranges alone.
  var freezesRanges = false

  init(kernels: Kernels, training: TrainingKernels, pool: ThreadPool, seed: UInt64) {
    self.kernels = kernels
    self.training = training
    self.pool = pool
    self.seed = seed
  }

  /// Zeros that never change, as many as a pixel has channels.
  func zeros(_ count: Int) -> FloatBuffer {
    if zeroBlock.buffer.count < count { zeroBlock = FloatBlock(count: count) }
    return zeroBlock.buffer
  }

  /// Zeroed memory that a node keeps from its forward to its backward pass.
  func keep(_ count: Int) -> FloatBuffer {
    let block = FloatBlock(count: count)
    kept.append(block)
    return block.buffer
  }

  /// Memory that a step uses while it runs; `index` tells several of one step apart.
  func workspace(_ count: Int, _ index: Int = 0) -> FloatBuffer {
    while workspaces.count <= index { workspaces.append(nil) }
    if let block = workspaces[index], block.buffer.count >= count {
      return block.buffer.part(0, count)
    }
    let block = FloatBlock(count: count)
    workspaces[index] = block
    return block.buffer
  }

  /// A generator whose numbers depend on the seed, the step and the node alone, so that a run that is
  /// taken up again draws what an unbroken one would have drawn.
  func generator(_ node: Int, _ part: Int = 0) -> SeededRNG {
    var mixed = seed &+ 0x9E37_79B9_7F4A_7C15 &* UInt64(truncatingIfNeeded: step &+ 1)
    mixed = (mixed ^ (mixed >> 31)) &* 0xBF58_476D_1CE4_E5B9
    mixed ^= UInt64(truncatingIfNeeded: node &* 0x1000_0001 &+ part) &* 0x94D0_49BB_1331_11EB
    return SeededRNG(seed: mixed)
  }
}

/// One node of a graph that is compiled for training: shapes and places.
struct GradientSite {
  let node: Node
  /// The node's index, which tells its random numbers apart.
  let index: Int
  let context: TrainingContext
  /// The types of the inputs; `nil` for an absent one.
  let inputTypes: [TensorType?]
  let outputTypes: [TensorType]
  /// The values of the inputs; `nil` for an absent one.
  let inputs: [FloatBuffer?]
  let outputs: [FloatBuffer]
  /// The gradients of the outputs; `nil` where none is known.
  let outputGradients: [FloatBuffer?]
  /// Where the gradients of the inputs go; `nil` where none is wanted.
  let inputGradients: [FloatBuffer?]
  /// What the output is bounded to: the node's own activation, or one that was joined to it.
  let bounds: Activation
  /// Whether the output's gradient comes with these bounds taken back.
  let isTakenBack: Bool
  /// What the node has to take back when it writes the gradient of input 0.
  let takenBack: Activation
  /// What training leaves open about the node.
  let batchNormMomentum: Float

  var kernels: Kernels { context.kernels }
  var training: TrainingKernels { context.training }
  var pool: ThreadPool { context.pool }

  /// The type of an input.
  func type(_ input: Int) throws -> TensorType {
    guard inputTypes.indices.contains(input), let type = inputTypes[input] else {
      throw Diagnostic("TRN002", "input \(input) is absent")
    }
    return type
  }

  /// The shape of an input.
  func shape(_ input: Int) throws -> Shape { try type(input).shape }

  /// The floats of an input.
  func input(_ input: Int) throws -> FloatBuffer {
    guard let buffer = optional(input) else {
      throw Diagnostic("TRN002", "input \(input) is absent")
    }
    return buffer
  }

  /// The floats of an input that may be absent.
  func optional(_ input: Int) -> FloatBuffer? {
    inputs.indices.contains(input) ? inputs[input] : nil
  }

  /// Where the gradient of an input goes, which is to be set as a whole; `nil` if none is wanted.
  func gradient(of input: Int) -> FloatBuffer? {
    inputGradients.indices.contains(input) ? inputGradients[input] : nil
  }

  /// The output's floats; most operators have one output.
  var output: FloatBuffer { outputs[0] }
  /// The output's shape.
  var outputShape: Shape { outputTypes[0].shape }
  /// The gradient of the output; empty while none is wanted.
  var outputGradient: FloatBuffer { outputGradients[0] ?? outputs[0].part(0, 0) }

  /// Whether any gradient is wanted.
  var isActive: Bool { inputGradients.contains { $0 != nil } }
}
