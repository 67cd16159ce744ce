import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

/// An operator that the evaluator can execute; its file here has the operator's stem.
protocol EvaluatedOperator: Operator {
  /// The work of one node, with all that depends on shapes and constants done beforehand.
  func step(_ builder: StepBuilder) throws -> () throws -> Void
}

/// What an operator needs to make its step: shapes, places and prepared constants.
struct StepBuilder {
  let node: Node
  let index: Int
  /// The types of the inputs; `nil` for an absent one.
  let inputs: [TensorType?]
  let outputs: [BoundValue]
  let store: ConstantStore
  let context: ExecutionContext
  let place: (ValueID) -> FloatBuffer

  var kernels: Kernels { context.kernels }

  /// The output's floats; most operators have one output.
  var output: FloatBuffer { outputs[0].buffer }
  /// The output's shape.
  var outputShape: Shape { outputs[0].type.shape }

  private func id(_ input: Int) -> ValueID? {
    node.inputs.indices.contains(input) ? node.inputs[input] : nil
  }

  /// Whether an optional input is there.
  func has(_ input: Int) -> Bool { id(input) != nil }

  /// Whether an input is known before the graph runs (an absent one is).
  func isConstant(_ input: Int) -> Bool { id(input).map { store.isConstant[$0.index] } ?? true }

  /// The type of an input.
  func type(_ input: Int) throws -> TensorType {
    guard inputs.indices.contains(input), let type = inputs[input] else {
      throw Diagnostic("EVL013", "input \(input) is absent")
    }
    return type
  }

  /// The shape of an input.
  func shape(_ input: Int) throws -> Shape { try type(input).shape }

  /// The floats of an input.
  func input(_ input: Int) throws -> FloatBuffer {
    guard let id = id(input) else { throw Diagnostic("EVL013", "input \(input) is absent") }
    // A constant's buffer holds the constant's elements; a place, those of the bound shape.
    return place(id)
  }

  /// The floats of an input that may be absent.
  func optional(_ input: Int) -> FloatBuffer? { id(input).map(place) }

  /// Filter (input 1) and bias (input 2) packed for `window`: once when they are constants, else
  /// before each run.
  func packedFilter(
    _ window: Window,
    rowStride: Int? = nil,
    depthStride: Int = 1,
    usesBias: Bool = true
  ) throws -> () -> PackedFilter {
    guard let weights = id(1) else { throw Diagnostic("EVL013", "the filter is absent") }
    let bias = usesBias ? id(2) : nil
    let (kernels, store, place) = (kernels, store, place)
    if isConstant(1), !usesBias || isConstant(2) {
      let packed = store.prepare(index) {
        unsafe store.withFloats(weights) { weights in
          unsafe PackedFilter(
            kernels,
            window: window,
            weights: weights,
            bias: bias.map { unsafe UnsafePointer(place($0).base) },
            rowStride: rowStride,
            depthStride: depthStride
          )
        }
      }
      return { packed }
    }
    return {
      unsafe PackedFilter(
        kernels,
        window: window,
        weights: place(weights).base,
        bias: bias.map { unsafe UnsafePointer(place($0).base) },
        rowStride: rowStride,
        depthStride: depthStride
      )
    }
  }

  /// A convolution of `source` into `target`.
  func convolution(
    _ source: FloatBuffer,
    _ filter: @escaping () -> PackedFilter,
    _ target: FloatBuffer,
    _ window: Window
  ) -> () -> Void {
    let zeros = store.zeros(window.inputChannels)
    let context = context
    return {
      context.kernels.convolve(
        source,
        filter(),
        into: target,
        window,
        zeros: zeros,
        pool: context.pool,
        scratch: context.scratch
      )
    }
  }
}
