import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension SpaceToBatch: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SPACE_TO_BATCH_ND"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    try exporter.addBlocks("SPACE_TO_BATCH_ND", block, before, after, node)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let (block, before, after) = try blocks(source, importer)
    let op = SpaceToBatch(block: block, before: before, after: after)
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}

extension BatchToSpace: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["BATCH_TO_SPACE_ND"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    try exporter.addBlocks("BATCH_TO_SPACE_ND", block, before, after, node)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let (block, before, after) = try blocks(source, importer)
    let op = BatchToSpace(block: block, before: before, after: after)
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}

/// The extents of a block and the pairs of amounts around each axis.
private func blocks(
  _ source: ImportedOperator,
  _ importer: TFLiteImporter
) throws -> (block: [Int], before: [Int], after: [Int]) {
  let block = try importer.integers(1, of: source)
  let amounts = try importer.integers(2, of: source)
  guard amounts.count == 2 * block.count else {
    throw Diagnostic("TFL017", "\(amounts.count) amounts for \(block.count) axes of blocks")
  }
  return (
    block, block.indices.map { amounts[2 * $0] }, block.indices.map { amounts[2 * $0 + 1] }
  )
}

extension TFLiteExporter {
  fileprivate mutating func addBlocks(
    _ builtin: BuiltinOperator,
    _ block: [Int],
    _ before: [Int],
    _ after: [Int],
    _ node: ExportedNode
  ) throws {
    let type = try node.type(0)
    guard (3...4).contains(type.shape.rank), type.shape.rank == block.count + 2 else {
      throw Diagnostic("TFL103", "blocks of \(block.count) axes of \(type.shape)")
    }
    let amounts = zip(before, after).flatMap { [$0, $1] }
    add(
      builtin,
      version: type.shape.rank == 3 ? 3 : integerVersion(of: type, int16: 4),
      inputs: [
        tensor(node.input(0)), try constant("\(node.name)/block", block),
        try constant("\(node.name)/amounts", amounts, shape: [block.count, 2]),
      ],
      outputs: node.outputs.map { tensor($0) }
    )
  }
}
