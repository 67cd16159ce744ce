import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension SegmentReduce: TFLiteOperator {
  private static let table: [(kind: Kind, builtin: BuiltinOperator, options: UInt8)] = [
    (.product, "UNSORTED_SEGMENT_PROD", 118), (.max, "UNSORTED_SEGMENT_MAX", 119),
    (.min, "UNSORTED_SEGMENT_MIN", 120), (.sum, "UNSORTED_SEGMENT_SUM", 121),
  ]

  static var builtins: [BuiltinOperator] { table.map(\.builtin) + ["SEGMENT_SUM"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    guard let row = Self.table.first(where: { $0.kind == kind }) else {
      throw Diagnostic("TFL101", "TensorFlow Lite has no operator \(name)")
    }
    guard try node.type(1).dtype == .int32 else {
      throw Diagnostic("TFL105", "numbers of \(try node.type(1).dtype.rawValue)")
    }
    exporter.add(
      row.builtin,
      inputs: [
        exporter.tensor(node.input(0)), exporter.tensor(node.input(1)),
        try exporter.constant("\(node.name)/count", [count], shape: []),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (row.options, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let kind = table.first { $0.builtin == source.builtin }?.kind ?? .sum
    let count: Int?
    if source.builtin == "SEGMENT_SUM" {
      // Numbers rise, so that the last one tells how many there are.
      count = try importer.integers(1, of: source).max().map { $0 &+ 1 } ?? 0
    } else {
      count = try importer.integers(2, of: source).first
    }
    guard let count else { throw Diagnostic("TFL017", "the number of segments is missing") }
    try importer.add(
      SegmentReduce(kind, count: count),
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}
