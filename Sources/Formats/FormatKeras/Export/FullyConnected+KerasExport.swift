import AssayBase
import AssayGraph
import AssayTensor

extension FullyConnected: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let kernel = try model.weight(node, 1).permutedWeight([1, 0])
    let bias = node.has(2) ? try model.weight(node, 2).flattened : nil
    try model.dense(node, kernel, bias, activation)
  }
}

extension MatMul: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    if let b = model.constant(node, 1), b.shape.rank == 2, !transposesA, node.shape(0).rank >= 2 {
      let kernel = try model.weight(node, 1)
      try model.dense(node, transposesB ? kernel.permutedWeight([1, 0]) : kernel, nil, .none)
      return
    }
    func operand(_ index: Int, isTransposed: Bool) throws -> KerasOperand {
      let plain = try model.operand(node, index)
      guard isTransposed else { return plain }
      let shape = node.shape(index)
      var permutation = Array(0..<shape.rank)
      permutation.swapAt(shape.rank - 1, shape.rank - 2)
      return .tensor(
        try model.function(
          "Transpose",
          [plain],
          [("axes", .array(permutation.map { JSON($0) }))],
          outputs: [TensorType(.float32, Shape(permutation.map { shape[$0] }))],
          for: node
        )
      )
    }
    let a = try operand(0, isTransposed: transposesA)
    let b = try operand(1, isTransposed: transposesB)
    model.finish(node, try model.function("Matmul", [a, b], for: node))
  }
}

extension KerasExporter {
  /// A dense layer with a kernel as Keras has it.
  mutating func dense(
    _ node: KerasNode,
    _ kernel: Tensor,
    _ bias: Tensor?,
    _ activation: Activation
  ) throws {
    let (fused, rest) = self.fused(activation)
    let result = add(
      "Dense",
      [try input(node)],
      [
        ("units", JSON(kernel.shape[1])), ("activation", fused), ("use_bias", .bool(bias != nil)),
      ],
      weights: [("kernel", kernel)] + (bias.map { [("bias", $0)] } ?? []),
      output: node.outputs[0],
      for: node
    )
    finish(node, result, activation: rest)
  }
}
