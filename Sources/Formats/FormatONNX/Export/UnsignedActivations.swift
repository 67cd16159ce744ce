import AssayBase
import AssayGraph
import AssayTensor

extension Graph {
  /// The graph with its 8-bit activations stored as uint8.
  ///
  /// The real numbers are the same, every integer and zero point is 128 higher. Weights stay int8,
  /// and so do inputs and outputs of the graph.
  ///
  /// The integer kernels of x86 processors multiply unsigned activations by signed weights, so that
  /// runtimes fuse this form everywhere, and signed activations only on some machines.
  func withUnsignedActivations() -> Graph {
    guard values.contains(where: { $0.constant == nil && $0.type.isSigned8Bit }) else {
      return self
    }
    var result = Graph(name: name)
    var map: [ValueID: ValueID] = [:]
    let weights = weightValues()
    for (index, value) in values.enumerated() {
      let id = ValueID(index)
      guard value.type.isSigned8Bit, !weights.contains(id) else {
        map[id] = result.add(value)
        continue
      }
      var copy = value
      copy.type = value.type.unsigned
      copy.constant = value.constant.map { $0.unsigned }
      map[id] = result.add(copy)
    }
    func moved(_ id: ValueID) -> ValueID { map[id] ?? id }
    for id in inputs {
      guard values[id.index].type.isSigned8Bit else {
        result.inputs.append(moved(id))
        continue
      }
      // What is fed keeps type and name; its first reader is a change of type.
      let value = values[id.index]
      result[moved(id)].name = value.name + "/uint8"
      let fed = result.addInput(value.name, value.type)
      result.nodes.append(changeOfType(value.name + "/uint8", fed, moved(id), result))
    }
    for node in nodes {
      var copy = node
      copy.inputs = node.inputs.map { $0.map(moved) }
      copy.outputs = node.outputs.map(moved)
      if let quantize = node.op as? Quantize, let output = copy.outputs.first {
        let type = result[output].type
        copy.op = Quantize(type.dtype, type.quantization ?? quantize.quantization)
      }
      result.nodes.append(copy)
    }
    for id in outputs {
      let value = values[id.index]
      guard value.type.isSigned8Bit else {
        result.outputs.append(moved(id))
        result.outputNames[moved(id)] = outputNames[id]
        continue
      }
      result[moved(id)].name = value.name + "/uint8"
      let made = result.add(Value(name: value.name, type: value.type))
      result.nodes.append(changeOfType(value.name + "/int8", moved(id), made, result))
      result.outputs.append(made)
      result.outputNames[made] = outputNames[id]
    }
    return result
  }

  /// Constants that kernels take as signed integers: filters and matrices.
  private func weightValues() -> Set<ValueID> {
    var result: Set<ValueID> = []
    for node in nodes {
      let op = node.op
      guard
        op is Conv2D || op is DepthwiseConv2D || op is TransposeConv2D || op is FullyConnected
          || op is MatMul || op is Dequantize
      else { continue }
      for case let id? in op is Dequantize ? node.inputs : Array(node.inputs.dropFirst())
      where self[id].constant != nil {
        result.insert(id)
      }
    }
    return result
  }

  private func changeOfType(
    _ name: String,
    _ from: ValueID,
    _ to: ValueID,
    _ graph: Graph
  ) -> Node {
    let type = graph[to].type
    let quantization = type.quantization ?? Quantization(scale: 1, zeroPoint: 0)
    return Node(
      name: name,
      op: Quantize(type.dtype, quantization),
      inputs: [from],
      outputs: [to]
    )
  }
}

extension TensorType {
  fileprivate var isSigned8Bit: Bool {
    dtype == .int8 && quantization.map { !$0.isPerChannel } ?? false
  }

  fileprivate var unsigned: TensorType {
    guard let quantization else { return self }
    return TensorType(
      .uint8,
      shape,
      quantization: Quantization(
        scale: quantization.scale,
        zeroPoint: quantization.zeroPoint &+ 128
      )
    )
  }
}

extension Tensor {
  fileprivate var unsigned: Tensor {
    let type = type.unsigned
    return Tensor(
      elements(as: UInt8.self).map { $0 ^ 0x80 },
      shape,
      dtype: .uint8,
      quantization: type.quantization
    )
  }
}
