import AssayBase
import AssayCodec
import AssayGraph
import AssayModels
import AssayReference
import AssayTensor
import AssayTestSupport
import AssayWeights
import Testing

/// One network's weights as Keras, TensorFlow, PyTorch and safetensors keep them:
/// `Tests/Goldens/make_weight_files.py`.
@Suite struct WeightFileTests {
  private static func small(_ name: String = "Small", isNamed: Bool = true) throws -> Network {
    func named(_ name: String) -> String? { isNamed ? name : nil }
    return try Network.build(name, seed: 9) { network in
      let picture = network.input("image", [8, 8, 3])
      let features = picture.conv(4, 3, padding: .valid, name: named("stem"))
        .batchNorm(name: named("stem_bn")).activation(.relu)
        .depthwiseConv(3, multiplier: 2, padding: .valid, name: named("spread"))
        .transposeConv(3, 2, strides: 2, padding: .valid, name: named("grow"))
        .conv(6, 3, strides: 2, padding: .valid, usesBias: false, name: named("mix"))
        .batchNorm(usesScale: false, name: named("mix_bn"))
      network.output(features.flatten().dense(5, name: named("top")))
    }
  }

  private static func file(_ name: String) throws -> WeightFile {
    try WeightFile(path: TestData.fixture("weights/" + name))
  }

