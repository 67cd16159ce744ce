import AssayBase
import AssayGraph
import AssayTensor

let localResponseNormReaders: [String: TFReader] = [
  "LRN": { call, into in
    let radius = call.int("depth_radius", default: 5)
    guard (0..<1 << 16).contains(radius) else { throw call.unsupported("radius \(radius)") }
    let op = LocalResponseNorm(
      size: 2 * radius + 1,
      alpha: call.float("alpha", default: 1),
      beta: call.float("beta", default: 0.5),
      bias: call.float("bias", default: 1)
    )
    return try into.emit(call, op, [try into.tensor(call, 0)])
  }
]

// MARK: - Export

extension LocalResponseNorm: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard size % 2 == 1, node.input(0).shape.rank == 4 else {
      throw node.unsupported("\(size) neighbours in \(node.input(0).shape)")
    }
    return [
      file.add(
        "LRN",
        node.name,
        [file.input(node, 0)],
        [
          "T": node.type, "depth_radius": .int(Int64(size / 2)), "alpha": .float(alpha),
          "beta": .float(beta), "bias": .float(bias),
        ]
      )
    ]
  }
}
