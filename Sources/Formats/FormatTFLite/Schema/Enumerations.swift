import AssayBase
import AssayGraph
import AssayTensor

/// Numbers of the union BuiltinOptions: which table of options an operator carries.
enum OptionsType {
  static let conv2D: UInt8 = 1
  static let depthwiseConv2D: UInt8 = 2
  static let pool2D: UInt8 = 5
  static let fullyConnected: UInt8 = 8
  static let softmax: UInt8 = 9
  static let concatenation: UInt8 = 10
  static let add: UInt8 = 11
  static let localResponseNormalization: UInt8 = 13
  static let resizeBilinear: UInt8 = 15
  static let reshape: UInt8 = 17
  static let spaceToDepth: UInt8 = 19
  static let multiply: UInt8 = 21
  static let pad: UInt8 = 22
  static let gather: UInt8 = 23
  static let reducer: UInt8 = 27
  static let subtract: UInt8 = 28
  static let divide: UInt8 = 29
  static let stridedSlice: UInt8 = 32
  static let exp: UInt8 = 33
  static let topK: UInt8 = 34
  static let split: UInt8 = 35
  static let logSoftmax: UInt8 = 36
  static let cast: UInt8 = 37
  static let argMax: UInt8 = 40
  static let less: UInt8 = 41
  static let negative: UInt8 = 42
  static let select: UInt8 = 47
  static let transposeConv: UInt8 = 49
  static let tile: UInt8 = 51
  static let argMin: UInt8 = 57
  static let oneHot: UInt8 = 61
  static let resizeNearest: UInt8 = 74
  static let leakyReLU: UInt8 = 75
  static let mirrorPad: UInt8 = 77
  static let splitV: UInt8 = 79
  static let reverse: UInt8 = 81
  static let gatherND: UInt8 = 83
  static let reverseSequence: UInt8 = 87
  static let depthToSpace: UInt8 = 94
  static let nonMaxSuppressionV5: UInt8 = 96
  static let scatterND: UInt8 = 97
  static let selectV2: UInt8 = 98
  static let batchMatMul: UInt8 = 101
  static let cumsum: UInt8 = 102
  static let broadcastTo: UInt8 = 104
  static let conv3D: UInt8 = 106
  static let gelu: UInt8 = 116
}

extension DType {
  /// The schema's enum TensorType, in the order of its numbers; `nil` where we have no such type.
  private static let byNumber: [DType?] = [
    .float32, .float16, .int32, .uint8, .int64, .string, .bool, .int16, nil, .int8, .float64, nil,
    .uint64, nil, nil, .uint32, .uint16, .int4, .bfloat16, nil, .uint4,
  ]

  /// The type with this number in the schema; `nil` for one that we do not have.
  init?(tflite number: Int8) {
    guard Self.byNumber.indices.contains(Int(number)), let type = Self.byNumber[Int(number)] else {
      return nil
    }
    self = type
  }

  /// The number of integers of two bits, which are held in eight.
  static let tfliteInt2: Int8 = 19

  /// Whether the schema has the type.
  var isInTFLite: Bool { Self.byNumber.contains(self) }

  /// The type's number in the schema.
  ///
  /// - Precondition: the schema has it; the exporter refuses nodes of other types beforehand.
  var tfliteNumber: Int8 {
    Int8(truncatingIfNeeded: Self.byNumber.firstIndex(of: self) ?? 0)
  }
}

/// The schema's enum ActivationFunctionType.
enum FusedActivation: Int8 {
  case none = 0
  case relu = 1
  case reluN1To1 = 2
  case relu6 = 3
  case tanh = 4

  init(_ activation: Activation) {
    self =
      switch activation {
      case .none: .none
      case .relu: .relu
      case .relu6: .relu6
      case .reluN1To1: .reluN1To1
      }
  }

  /// The activation as our operators hold it; `nil` for one that must be a node of its own.
  var activation: Activation? {
    switch self {
    case .none: Activation.none
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    case .tanh: nil
    }
  }

  /// The function as a node of its own.
  var unary: Unary? { (self == .tanh ? .tanh : activation?.function).map { Unary($0) } }
}
