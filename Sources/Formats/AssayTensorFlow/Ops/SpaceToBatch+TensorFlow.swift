import AssayBase
import AssayGraph
import AssayTensor

let spaceToBatchReaders: [String: TFReader] = [
  "SpaceToBatchND": { call, into in
    let block = try into.integers(call, 1)
    let (before, after) = try into.borders(call, 2, axes: block.count)
    let op = SpaceToBatch(block: block, before: before, after: after)
    return try into.emit(call, op, [try into.tensor(call, 0)])
  },
  "BatchToSpaceND": { call, into in
    let block = try into.integers(call, 1)
    let (before, after) = try into.borders(call, 2, axes: block.count)
    let op = BatchToSpace(block: block, before: before, after: after)
    return try into.emit(call, op, [try into.tensor(call, 0)])
  },
  "SpaceToBatch": { call, into in
    let size = call.int("block_size")
    let (before, after) = try into.borders(call, 1, axes: 2)
    let op = SpaceToBatch(block: [size, size], before: before, after: after)
    return try into.emit(call, op, [try into.tensor(call, 0)])
  },
  "BatchToSpace": { call, into in
    let size = call.int("block_size")
    let (before, after) = try into.borders(call, 1, axes: 2)
    let op = BatchToSpace(block: [size, size], before: before, after: after)
    return try into.emit(call, op, [try into.tensor(call, 0)])
  },
]

extension TensorFlowImporter {
  /// Elements before and after each axis, a pair for each.
  fileprivate func borders(
    _ call: TFCall,
    _ index: Int,
    axes: Int
  ) throws -> (before: [Int], after: [Int]) {
    let amounts = try integers(call, index)
    guard amounts.count == 2 * axes else { throw call.unsupported("paddings \(amounts)") }
    return ((0..<axes).map { amounts[2 * $0] }, (0..<axes).map { amounts[2 * $0 + 1] })
  }
}

// MARK: - Export

extension SpaceToBatch: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.blocks(node, "SpaceToBatchND", "Tpaddings", block, before, after)
  }
}

extension BatchToSpace: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.blocks(node, "BatchToSpaceND", "Tcrops", block, before, after)
  }
}

extension TensorFlowExporter {
  fileprivate mutating func blocks(
    _ node: TFNodeView,
    _ op: String,
    _ borderType: String,
    _ block: [Int],
    _ before: [Int],
    _ after: [Int]
  ) -> [String] {
    let amounts = zip(before, after).flatMap { [$0, $1] }
    return [
      add(
        op,
        node.name,
        [input(node, 0), integers(block), integers(amounts, [block.count, 2])],
        ["T": node.type, "Tblock_shape": .type(.int32), borderType: .type(.int32)]
      )
    ]
  }
}