  /// The greatest difference of the network's output from Keras's.
  private static func difference(_ network: Network, golden: String = "golden") throws -> Float {
    let arrays = Dictionary(
      try NPZ.read(MappedFile(path: TestData.fixture("weights/\(golden).npz")).view)
        .map { ($0.name, $0.tensor) },
      uniquingKeysWith: { first, _ in first }
    )
    let (x, y) = (try #require(arrays["x"]), try #require(arrays["y"]))
    let made = try ReferenceEvaluator(network.graph).run(["image": x])[0].tensor.floats()
    try #require(made.count == y.count)
    return zip(made, y.floats()).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test(
    arguments: [
      ("named.weights.h5", 0), ("named.keras", 0), ("legacy.h5", 0), ("slim.index", 0), ("slim", 0),
      ("state.pt", 1), ("wrapped.pth", 1), ("small.safetensors", 1),
    ]
  )
  func outputsAreTheFrameworks(name: String, unexpected: Int) throws {
    let network = try Self.small()
    let match = try WeightMatch(network, Self.file(name))
    #expect(match.isWhole && !match.isByOrder, "\(match.findings(allowsMissing: false))")
    #expect(match.tensors.count == 16)
    // PyTorch's normalizations always have a scale; all of it is 1 where Keras has none.
    #expect(match.unexpected.count == unexpected, "\(match.unexpected)")
    #expect(try Self.difference(network) > 0.1)
    #expect(try Self.difference(network.with(match)) < 1e-4)
  }

  /// Keras's EfficientNets normalize pictures by numbers of their files, which are not those of their code.
  @Test(arguments: ["statistics.weights.h5", "statistics.h5"], [true, false])
  func statisticsOfPicturesAreTheFiles(name: String, isLearned: Bool) throws {
    let network = try Network.build("Normalized") { network in
      let picture = network.input("image", [4, 4, 3])
        .normalize(
          mean: [0, 0, 0],
          variance: [1, 1, 1],
          isLearned: isLearned,
          name: "normalization"
        )
      network.output(picture.conv(2, 3, padding: .valid, name: "stem"))
    }
    let match = try WeightMatch(network, Self.file(name))
    #expect(match.isWhole && match.unexpected.isEmpty, "\(match.unexpected)")
    #expect(match.tensors["normalization/mean"]?.floats() == [0.1, -0.7, 2.5])
    #expect(match.tensors["normalization/variance"]?.floats() == [0.3, 1.7, 4.1])
    #expect(try Self.difference(network.with(match), golden: "statistics") < 1e-5)
  }

  @Test func halvesAndWholeModulesAreRead() throws {
    let network = try Self.small()
    for (name, license) in [
      ("half.safetensors", "CC0-1.0"), ("module.pt", "AGPL-3.0 (https://ultralytics.com/license)"),
    ] {
      let file = try Self.file(name)
      #expect(file.license == license)
      let match = try WeightMatch(network, file)
      #expect(match.isWhole, "\(name): \(match.findings(allowsMissing: false))")
      // Half precision: 11 bits of each weight.
      #expect(try Self.difference(network.with(match)) < 0.05, "\(name)")
    }
  }

  @Test func layersThatKerasNamedAreFoundByTheirOrder() throws {
    let network = try Self.small(isNamed: false)
    let match = try WeightMatch(network, Self.file("numbered.h5"))
    #expect(match.isWhole && !match.isByOrder, "\(match.findings(allowsMissing: false))")
    #expect(try Self.difference(network.with(match)) < 1e-4)
  }

  @Test func layersWithoutNamesAreFoundByOrderAndThatIsSaid() throws {
    let network = try Self.small()
    let match = try WeightMatch(network, Self.file("nameless.weights.h5"))
    #expect(match.isWhole && match.isByOrder, "\(match.findings(allowsMissing: false))")
    #expect(match.findings(allowsMissing: false).map(\.code) == ["WGT015"])
    #expect(try Self.difference(network.with(match)) < 1e-4)
  }

  @Test func whatTheFileDoesNotHaveIsListed() throws {
    let match = try WeightMatch(Self.small(), Self.file("notop.h5"))
    #expect(match.missing == ["top/kernel", "top/bias"] && !match.isWhole)
    let finding = try #require(match.findings(allowsMissing: false).first)
    #expect(finding.code == "WGT012" && finding.severity == .error)
    #expect(finding.summary.contains("top/kernel"))
    #expect(match.findings(allowsMissing: true).map(\.severity) == [.warning])
  }

  @Test func whatTheNetworkDoesNotHaveIsListed() throws {
    let part = try Network.build("Small") { network in
      let picture = network.input("image", [8, 8, 3])
      network.output(picture.conv(4, 3, padding: .valid, name: "stem"))
    }
    let match = try WeightMatch(part, Self.file("legacy.h5"))
    #expect(match.isWhole && match.unexpected.count == 14)
    #expect(match.findings(allowsMissing: false).map(\.code) == ["WGT013"])
  }

  @Test func otherExtentsAreListed() throws {
    let wide = try Network.build("Small") { network in
      let picture = network.input("image", [8, 8, 3])
      network.output(picture.conv(5, 3, padding: .valid, name: "stem"))
    }
    for name in ["legacy.h5", "state.pt", "slim.index"] {
      let match = try WeightMatch(wide, Self.file(name))
      #expect(match.misfits.map(\.name) == ["stem/kernel", "stem/bias"], "\(name)")
      #expect(match.misfits[0].wanted == [5, 3, 3, 3])
      #expect(match.findings(allowsMissing: true).map(\.code).contains("WGT010"))
    }
  }

  @Test func nothingInCommonIsOneFault() throws {
    let other = try Network.build("Other") { network in
      network.output(network.input("x", [4]).dense(2, name: "somewhere_else"))
    }
    let match = try WeightMatch(other, Self.file("state.pt"))
    #expect(match.tensors.isEmpty)
    #expect(match.findings(allowsMissing: true).map(\.code) == ["WGT010"])
  }

  @Test func oldFormatsAreRefusedByName() throws {
    let error = #expect(throws: Diagnostic.self) { try Self.file("old.pth") }
    #expect(error?.code == "PYT010" && error?.summary.contains("1.6") == true)
    var tar = [UInt8](repeating: 0, count: 512)
    tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
    let older = #expect(throws: Diagnostic.self) { try WeightFile(ByteView(tar)) }
    #expect(older?.code == "PYT010" && older?.summary.contains("tar") == true)
    let unknown = #expect(throws: Diagnostic.self) { try WeightFile(ByteView(Array("what".utf8))) }
    #expect(unknown?.code == "WGT001")
  }

  /// Weights of an outline: no elements are drawn that would be replaced.
  @Test func numbersThatAreNoneAreFound() throws {
    let network = try Network.build("One") { network in
      network.output(network.input("x", [2]).dense(1, usesBias: false, name: "top"))
    }
    let header =
      #"{"top.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#
    let bytes = SafeTensorsTests.file(header, [0, 0, 128, 63, 0, 0, 192, 127])
    let match = try WeightMatch(network, WeightFile(ByteView(bytes)))
    #expect(match.isWhole && match.broken == ["top.weight"])
    #expect(match.findings(allowsMissing: false).map(\.code) == ["WGT014"])
  }
}
