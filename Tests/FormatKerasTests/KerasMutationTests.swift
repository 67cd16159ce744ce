import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTestSupport
import FormatKeras
import Testing

/// Configurations that are still JSON but no longer what Keras writes.
@Suite struct KerasMutationTests {
  /// Values that a careless importer trips over.
  private static let values: [JSON] = [
    .null, .bool(true), .integer(0), .integer(-1), .integer(1), .integer(2), .integer(3),
    .integer(1 << 16), .integer(1 << 24 - 1), .integer(1 << 31), .integer(.max), .integer(.min),
    .number(0.5), .number(-1e30), .number(.nan), .number(.infinity), .string(""), .string("same"),
    .string("valid"), .string("causal"), .string("relu"), .string("x"), .array([]),
    .array([.integer(1), .integer(1)]), .array([.integer(0), .integer(-3)]), .emptyObject,
    .array([.array([.integer(1), .integer(2)]), .array([.integer(0), .integer(70_000)])]),
  ]

  /// Another class of layers, so that configurations meet layers that they were not written for.
  private static let classes = [
    "Conv2D", "Conv1D", "DepthwiseConv2D", "Conv2DTranspose", "Dense", "BatchNormalization",
    "ReLU", "PReLU", "MaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "Cropping2D",
    "UpSampling2D", "Flatten", "Reshape", "Permute", "RepeatVector", "Add", "Concatenate",
    "Rescaling", "Normalization", "Softmax", "LayerNormalization", "Embedding", "Sequential",
    "Functional", "InputLayer", "Mean", "Squeeze", "ExpandDims", "Transpose", "LSTM", "GRU", "RNN",
    "Bidirectional", "TimeDistributed", "MultiHeadAttention", "Attention", "Dot", "EinsumDense",
    "GroupNormalization", "Conv3D", "GetItem", "Einsum", "Stack", "Split", "Pad", "Take", "TopK",
  ]

  /// The value with one change somewhere in it.
  static func mutated(_ json: JSON, _ random: inout SeededRNG) -> JSON {
    func pick(_ count: Int) -> Int { Int(random.next() % UInt64(max(count, 1))) }
    let goesDeeper = random.next() % 16 != 0
    switch json {
    case .members(var members) where goesDeeper && !members.keys.isEmpty:
      let key = members.keys[pick(members.keys.count)]
      if key == "class_name", random.next() % 2 == 0 {
        members[key] = .string(classes[pick(classes.count)])
      } else if random.next() % 32 == 0 {
        members[key] = nil
      } else {
        members[key] = mutated(members[key] ?? .null, &random)
      }
      return .members(members)
    case .array(var elements) where goesDeeper && !elements.isEmpty:
      let index = pick(elements.count)
      switch random.next() % 32 {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      default: elements[index] = mutated(elements[index], &random)
      }
      return .array(elements)
    case .integer(let value) where random.next() % 2 == 0:
      return .integer(value &+ Int64(pick(5)) &- 2)
    default: return values[pick(values.count)]
    }
  }

  @Test(arguments: [
    "activation_layers", "activations", "batchnorm", "conv1d", "conv2d_sequential",
    "conv2d_transpose", "dense", "depthwise", "merge", "multi", "nested", "nested_sequential",
    "normalization_adapted", "operators", "pooling", "preprocessing", "segmentation", "shapes",
    "shared", "activations3", "attention", "attention3", "channels_first", "dots", "layers3",
    "masked",
    "operations", "recurrent", "sequences", "tokens", "volumes", "wrapped",
  ])
  func survivesMutations(name: String) throws {
    let fixture = try ZipArchive(MappedFile(path: TestData.fixture("keras/\(name).zip")).view)
    let model = try ZipArchive(fixture.read(#require(fixture.entry("\(name).keras"))))
    let config = try JSON(parsing: model.read(#require(model.entry("config.json"))).array)
    let weights = try model.read(#require(model.entry("model.weights.h5")))
    var random = SeededRNG(seed: 8)
    var imported = 0
    for _ in 0..<60 {
      var json = config
      for _ in 0...random.next() % 3 { json = Self.mutated(json, &random) }
      var writer = ZipWriter()
      try writer.add("config.json", [ByteView(Array(json.text().utf8))])
      try writer.add("model.weights.h5", [weights])
      let bytes = ByteView(writer.finish().flatMap(\.array))
      do {
        let graph = try KerasFormat().importGraph(bytes, options: ImportOptions()).graph
        #expect(graph.validate().isEmpty)
        imported += 1
      } catch is Diagnostic {
      } catch is Diagnostics {
      } catch { Issue.record("\(error)") }
    }
    // Most changes touch what an inference does not need; a network of many operations needs all.
    #expect(imported > 0 || name == "operations")
  }
}
