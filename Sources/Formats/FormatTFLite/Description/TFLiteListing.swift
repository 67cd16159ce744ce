import AssayBase
import AssayCodec
import AssayTensor

/// The operators of a .tflite file as the file lists them: what a tool that takes files as they are (a
/// compiler of an accelerator, a delegate) decides by.
///
/// An imported Graph has other operators: activations stand by themselves there, and shapes are
/// computed.
public struct TFLiteListing: Sendable {
  /// A tensor of the file.
  public struct Tensor: Sendable {
    /// Its name.
    public var name: String
    /// The type of its elements; `nil` for one that we do not have.
    public var type: DType?
    /// Its extents; what is open has the extent that the file notes.
    public var shape: [Int]
    /// Whether an extent is open until the network runs.
    public var isOpen: Bool
    /// Scales: none, one, or one for each slice.
    public var scaleCount: Int
    /// The bytes of a constant; `nil` for one that is computed or fed.
    public var constant: ByteView?
    /// Whether it keeps a state from one run to the next.
    public var isVariable: Bool

    /// The extents in front of the three innermost ones.
    public var outerExtents: ArraySlice<Int> { shape.dropLast(3) }

    /// The elements of a small constant of 32-bit or 64-bit integers, such as axes; else `nil`.
    public var integers: [Int]? {
      guard let constant, let width = type == .int32 ? 4 : type == .int64 ? 8 : nil,
        constant.count % width == 0, constant.count / width <= 64
      else { return nil }
      return (0..<constant.count / width).compactMap { index in
        width == 4
          ? (try? constant.load(Int32.self, at: index * 4)).map { Int($0) }
          : (try? constant.load(Int64.self, at: index * 8)).map { Int($0) }
      }
    }
  }

  /// An application of an operator.
  public struct Node: Sendable {
    /// Its place among the operators.
    public var index: Int
    /// The schema's name, such as `CONV_2D`; `CUSTOM` for a custom one.
    public var kind: String
    /// The name of a custom operator.
    public var custom: String?
    /// The version of the operator's meaning.
    public var version: Int
    /// Tensors that it reads; -1 for one that is absent.
    public var inputs: [Int]
    /// Tensors that it makes.
    public var outputs: [Int]
    /// Its options by the schema's names, as whole numbers, those at their default included.
    ///
    /// A flag that is set is 1; options that are no whole numbers are left out.
    public var settings: [String: Int]
  }

  /// The tensors of the main subgraph.
  public var tensors: [Tensor]
  /// The operators of the main subgraph, in the order in which they run.
  public var nodes: [Node]
  /// Tensors that are fed.
  public var inputs: [Int]
  /// Tensors that come out.
  public var outputs: [Int]
  /// Subgraphs of the file: bodies of loops and branches besides the main one.
  public var subgraphCount: Int

  /// Lists a file.
  ///
  /// - Throws: `Diagnostic` FLB… or TFL… when it is damaged.
  public init(reading bytes: ByteView) throws {
    let model = try ModelRecord(reading: bytes)
    guard let main = model.subgraphs.first else {
      throw Diagnostic("TFL002", "the file holds no network")
    }
    subgraphCount = model.subgraphs.count
    tensors = try main.tensors.map { record in
      let buffer =
        model.buffers.indices.contains(record.buffer) ? model.buffers[record.buffer] : nil
      let isOpen = (record.signature ?? record.shape).contains { $0 < 0 }
      guard record.shape.count <= 64 else {
        throw Diagnostic("TFL003", "tensor '\(record.name)' has \(record.shape.count) axes")
      }
      return Tensor(
        name: record.name,
        type: DType(tflite: record.type),
        shape: record.shape.map { Int($0) },
        isOpen: isOpen,
        scaleCount: record.quantization?.scales.count ?? 0,
        constant: buffer,
        isVariable: record.isVariable
      )
    }
    inputs = try Self.places(main.inputs, among: tensors.count)
    outputs = try Self.places(main.outputs, among: tensors.count)
    nodes = []
    for (index, entry) in main.operators.enumerated() {
      guard model.codes.indices.contains(entry.code) else {
        throw Diagnostic("TFL003", "operator \(index) is of a kind that is not there")
      }
      let code = model.codes[entry.code]
      try nodes.append(
        Node(
          index: index,
          kind: code.builtin.name,
          custom: code.custom,
          version: Int(code.version),
          inputs: Self.places(entry.inputs, among: tensors.count),
          outputs: Self.places(entry.outputs, among: tensors.count),
          settings: entry.options.map {
            try Self.settings(of: code.builtin.name, in: $0)
          } ?? [:]
        )
      )
    }
  }

