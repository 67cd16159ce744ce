import AssayBase
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayKernels
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayModels

@Suite struct ZooTests {
  /// What the frameworks say (Tests/Goldens/make_zoo_goldens.py).
  private static func goldens() throws -> [(key: String, value: JSON)] {
    let path = TestData.package + "/Tests/Goldens/zoo.json"
    return try JSON(parsing: try MappedFile(path: path).view.utf8 ?? "").pairs ?? []
  }

  /// `NAME --no-top --size 160x192` as an entry and options.
  private static func parsed(_ key: String) throws -> (ZooEntry, ZooOptions) {
    let words = key.split(separator: " ").map { String($0) }
    var options = ZooOptions()
    for (index, word) in words.enumerated() {
      switch word {
      case "--no-top": options.includesTop = false
      case "--classes": options.classes = Int(words[index + 1])
      case "--size":
        let sides = words[index + 1].split(separator: "x").compactMap { Int($0) }
        options.size = Size2D(sides[0], sides[1])
      default: break
      }
    }
    return (try Zoo.entry(named: words[0]), options)
  }

  @Test func everyNetworkCountsAsItsFrameworkCounts() throws {
    let goldens = try Self.goldens()
    #expect(goldens.count > 50)
    for (key, golden) in goldens {
      let (entry, options) = try Self.parsed(key)
      let outline = try entry.outline(options)
      let graph = outline.graph
      if let wanted = golden["parameters"]?.int {
        #expect(outline.parameterCount == wanted, "\(key)")
      }
      if let wanted = golden["trainable"]?.int {
        #expect(outline.trainableCount == wanted, "\(key)")
      }
      if let wanted = golden["macs"]?.int { #expect(outline.cost.macs == wanted, "\(key)") }
      if let wanted = golden["layers"]?.string { #expect(digest(outline) == wanted, "\(key)") }
      if let wanted = golden["folded"]?.double {
        let extra = outline.layers.filter { $0.kind == "BatchNormalization" }.reduce(0) {
          $0 + $1.parameterCount - $1.output[-1]
        }
        let millions = Double(outline.parameterCount - extra) / 1e6
        #expect(abs(millions - wanted) < 0.0006, "\(key): \(millions)")
      }
      for (field, ids) in [("inputs", graph.inputs), ("outputs", graph.outputs)] {
        guard let shapes = golden[field]?.array else { continue }
        for (shape, id) in zip(shapes, ids) {
          let wanted = (shape.array ?? []).compactMap(\.int)
          #expect(Array(graph[id].type.shape.dims.dropFirst()) == wanted, "\(key) \(field)")
        }
      }
    }
  }

  /// The layers with weights, by name and count.
  private func digest(_ network: Network) -> String {
    var counts: [String: Int] = [:]
    for layer in network.layers where layer.parameterCount > 0 {
      counts[String(layer.name.map { $0 == "/" ? "." : $0 }), default: 0] += layer.parameterCount
    }
    let lines = counts.map { "\($0) \($1)\n" }.sorted()
    return sha256(lines.joined())
  }

  @Test func namesAreUniqueAndFoundInAnyCase() throws {
    #expect(Set(Zoo.entries.map(\.name)).count == Zoo.entries.count)
    #expect(try Zoo.entry(named: "mobilenet-v2").name == "MobileNetV2")
    #expect(try Zoo.entry(named: "YOLOv8n_seg").name == "yolov8n-seg")
    let fault = #expect(throws: Diagnostic.self) { try Zoo.entry(named: "MobilNetV2") }
    #expect(fault?.remedy == "did you mean 'MobileNetV2'?")
  }

  @Test func optionsThatANetworkHasNotAreRefused() throws {
    let resNet = try Zoo.entry(named: "ResNet50")
    var options = ZooOptions()
    options.alpha = 0.5
    #expect(throws: Diagnostic.self) { try resNet.outline(options) }
    options.alpha = nil
    options.includesTop = false
    #expect(try resNet.outline(options).parameterCount == 23_587_712)
    options.classes = 3
    #expect(throws: Diagnostic.self) { try resNet.outline(options) }
    options = ZooOptions()
    options.size = Size2D(8, 8)
    #expect(throws: Diagnostic.self) { try Zoo.entry(named: "InceptionV3").outline(options) }
  }

  /// Small ones of most kinds of layers.
  static let small: [(name: String, side: Int?)] = [
    ("MobileNet_0.25", 64), ("MobileNetV3Small", 64), ("yolov8n-seg", 64),
    ("EfficientNetV2B0", 64), ("resnet8_cifar10", nil), ("kws_dscnn", nil),
    ("ad_toycar", nil), ("bert-tiny", 16), ("alexnet_v2", 224),
    ("squeezenet1_1", 64), ("vit_tiny_patch16_224", 64),
  ]

  @Test(arguments: small)
  func numbersStayAlive(_ name: String, _ side: Int?) throws {
    let entry = try Zoo.entry(named: name)
    var options = ZooOptions()
    if let side { options.size = Size2D(side, side) }
    let network = try entry.network(options)
    #expect(network.graph.validate().isEmpty)
    #expect(network.graph.parameterCount >= network.parameterCount)
    let evaluator = try Evaluator(network.graph)
    // Another sample than the one that the weights were fitted to.
    let inputs = entry.syntheticInputs(of: network, seed: 99)
    var sizes: [String: Double] = [:]
    try evaluator.observe(inputs) { id, buffer in
      var sum = 0.0
      for index in 0..<buffer.count { sum += Double(buffer[index]) * Double(buffer[index]) }
      sizes[network.graph[id].name] = (sum / Double(max(buffer.count, 1))).squareRoot()
    }
    for node in network.graph.nodes where node.op is BatchNorm && !node.name.contains("normaliz") {
      let size = sizes[node.name] ?? 0
      #expect(size > 0.05 && size < 8, "\(node.name): \(size)")
    }
    for id in network.graph.outputs {
      let size = sizes[network.graph[id].name] ?? 0
      #expect(size > 1e-4 && size.isFinite, "\(network.graph.outputName(id)): \(size)")
    }
  }

  /// A deep network that was fitted to one sample alone gives another one numbers of the same size.
  @Test(arguments: [("EfficientNetB3", 96), ("EfficientNetV2S", 96), ("inception_v4", 107)])
  func oneSampleSettlesDeepNetworks(_ name: String, _ side: Int) throws {
    let entry = try Zoo.entry(named: name)
    var options = ZooOptions()
    options.size = Size2D(side, side)
    func spread(center: Float) throws -> Float {
      var network = try entry.built(options, .lively)
      try network.settle(
        on: entry.syntheticInputs(of: network, seed: 0),
        center: center,
        threads: 2
      )
      let last = try #require(network.graph.nodes.last { $0.op is FullyConnected }).outputs[0]
      var size: Float = 0
      let evaluator = try Evaluator(network.graph, threads: 2)
      try evaluator.observe(entry.syntheticInputs(of: network, seed: 99)) { id, buffer in
        guard id == last else { return }
        for index in 0..<buffer.count { size += buffer[index] * buffer[index] }
        size = (size / Float(buffer.count)).squareRoot()
      }
      return size
    }
    let size = try spread(center: entry.center)
    #expect(size > 1 && size < 4, "\(size)")
    let plain = try spread(center: 0)
    #expect(plain > 10 * size, "\(plain)")
  }

  @Test func weightsFollowTheSeedAndNothingElse() throws {
    let entry = try Zoo.entry(named: "resnet8_cifar10")
    func weights(_ seed: UInt64, threads: Int = 1) throws -> [[Float]] {
      var options = ZooOptions()
      options.seed = seed
      return try entry.network(options, threads: threads).graph.values.compactMap {
        $0.constant?.floats()
      }
    }
    #expect(try weights(3) == weights(3, threads: 2))
    #expect(try weights(3) != weights(4))
  }

  @Test func drawnWeightsAreNearlyNormal() {
    var rng = SeededRNG(seed: 5)
    let values = WeightSource.normal([40_000], deviation: 0.5, &rng).floats().map { Double($0) }
    let mean = values.reduce(0, +) / 40_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
    #expect(abs(mean) < 0.01)
    #expect(abs(variance - 0.25) < 0.006)
    let far = values.filter { abs($0) > 1 }.count
    #expect((1500...2100).contains(far), "\(far) of 40000 beyond two deviations")
  }

  @Test func residualBlocksAddLittleToTheirTrunk() throws {
    let network = try Zoo.entry(named: "resnet8_cifar10").network()
    let gammas = network.graph.nodes.compactMap { node -> Float? in
      guard node.op is BatchNorm, let id = node.inputs[1] else { return nil }
      let values = network.graph[id].constant?.floats() ?? []
      return values.reduce(0, +) / Float(max(values.count, 1))
    }
    // Of seven normalizations the three at the blocks' ends are made small.
    #expect(gammas.filter { $0 < 0.4 }.count == 3)
    #expect(gammas.filter { $0 > 0.7 }.count == 4)
  }
}
