import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

/// Operators of one name that were kept for description only.
struct OpaqueKind {
  var name: String
  var reason: String?
  var count: Int
  var bytes: Int
}

/// What a node of an operator that is only described keeps, so that it can be written back.
struct TFLitePayload: Sendable {
  var builtin: BuiltinOperator
  var version: Int32
  var optionsType: UInt8
  var secondOptionsType: UInt8
  var options: FlatObject?
  var customOptions: ByteView?
  /// The types of inputs that keep a state from one run to the next, by place.
  var variables: [Int: TensorType] = [:]
  /// Whether its options could be kept whole.
  var isWhole = true
}

extension TFLiteImporter {
  /// Adds a node that cannot be computed, with the outputs that the file declares.
  ///
  /// - Parameter reason: why this one is not computed; by default what the table of builtins says.
  mutating func addOpaque(_ source: ImportedOperator, because reason: String? = nil) throws {
    var payload = TFLitePayload(
      builtin: source.builtin,
      version: model.codes[source.record.code].version,
      optionsType: source.record.optionsType,
      secondOptionsType: source.record.secondOptionsType,
      customOptions: source.record.customOptions
    )
    if let table = source.record.options ?? source.record.secondOptions {
      payload.options = OptionsLayout.copy(
        table,
        type: source.record.optionsType,
        second: source.record.secondOptionsType
      )
      payload.isWhole = payload.options != nil
    }
    var inputs: [ValueID?] = []
    for (place, index) in source.record.inputs.enumerated() {
      guard index >= 0 else {
        inputs.append(nil)
        continue
      }
      let tensor = try record(Int(index))
      if tensor.isVariable {
        payload.variables[place] = try type(of: tensor)
        inputs.append(nil)
      } else {
        inputs.append(try value(Int(index)))
      }
    }
    let types = try source.record.outputs.map { try type(of: record(Int($0))) }
    let reason = reason ?? TFLiteBuiltins.refusals[source.builtin]
    try add(
      Opaque(source.name, outputTypes: types, reason: reason, payload: payload),
      inputs,
      source
    )
    let bytes = source.record.customOptions?.count ?? 0
    if let known = opaque.firstIndex(where: { $0.name == source.name && $0.reason == reason }) {
      opaque[known].count += 1
      opaque[known].bytes += bytes
    } else {
      opaque.append(OpaqueKind(name: source.name, reason: reason, count: 1, bytes: bytes))
    }
  }

  mutating func describeOpaque() {
    for kind in opaque {
      let isEdgeTPU = kind.name == EdgeTPUPackage.customName
      let nodes = "\(kind.count) of \(graph.nodes.count) nodes"
      let why = kind.reason.map { ": \($0)" } ?? ""
      diagnostics.append(
        Diagnostic(
          isEdgeTPU ? "TFL021" : "TFL020",
          isEdgeTPU
            ? "part of the network is compiled for an Edge TPU (\(kind.count) \(kind.name), "
              + "\(kind.bytes) bytes)"
            : "operator \(kind.name) cannot be computed here (\(nodes))\(why)",
          remedy: isEdgeTPU
            ? "run it with the Edge TPU delegate; convert the model from which it was compiled"
            : "it is kept for description; a runtime that has it can still run the file",
          severity: .warning
        )
      )
    }
  }
}

/// Which fields of an options table hold more than a number, so that it can be copied.
enum OptionsLayout {
  /// What a field holds; fields beyond those listed are not there.
  private enum Field {
    case int8, int32, int64, float, bool
    case text, bytes, ints
  }

  /// The layouts of options of operators that are kept but not computed, by their number in the
  /// union.
  private static let first: [UInt8: [Field]] = [
    3: [.int32, .ints, .ints],  // CONCAT_EMBEDDINGS
    4: [.int8],  // LSH_PROJECTION
    6: [.int32, .int8, .bool],  // SVDF
    7: [.int8, .bool],  // RNN
    14: [.int8, .float, .float, .int8, .bool],  // LSTM
    16: [.int32],  // CALL
    18: [.int32, .int32, .bool],  // SKIP_GRAM
    20: [.int8],  // EMBEDDING_LOOKUP_SPARSE
    23: [.int32, .int32],  // GATHER
    31: [.bool, .int8, .bool],  // UNIDIRECTIONAL_SEQUENCE_RNN
    40: [.int8],  // ARG_MAX
    57: [.int8],  // ARG_MIN
    69: [.int8, .float, .float, .bool, .bool, .bool],  // BIDIRECTIONAL_SEQUENCE_LSTM
    70: [.bool, .int8, .bool, .bool],  // BIDIRECTIONAL_SEQUENCE_RNN
    71: [.int8, .float, .float, .bool, .bool, .bool],  // UNIDIRECTIONAL_SEQUENCE_LSTM
    80: [.int8],  // UNIQUE
    107: [.int32, .int8, .int8],  // HASHTABLE
    111: [.text, .text],  // VAR_HANDLE
    114: [.int64, .int64],  // RANDOM_UNIFORM
  ]

  /// The layouts of the second union.
  private static let second: [UInt8: [Field]] = [
    5: [.text, .bool, .text, .int32, .ints, .bytes],  // STABLEHLO_CUSTOM_CALL
    19: [.int8],  // STABLEHLO_RNG_BIT_GENERATOR
  ]

  /// A copy of a table that can be written; `nil` for a layout that is not known.
  ///
  /// Tables that refer to other subgraphs are not copied: these are not kept.
  static func copy(_ table: FlatTable, type: UInt8, second number: UInt8) -> FlatObject? {
    guard let fields = number == 0 ? first[type] : second[number] else {
      // Most options of this kind have no field at all.
      return (try? (0..<8).allSatisfy { try !table.has($0) }) == true ? FlatObject() : nil
    }
    return try? copy(table, fields)
  }

  private static func copy(_ table: FlatTable, _ fields: [Field]) throws -> FlatObject? {
    var object = FlatObject()
    for (index, field) in fields.enumerated() where try table.has(index) {
      // What the file holds is written even where it equals a default: not all defaults are zero.
      func keep<T: FixedWidthInteger>(_ value: T) {
        object.set(index, value, default: value == 0 ? 1 : 0)
      }
      switch field {
      case .int8, .bool: keep(try table.scalar(index, default: UInt8(0)))
      case .int32: keep(try table.scalar(index, default: Int32(0)))
      case .int64: keep(try table.scalar(index, default: Int64(0)))
      case .float:
        let value = try table.scalar(index, default: Float(0))
        object.set(index, value, default: value == 0 ? 1 : 0)
      case .text: object.set(index, try table.string(index))
      case .bytes: if let bytes = try table.bytes(index) { object.set(index, bytes, alignment: 4) }
      case .ints: object.set(index, try table.vector(index, of: Int32.self))
      }
    }
    // A field that is not listed would be lost.
    return try (fields.count..<(fields.count + 8)).allSatisfy { try !table.has($0) } ? object : nil
  }
}
