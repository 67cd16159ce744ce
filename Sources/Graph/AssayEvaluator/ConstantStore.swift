import AssayGraph
import AssayKernels
import AssayTensor

/// What is known before the graph runs.
///
/// These are constants as floats, values that follow from constants alone, and what operators prepare
/// from them. All plans of an evaluator share it.
final class ConstantStore {
  let graph: Graph
  /// Whether a value is known before the graph runs.
  private(set) var isConstant: [Bool]
  private var blocks: [ValueID: FloatBlock] = [:]
  private var prepared: [Int: Any] = [:]
  private var zeroBlock = FloatBlock(count: 1024)
  private var oldZeroBlocks: [FloatBlock] = []

  init(_ graph: Graph) {
    self.graph = graph
    isConstant = graph.values.map { $0.constant != nil }
    for node in graph.nodes
    where node.inputs.allSatisfy({ $0.map { isConstant[$0.index] } ?? true }) {
      for output in node.outputs { isConstant[output.index] = true }
    }
  }

  /// The floats of a constant, made on first use.
  ///
  /// For a value that is computed from constants, this is the place that its step writes.
  func floats(_ id: ValueID) -> FloatBuffer {
    if let block = blocks[id] { return block.buffer }
    let value = graph[id]
    let block =
      value.constant.map { FloatBlock($0.realNumbers()) }
      ?? FloatBlock(count: value.type.shape.count)
    blocks[id] = block
    return block.buffer
  }

  /// Calls `body` with the floats of a constant, without keeping a copy where the file's will do.
  func withFloats<R>(_ id: ValueID, _ body: (UnsafePointer<Float>) -> R) -> R {
    if blocks[id] == nil, let tensor = graph[id].constant {
      if tensor.dtype == .float32 {
        return unsafe tensor.withElements(as: Float.self) { elements in
          unsafe body(elements.baseAddress.unsafelyUnwrapped)
        }
      }
      let block = FloatBlock(tensor.realNumbers())
      return withExtendedLifetime(block) { unsafe body($0.buffer.base) }
    }
    return unsafe body(floats(id).base)
  }

  /// What `make` gives for a node, made once.
  func prepare<T>(_ node: Int, _ make: () -> T) -> T {
    if let known = prepared[node] as? T { return known }
    let made = make()
    prepared[node] = made
    return made
  }

  /// At least `count` zeros that never change.
  func zeros(_ count: Int) -> FloatBuffer {
    if zeroBlock.buffer.count < count {
      // Plans hold the address of the smaller block.
      oldZeroBlocks.append(zeroBlock)
      zeroBlock = FloatBlock(count: count)
    }
    return zeroBlock.buffer
  }
}

extension Tensor {
  /// `floats()`, with the common constant (8-bit weights) done in one pass.
  func realNumbers() -> [Float] {
    guard dtype == .int8, let quantization, !quantization.isBlockwise else { return floats() }
    let axis = quantization.isPerChannel ? quantization.axis.flatMap(shape.normalized(axis:)) : nil
    let inner = axis.map { shape.strides[$0] } ?? max(count, 1)
    let extent = axis.map { shape.dims[$0] } ?? 1
    guard quantization.scales.count >= extent, quantization.zeroPoints.count >= extent else {
      return floats()
    }
    return unsafe withElements(as: Int8.self) { source in
      unsafe [Float](unsafeUninitializedCapacity: source.count) { target, initialized in
        var start = 0
        var channel = 0
        while start < source.count {
          let end = min(start + inner, source.count)
          let scale = quantization.scales[channel]
          let zero = quantization.zeroPoints[channel]
          for index in start..<end {
            unsafe target[index] = scale * Float(Int32(source[index]) &- zero)
          }
          start = end
          channel = channel + 1 == extent ? 0 : channel + 1
        }
        initialized = source.count
      }
    }
  }
}
