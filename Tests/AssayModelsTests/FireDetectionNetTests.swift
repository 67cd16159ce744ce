import AssayGraph
import AssayTensor
import Testing

@testable import AssayModels

@Suite struct FireDetectionNetTests {
  @Test func layersHaveTheirPublishedParameterCounts() throws {
    let network = try Network.fireDetectionNet()
    let counts = network.layers.map(\.parameterCount).filter { $0 > 0 }
    #expect(
      counts == [211, 64, 688, 128, 2400, 256, 4736, 256, 2_097_280, 512, 16_512, 512, 258]
    )
    #expect(network.parameterCount == 2_123_813)
    #expect(network.trainableCount == 2_122_949)
    // Nothing hides in the graph that the layers do not count.
    #expect(network.graph.parameterCount == 2_123_813)
  }

  @Test func layersStandInTheirPublishedOrder() throws {
    let network = try Network.fireDetectionNet()
    let block = ["SeparableConv2D", "ReLU", "BatchNormalization"]
    let dense = ["Dense", "ReLU", "BatchNormalization"]
    let kinds =
      ["Input"] + block + ["MaxPooling2D"] + block + ["MaxPooling2D"] + block + block
      + ["MaxPooling2D", "Reshape"] + dense + dense + ["Dense", "Softmax"]
    #expect(network.layers.map(\.kind) == kinds)
    #expect(network.layers.first { $0.name == "flatten" }?.output == [1, 16_384])
    #expect(Array(network.dropouts.values) == [0.5, 0.5])
    #expect(Set(network.dropouts.keys) == ["batch_normalization_4", "batch_normalization_5"])
    #expect(network.graph.nodes.allSatisfy { OperatorTable.rows.map(\.name).contains($0.op.name) })
  }

  @Test func weightsFollowTheSeedAndTheName() throws {
    func weights(_ network: Network) -> [String: [Float]] {
      let constants = network.graph.values.filter {
        $0.constant != nil && $0.type.shape.count < 5000
      }
      return Dictionary(
        uniqueKeysWithValues: constants.map { ($0.name, $0.constant?.floats() ?? []) }
      )
    }
    let first = try weights(Network.fireDetectionNet(side: 32, seed: 3))
    let again = try weights(Network.fireDetectionNet(side: 32, seed: 3))
    let other = try weights(Network.fireDetectionNet(side: 32, seed: 4))
    let larger = try weights(Network.fireDetectionNet(side: 64, seed: 3))
    #expect(first == again)
    let kernel = "separable_conv2d_1/pointwise_kernel"
    #expect(first[kernel] != other[kernel])
    #expect(first[kernel] == larger[kernel])
    #expect(first["dense_2/bias"]?.allSatisfy { $0 == 0 } == true)
  }
}
