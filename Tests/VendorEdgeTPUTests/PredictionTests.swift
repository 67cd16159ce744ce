import AssayBase
import AssayHost
import AssayTestSupport
import FormatTFLite
import Testing
import VendorEdgeTPU

/// Files that the maker gave out beside what its compiler made of them.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct PredictionTests {
  private static let coral = [
    "deeplabv3_mnv2_dm05_pascal_quant", "keras_lstm_mnist_ptq", "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.5_160_quant", "movenet_single_pose_lightning_ptq", "split_concat",
  ]

  private func listing(_ path: String) throws -> TFLiteListing {
    let file = try #require(TestData.sharedFile("models/" + path))
    return try TFLiteListing(reading: MappedFile(path: file).view)
  }

  private func compare(_ original: String, _ twin: String) throws -> TwinComparison {
    let listing = try listing(original)
    let file = try #require(TestData.sharedFile("models/" + twin))
    return try TwinComparison(
      EdgeTPUPrediction(listing),
      original: listing,
      twin: MappedFile(path: file).view
    )
  }

  /// Every original in the folder has its twin in the list above, or none at all.
  @Test func everyPairIsTried() throws {
    let folder = try #require(TestData.sharedFile("models/coral"))
    let twins = try Host.list(folder).filter { $0.hasSuffix("_edgetpu.tflite") }
    #expect(Set(twins) == Set(Self.coral.map { $0 + "_edgetpu.tflite" }))
  }

  @Test(arguments: coral) func agreesWithTheCompiler(name: String) throws {
    let result = try compare("coral/\(name).tflite", "coral/\(name)_edgetpu.tflite")
    #expect(result.disagreements == [], "\(name)")
    #expect(result.compiledBytes > 0)
    let deviation = try #require(result.deviation)
    #expect(abs(deviation) < 0.02, "\(name): \(result.predictedBytes), \(result.compiledBytes)")
  }

  @Test func agreesWithTheCompilerOnAnotherProjectsFile() throws {
    let folder = "tensor_edge_converter/model_full_integer"
    let result = try compare(folder + ".tflite", folder + "_edgetpu.tflite")
    #expect(result.disagreements == [])
    // Convolutions and fully connected layers come out to the byte.
    #expect(result.predictedBytes == result.compiledBytes)
  }

  /// A twin of another file does not pass for one of this.
  @Test func aStrangeTwinIsSeen() throws {
    let fault = #expect(throws: Diagnostic.self) {
      try compare(
        "coral/deeplabv3_mnv2_dm05_pascal_quant.tflite",
        "coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
      )
    }
    #expect(fault?.code == "TPU009")
  }

  @Test func eachReasonHasItsMend() throws {
    let movenet = try EdgeTPUPrediction(
      listing("coral/movenet_single_pose_lightning_ptq.tflite")
    )
    #expect(movenet.mappedCount == 98 && movenet.fates.count == 157)
    for fate in movenet.fates {
      if let reason = fate.reason {
        #expect(
          reason.mend.count > 10 && reason.summary.count > 10 && reason.code.hasPrefix("TPU1")
        )
      }
    }
    let reasons = Dictionary(grouping: movenet.fates, by: { $0.reason?.code ?? "" })
    #expect(movenet.fates[0].reason?.code == "TPU101")  // CAST
    #expect(movenet.fates[1].reason?.code == "TPU103")  // QUANTIZE of floats
    #expect(reasons["TPU106"]?.isEmpty == false)
    // The blocker is named.
    #expect(reasons["TPU106"]?.first?.reason?.summary.contains("operator 89, ARG_MAX") == true)
  }

  @Test func allPartsAreMappedOnRequest() throws {
    let listing = try listing("coral/deeplabv3_mnv2_dm05_pascal_quant.tflite")
    let one = try EdgeTPUPrediction(listing)
    let all = try EdgeTPUPrediction(listing, compilesAllParts: true)
    #expect(one.partCount == 1 && all.partCount > 1)
    #expect(all.mappedCount > one.mappedCount)
    #expect(!all.fates.contains { $0.reason?.code == "TPU106" })
  }

  @Test func olderRuntimesMapLess() throws {
    let listing = try listing("coral/keras_lstm_mnist_ptq.tflite")
    let old = try EdgeTPUPrediction(listing, runtime: 12)
    #expect(old.mappedCount < 6)
    #expect(old.fates[1].reason?.code == "TPU108")
    #expect(old.fates[1].reason?.mend.contains("14") == true)
  }

  @Test func aFloatModelIsRefused() throws {
    let prediction = try EdgeTPUPrediction(listing("mlperf_tiny/resnet8_cifar10_float.tflite"))
    #expect(prediction.refusal?.code == "TPU111")
    #expect(prediction.mappedCount == 0 && prediction.parameterBytes == 0)
    #expect(prediction.json["refusal"]?["mend"]?.string?.contains("static_int8") == true)
  }

  @Test func aCompiledFileIsNotPredictedAgain() throws {
    #expect {
      _ = try EdgeTPUPrediction(listing("coral/split_concat_edgetpu.tflite"))
    } throws: { ($0 as? Diagnostic)?.code == "TPU001" }
    #expect {
      let listing = try listing("coral/split_concat.tflite")
      let file = try #require(TestData.sharedFile("models/coral/split_concat.tflite"))
      _ = try TwinComparison(
        EdgeTPUPrediction(listing),
        original: listing,
        twin: MappedFile(path: file).view
      )
    } throws: { ($0 as? Diagnostic)?.code == "TPU002" }
  }

  /// Parameters of MobileNetV2, whose compiled file is only known by the published table: an older
  /// compiler made it, which had no matrices for a wide softmax.
  @Test func parametersOfMobileNetV2() throws {
    let prediction = try EdgeTPUPrediction(listing("coral/mobilenet_v2_1.0_224_quant.tflite"))
    #expect(prediction.mappedCount == prediction.fates.count)
    let softmax = prediction.fates.filter { $0.kind == "SOFTMAX" }.map(\.parameterBytes)
    #expect(prediction.parameterBytes - softmax.reduce(0, +) == 3_900_864)
  }

  /// Our table against the published one: the same operators for the same versions of the runtime, and
  /// a limit wherever one is told.
  @Test func theTableIsThatOfTheMaker() throws {
    let file = try #require(TestData.sharedFile("fixtures/edgetpu_supported_ops.json"))
    let json = try JSON(parsing: MappedFile(path: file).view.array)
    let rows = try #require(json["ops"]?.array)
    var published: Set<String> = []
    for row in rows {
      let kind = try #require(row["op"]?.string)
      let word = try #require(row["runtime_version"]?.string)
      let hasLimit = row["limitation"]?.string != nil
      published.insert("\(kind) \(word) \(hasLimit)")
    }
    // One limit is not told ("certain reshapes"), one holds by itself: there is no backward layer.
    let own = Set(EdgeTPUTable.rows.map { "\($0.kind) \($0.versions) \($0.limitCount > 0)" })
    let odd = published.symmetricDifference(own)
    #expect(
      odd == [
        "RESHAPE all true", "RESHAPE all false", "UNIDIRECTIONAL_SEQUENCE_LSTM >=14 true",
        "UNIDIRECTIONAL_SEQUENCE_LSTM >=14 false",
      ]
    )
  }
}
