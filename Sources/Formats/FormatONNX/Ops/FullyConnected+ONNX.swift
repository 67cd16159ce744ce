import AssayFormat
import AssayGraph
import AssayTensor

extension FullyConnected: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let x = node.input(0).shape
    if node.isHybrid {
      if node.input(1).quantization?.isBlockwise ?? false {
        writeBlockwise(node, to: &file)
      } else {
        writeHybrid(node, to: &file)
      }
      return
    }
    // Gemm takes matrices only.
    let isMatrix = x.rank == 2
    var input = file.real(node, 0)
    if !isMatrix { input = file.addRows(of: input, x, for: node) }
    var inputs = [input, file.filter(node, 1, permutation: [0, 1])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    let transposed = [ONNXAttribute.int("transB", 1)]
    guard !isMatrix else {
      file.finish(node, "Gemm", inputs, transposed, activation: activation)
      return
    }
    var product = file.add("Gemm", inputs, transposed, for: node)
    let type = node.outputs[0]
    if !type.absorbs(activation), let (opType, bounds) = file.activationNode(activation) {
      product = file.add(opType, [product] + bounds, for: node)
    }
    if type.isQuantizedInteger {
      // The integer kernel takes a matrix and gives one: it is quantized before it is reshaped.
      let stored = file.unique("\(node.node.name)/quantized")
      file.quantize(product, to: type, name: stored)
      product = file.dequantize(stored, type, hint: "\(node.node.name)/real")
    }
    file.finishReshape(node, product)
  }

  /// Weights with a scale for each block, widened before a product: ONNX Runtime makes one
  /// kernel of both (MatMulNBits), which wants the blocks along the first axis.
  private func writeBlockwise(_ node: NodeView, to file: inout GraphExporter) {
    guard let id = node.node.inputs[1] else { return }
    let weights = file.parameter(id, permutation: [1, 0], isDequantized: true)
    let input = file.real(node, 0)
    guard node.has(2) else {
      file.finish(node, "MatMul", [input, weights], activation: activation)
      return
    }
    let product = file.add("MatMul", [input, weights], for: node)
    file.finish(node, "Add", [product, file.bias(node, 2)], activation: activation)
  }

  private func writeHybrid(_ node: NodeView, to file: inout GraphExporter) {
    guard let id = node.node.inputs[1], let quantization = node.input(1).quantization else {
      return
    }
    let x = file.dynamicallyQuantized(node)
    let weights = file.parameter(id, permutation: [1, 0])
    let zero = file.constant(Tensor([Int8(0)], [], dtype: .int8), hint: "const/int8_0")
    let sums = file.add("MatMulInteger", [x.values, weights, x.zeroPoint, zero], for: node)
    file.scaleBack(node, sums, x.scale, quantization, activation)
  }
}

// MARK: - Import

let denseReaders: [String: ONNXReader] = ["Gemm": readGemm]

/// `alpha * A' * B' + beta * C`; a dense layer where it has that form.
private func readGemm(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let a = try into.plain(call.input(0))
  let (alpha, beta) = (call.float("alpha") ?? 1, call.float("beta") ?? 1)
  let transposesA = call.int("transA", default: 0) != 0
  let transposesB = call.int("transB", default: 0) != 0
  let columns = try into.type(call.input(1)).shape[transposesB ? 0 : 1]
  let c = call.has(2) ? try into.plain(call.input(2)) : nil
  let isBias = try c.map { _ in
    let shape = try into.type(call.input(2)).shape
    return beta == 1 && shape.count == columns && shape[-1] == columns
  }
  if alpha == 1, !transposesA, isBias ?? true {
    let weights = try into.parameter(call.input(1), transposesB ? [0, 1] : [1, 0], call)
    try into.define(call, FullyConnected(), [a, weights, c])
    return
  }
  let b = try into.plain(call.input(1))
  let product = MatMul(transposesA: transposesA, transposesB: transposesB)
  guard c != nil || alpha != 1 else {
    try into.define(call, product, [a, b])
    return
  }
  var sum = try into.step(call, "product", product, [a, b])
  if alpha != 1 {
    let factor = into.scalar(Double(alpha), into.dtype(sum))
    sum = try into.step(call, "scaled", Binary(.multiply), [sum, factor])
  }
  guard var c else {
    into.alias(call, plain: sum)
    return
  }
  if beta != 1 {
    let factor = into.scalar(Double(beta), into.dtype(c))
    c = try into.step(call, "offset", Binary(.multiply), [c, factor])
  }
  try into.define(call, Binary(.add), [sum, c])
}
