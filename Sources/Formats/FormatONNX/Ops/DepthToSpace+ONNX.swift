import AssayFormat
import AssayGraph
import AssayTensor

extension DepthToSpace: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finish(node, "DepthToSpace", [file.real(node, 0)], [.int("blocksize", blockSize)])
  }
}

extension SpaceToDepth: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    file.finish(node, "SpaceToDepth", [file.real(node, 0)], [.int("blocksize", blockSize)])
  }
}

// MARK: - Import

let depthToSpaceReaders: [String: ONNXReader] = [
  "DepthToSpace": { call, into in
    let block = call.int("blocksize", default: 0)
    guard call.string("mode", default: "DCR") == "CRD" else {
      try into.defineImage(call, DepthToSpace(blockSize: block), [try into.image(call.input(0))])
      return
    }
    // Here the channel comes first among the parts of a block.
    let shape = try into.type(call.input(0)).shape
    guard shape.rank == 4, (1..<1 << 15).contains(block), shape[1] % (block * block) == 0 else {
      throw call.unsupported("\(shape) in blocks of \(block)")
    }
    let channels = shape[1] / (block * block)
    let source = try into.plain(call.input(0))
    let dims = [shape[0], channels, block, block, shape[2], shape[3]]
    let parts = try into.reshaped(call, source, dims)
    let moved = try into.turned(call, parts, [0, 1, 4, 2, 5, 3])
    let size = [shape[0], channels, shape[2] * block, shape[3] * block]
    try into.define(call, Reshape(size), [moved])
  },
  "SpaceToDepth": { call, into in
    let op = SpaceToDepth(blockSize: call.int("blocksize", default: 0))
    try into.defineImage(call, op, [try into.image(call.input(0))])
  },
]
