import AssayBase
import AssayGraph
import AssayTensor
import Testing

@testable import AssayModels

@Suite struct BuilderTests {
  @Test func initializersHaveKerassMoments() throws {
    let fans = Initializer.Fans(input: 300, output: 100)
    let cases: [(Initializer, Double)] = [
      (.glorotUniform, 1.0 / 200), (.glorotNormal, 1.0 / 200), (.heUniform, 2.0 / 300),
      (.heNormal, 2.0 / 300), (.lecunUniform, 1.0 / 300), (.lecunNormal, 1.0 / 300),
      (.constant(0.5), 0),
    ]
    for (initializer, variance) in cases {
      var rng = SeededRNG(seed: 7)
      let values = initializer.tensor([300, 100], fans: fans, using: &rng).floats().map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let found = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(found - variance) <= 0.03 * variance + 1e-12, "\(initializer): \(found)")
      if variance > 0 { #expect(abs(mean) < 4 * (variance / 30_000).squareRoot()) }
    }
  }

  @Test func uniformStaysWithinItsLimitAndNormalWithinTwoDeviations() {
    let fans = Initializer.Fans(input: 30, output: 50)
    var rng = SeededRNG(seed: 1)
    let limit = (6.0 / 80 as Float).squareRoot()
    let uniform = Initializer.glorotUniform.tensor([4000], fans: fans, using: &rng).floats()
    #expect(uniform.allSatisfy { abs($0) <= limit })
    #expect((uniform.max() ?? 0) > 0.98 * limit)
    let normal = Initializer.truncatedNormal(0.1).tensor([4000], fans: fans, using: &rng).floats()
    #expect(normal.allSatisfy { abs($0) <= 0.2 })
  }

  @Test func layersTakeNamesOfTheirKindAndBlock() throws {
    let network = try Network.build("named") { network in
      let x = network.input("x", [8, 8, 4])
      let y = x.conv(4, 3).conv(4, 3).block("stage1") { $0.conv(4, 1).conv(4, 1, name: "project") }
      network.output(y.residual { $0.depthwiseConv(3).activation(.silu) })
    }
    #expect(
      network.layers.map(\.name) == [
        "x", "conv2d", "conv2d_1", "stage1/conv2d", "stage1/project", "depthwise_conv2d", "si_lu",
        "add",
      ]
    )
    #expect(network.graph.values.contains { $0.name == "stage1/project/kernel" })
  }

  @Test func aLayerThatDoesNotFitIsNamed() {
    let fault = #expect(throws: Diagnostic.self) {
      try Network.build("bad") { network in
        let x = network.input("x", [2, 2, 3])
        network.output(x.maxPool(5, name: "pool").dense(2))
      }
    }
    #expect(fault?.location.contains("layer 'pool'") == true, "\(String(describing: fault))")
    #expect(throws: Diagnostic.self) { try Network.build("empty") { _ in } }
  }

  @Test func seriesAreConvolvedAlongTime() throws {
    let network = try Network.build("series") { network in
      let x = network.input("x", [40, 1])
      let y = x.conv1D(3, 20, dilation: 2).conv1D(2, 4, isCausal: true)
      #expect(y.shape == [1, 40, 2])
      network.output(y.reshape([1, 40, 2]).pool1D(.average, 4).upsample(Size2D(1, 4)))
    }
    #expect(network.graph[network.graph.outputs[0]].type.shape == [1, 1, 40, 2])
    #expect(network.parameterCount == 20 * 3 + 3 + 4 * 3 * 2 + 2)
    let causal = network.graph.nodes.compactMap { $0.op as? Conv2D }.last
    #expect(causal?.padding == .explicit(top: 0, bottom: 0, left: 3, right: 0))
  }

  @Test func transposedConvolutionsUndoStrides() throws {
    let network = try Network.build("up") { network in
      let x = network.input("x", [5, 7, 3])
      network.output(x.transposeConv(2, 3, strides: 2))
      network.output(x.transposeConv(2, 3, strides: 2, padding: .valid))
    }
    let shapes = network.graph.outputs.map { network.graph[$0].type.shape }
    #expect(shapes == [[1, 10, 14, 2], [1, 11, 15, 2]])
  }
}