  /// Indices of tensors, each checked; -1 stands for an absent one.
  private static func places(_ indices: [Int32], among count: Int) throws -> [Int] {
    try indices.map { index in
      guard index >= -1, index < count else {
        throw Diagnostic("TFL003", "tensor \(index) is not there")
      }
      return Int(index)
    }
  }

  /// One option of an operator.
  private enum Option {
    case byte(String, Int)
    case word(String, Int, Int32 = 0)
    case flag(String, Int)
  }

  /// Where the options lie that placement depends on (the tables of the union BuiltinOptions).
  private static let options: [String: [Option]] = [
    "CONV_2D": [
      .byte("padding", 0), .word("stride_w", 1), .word("stride_h", 2),
      .byte("fused_activation_function", 3), .word("dilation_w_factor", 4, 1),
      .word("dilation_h_factor", 5, 1),
    ],
    "DEPTHWISE_CONV_2D": [
      .byte("padding", 0), .word("stride_w", 1), .word("stride_h", 2), .word("depth_multiplier", 3),
      .byte("fused_activation_function", 4), .word("dilation_w_factor", 5, 1),
      .word("dilation_h_factor", 6, 1),
    ],
    "TRANSPOSE_CONV": [
      .byte("padding", 0), .word("stride_w", 1), .word("stride_h", 2),
      .byte("fused_activation_function", 3),
    ],
    "AVERAGE_POOL_2D": pool, "MAX_POOL_2D": pool, "L2_POOL_2D": pool,
    "FULLY_CONNECTED": [
      .byte("fused_activation_function", 0), .byte("weights_format", 1), .flag("keep_num_dims", 2),
    ],
    "CONCATENATION": [.word("axis", 0), .byte("fused_activation_function", 1)],
    "ADD": [.byte("fused_activation_function", 0)], "SUB": [.byte("fused_activation_function", 0)],
    "MUL": [.byte("fused_activation_function", 0)], "DIV": [.byte("fused_activation_function", 0)],
    "RESIZE_BILINEAR": [.flag("align_corners", 2), .flag("half_pixel_centers", 3)],
    "RESIZE_NEAREST_NEIGHBOR": [.flag("align_corners", 0), .flag("half_pixel_centers", 1)],
    "SPLIT": [.word("num_splits", 0)], "PACK": [.word("values_count", 0), .word("axis", 1)],
    "UNPACK": [.word("num", 0), .word("axis", 1)],
    "STRIDED_SLICE": [
      .word("begin_mask", 0), .word("end_mask", 1), .word("ellipsis_mask", 2),
      .word("new_axis_mask", 3), .word("shrink_axis_mask", 4),
    ],
    "MEAN": reducer, "SUM": reducer, "REDUCE_MAX": reducer, "REDUCE_MIN": reducer,
    "SPACE_TO_DEPTH": [.word("block_size", 0)], "DEPTH_TO_SPACE": [.word("block_size", 0)],
    "UNIDIRECTIONAL_SEQUENCE_LSTM": [
      .byte("fused_activation_function", 0), .flag("time_major", 3),
    ],
  ]
  private static let pool: [Option] = [
    .byte("padding", 0), .word("stride_w", 1), .word("stride_h", 2), .word("filter_width", 3),
    .word("filter_height", 4), .byte("fused_activation_function", 5),
  ]
  private static let reducer: [Option] = [.flag("keep_dims", 0)]

  private static func settings(of kind: String, in table: FlatTable) throws -> [String: Int] {
    var settings: [String: Int] = [:]
    for option in options[kind] ?? [] {
      switch option {
      case .byte(let name, let field):
        settings[name] = Int(try table.scalar(field, default: Int8(0)))
      case .word(let name, let field, let standard):
        settings[name] = Int(try table.scalar(field, default: standard))
      case .flag(let name, let field): settings[name] = try table.bool(field) ? 1 : 0
      }
    }
    return settings
  }
}
