import AssayBase
import AssayCodec
import AssayGraph
import Testing

@testable import AssayModels

@Suite struct NetworkDescriptionTests {
  @Test func yamlGoesAndComesBack() throws {
    guard YAML.probe().isAvailable else { return }
    for description in Zoo.described + (0..<20).map({ NetworkDescription.random(seed: $0) }) {
      let read = try NetworkDescription(json: try YAML.read(description.yaml))
      #expect(read == description, "\(description.name)")
    }
  }

  @Test func aNetworkOfEveryKindOfLayerIsBuilt() throws {
    let json = try JSON(
      parsing: """
        {"name": "all", "input": [32, 48, 1], "classes": 5, "layers": [
          {"conv": 8, "kernel": 5, "strides": 2}, {"pool": 2},
          {"repeat": 2, "layers": [{"fire": 4, "expand": 6}, {"conv": 12}]},
          {"average": 4, "strides": 4}, {"dense": 20}]}
        """
    )
    let outline = try NetworkDescription(json: json).entry().outline()
    let first = 25 * 8 + 8
    func fire(_ input: Int) -> Int { input * 4 + 4 + 4 * 6 + 6 + 4 * 6 * 9 + 6 }
    let conv = 12 * 9 * 12 + 12
    // 8 x 12 places after the first pooling, 2 x 3 after the second.
    let dense = 2 * 3 * 12 * 20 + 20 + 20 * 5 + 5
    #expect(outline.parameterCount == first + fire(8) + conv + fire(12) + conv + dense)
  }

  @Test func faultsAreToldTogether() throws {
    let json = try JSON(
      parsing: """
        {"name": "", "input": [1, 2], "kinds": 3, "layers": [
          {"conv": 0}, {"blur": 3}, {"repeat": 5000, "layers": [{"dense": 3}]},
          {"pool": 3, "stride": 2}, {"repeat": 2}]}
        """
    )
    let faults = #expect(throws: Diagnostics.self) { try NetworkDescription(json: json) }
    let text = faults?.description ?? ""
    for part in [
      "'name' is a text", "rows, columns and channels", "'kinds' is no field", "'conv' is a whole",
      "a layer is one of", "'repeat' is at most 1000", "did you mean 'strides'?",
      "at least one layer",
    ] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test func hugeNetworksAreRefusedBeforeTheyAreMade() throws {
    var layer = JSON.object(["dense": 1])
    for _ in 0..<7 { layer = .object(["repeat": 1000, "layers": .array([layer])]) }
    let json = JSON.object(["name": "huge", "layers": .array([layer])])
    #expect(throws: (any Error).self) { try NetworkDescription(json: json) }
  }

  @Test func theSameSeedDescribesTheSameNetwork() throws {
    #expect(NetworkDescription.random(seed: 8) == NetworkDescription.random(seed: 8))
    let all = Set((0..<50).map { NetworkDescription.random(seed: $0).yaml })
    #expect(all.count > 45)
    for seed in 0..<UInt64(30) {
      var options = ZooOptions()
      options.seed = seed
      _ = try Zoo.entry(named: "random_alexnet").outline(options)
    }
  }
}
