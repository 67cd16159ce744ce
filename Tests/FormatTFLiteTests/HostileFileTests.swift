import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import Testing

@testable import FormatTFLite

/// Files that call themselves, loop without end or lie about sparse constants.
@Suite struct HostileFileTests {
  private func tensor(
    _ name: String,
    _ dtype: DType,
    _ shape: [Int32],
    buffer: Int = 0
  )
    -> TensorRecord
  {
    TensorRecord(name: name, shape: shape, type: dtype.tfliteNumber, buffer: buffer)
  }

  private func code(_ builtin: BuiltinOperator) -> CodeRecord {
    CodeRecord(builtin: builtin, custom: nil, version: 1)
  }

  private func codes(_ model: ModelRecord) -> [String] {
    do {
      let bytes = joined(try model.write())
      let report = try TFLiteFormat().importGraph(bytes, options: ImportOptions())
      return report.diagnostics.map(\.code)
    } catch let fault as Diagnostic {
      return [fault.code]
    } catch let faults as Diagnostics {
      return faults.all.map(\.code)
    } catch {
      return ["\(error)"]
    }
  }

  /// A network of one operator on a condition that is true.
  private func calling(_ builtin: BuiltinOperator, _ others: [SubgraphRecord]) -> ModelRecord {
    var model = ModelRecord()
    model.buffers = [nil, ByteView([1])]
    model.codes = [code(builtin)]
    let isLoop = builtin == "WHILE"
    var options = FlatObject()
    options.set(0, Int32(isLoop ? 1 : 0), default: 99)
    options.set(1, Int32(isLoop ? 2 : 0), default: 99)
    var main = SubgraphRecord()
    main.tensors = [
      tensor("condition", .bool, [], buffer: 1), tensor("x", .float32, [2]),
      tensor("y", .float32, [2]),
    ]
    main.inputs = [1]
    main.outputs = [2]
    main.operators = [
      OperatorRecord(
        code: 0,
        inputs: isLoop ? [1] : [0, 1],
        outputs: [2],
        optionsType: isLoop ? 93 : 92,
        newOptions: options
      )
    ]
    model.subgraphs = [main] + others
    return model
  }

  @Test func aNetworkThatCallsItselfIsRefused() {
    #expect(codes(calling("IF", [])) == ["TFL024"])
  }

  @Test func aLoopWithoutEndIsRefused() {
    var condition = SubgraphRecord()
    condition.tensors = [tensor("x", .float32, [2]), tensor("true", .bool, [], buffer: 1)]
    condition.inputs = [0]
    condition.outputs = [1]
    var body = SubgraphRecord()
    body.tensors = [tensor("x", .float32, [2])]
    body.inputs = [0]
    body.outputs = [0]
    #expect(codes(calling("WHILE", [condition, body])) == ["TFL024"])
  }

  @Test func aLoopOnDataIsRefusedByName() {
    var condition = SubgraphRecord()
    condition.tensors = [tensor("x", .float32, [2])]
    condition.inputs = [0]
    condition.outputs = [0]
    #expect(codes(calling("WHILE", [condition, condition])) == ["TFL026"])
  }

  @Test func subgraphsThatAreNotThereAreRefused() {
    #expect(codes(calling("WHILE", [])) == ["TFL003"])
  }

  @Test func sparseConstantsThatLeaveTheirTensorAreRefused() throws {
    let importer = try TFLiteImporter(
      {
        var model = ModelRecord()
        model.subgraphs = [SubgraphRecord()]
        return model
      }(),
      options: ImportOptions()
    )
    let type = TensorType(.float32, [2, 4])
    let values = ByteView([UInt8](repeating: 1, count: 8))
    let wrong: [SparsityRecord] = [
      SparsityRecord(traversalOrder: [0], blockMap: [], dimensions: [.dense(2)]),
      SparsityRecord(traversalOrder: [0, 0], blockMap: [], dimensions: [.dense(2), .dense(4)]),
      SparsityRecord(
        traversalOrder: [0, 1],
        blockMap: [],
        dimensions: [.dense(2), .sparse(segments: [0, 1], indices: [0])]
      ),
      SparsityRecord(
        traversalOrder: [0, 1],
        blockMap: [],
        dimensions: [.dense(2), .sparse(segments: [0, 1, 2], indices: [0, 9])]
      ),
      SparsityRecord(
        traversalOrder: [0, 1],
        blockMap: [],
        dimensions: [.dense(1 << 40), .dense(1 << 40)]
      ),
      SparsityRecord(
        traversalOrder: [0, 1],
        blockMap: [],
        dimensions: [.dense(2), .sparse(segments: [0, 1 << 50, 1 << 60], indices: [0])]
      ),
      SparsityRecord(
        traversalOrder: [0, 1, 2],
        blockMap: [7],
        dimensions: [.dense(2), .dense(4), .dense(1)]
      ),
    ]
    for (index, sparsity) in wrong.enumerated() {
      #expect(
        "\(index)",
        performing: {
          try importer.densified(values, sparsity, type)
        },
        throws: { ($0 as? Diagnostic)?.code == "TFL014" }
      )
    }
    // A shape of 2^40 elements is not filled with zeros for a few bytes.
    #expect(throws: (any Error).self) {
      try importer.densified(
        values,
        SparsityRecord(
          traversalOrder: [0],
          blockMap: [],
          dimensions: [.sparse(segments: [0, 1], indices: [0])]
        ),
        TensorType(.float32, [1 << 40])
      )
    }
  }
}
