import AssayBase
import AssayGraph
import AssayTensor

let depthToSpaceReaders: [String: TFReader] = [
  "DepthToSpace": { call, into in
    let op = DepthToSpace(blockSize: call.int("block_size"))
    return [try into.emitImage(call, op, [try into.pixels(call)])]
  },
  "SpaceToDepth": { call, into in
    let op = SpaceToDepth(blockSize: call.int("block_size"))
    return [try into.emitImage(call, op, [try into.pixels(call)])]
  },
]

extension TensorFlowImporter {
  /// The image, whose channels must be single ones.
  fileprivate mutating func pixels(_ call: TFCall) throws -> ValueID {
    guard call.string("data_format") != "NCHW_VECT_C" else {
      throw call.unsupported("data_format NCHW_VECT_C")
    }
    return try image(call, 0)
  }
}

// MARK: - Export

extension DepthToSpace: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.blocks(node, "DepthToSpace", blockSize)
  }
}

extension SpaceToDepth: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.blocks(node, "SpaceToDepth", blockSize)
  }
}

extension TensorFlowExporter {
  fileprivate mutating func blocks(_ node: TFNodeView, _ op: String, _ size: Int) -> [String] {
    // Blocks of one element are none, and TensorFlow refuses them.
    guard size > 1 else { return [add("Identity", node.name, [input(node, 0)], ["T": node.type])] }
    return [
      add(
        op,
        node.name,
        [input(node, 0)],
        ["T": node.type, "block_size": .int(Int64(size)), "data_format": .string("NHWC")]
      )
    ]
  }
}
