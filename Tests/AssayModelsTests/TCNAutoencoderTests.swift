import AssayBase
import AssayGraph
import AssayTensor
import Testing

@testable import AssayModels

struct TCNAutoencoderTests {
  @Test("the published network has its parameters, its cost and about forty operators")
  func published() throws {
    let network = try TCNAutoencoder().network(length: 1050)
    #expect(network.graph.validate() == [])
    #expect(network.parameterCount == 148_409)
    #expect(network.graph.cost.macs == 155_358_000)
    #expect(network.graph[network.graph.inputs[0]].type.shape == [1, 1050, 1])
    #expect(network.graph[network.graph.outputs[0]].type.shape == [1, 1050, 1])
    let convolutions = network.graph.nodes.compactMap { $0.op as? Conv2D }
    #expect(convolutions.count == 24)
    #expect(Set(convolutions.map(\.dilations.width)) == [1, 2, 4, 8, 16])
  }

  @Test("it is made of operators that an Edge TPU has, dilated alike on both axes")
  func devices() throws {
    let graph = try TCNAutoencoder().network(length: 1050).graph
    // TFLite's names: CONV_2D, ADD, AVERAGE_POOL_2D, RESHAPE, RESIZE_NEAREST_NEIGHBOR; activations are
    // fused into what is before them.
    let names = Set(graph.nodes.map(\.op.name))
    #expect(
      names == ["Conv2D", "Add", "AveragePool2D", "Reshape", "ResizeNearest", "ReLU"],
      "\(names)"
    )
    for case let op as Conv2D in graph.nodes.map(\.op) {
      #expect(op.dilations.width == op.dilations.height)
    }
    let longest = graph.values.map { $0.type.shape.dims.filter { $0 > 1 }.count }.max() ?? 0
    #expect(longest <= 3)
  }

  @Test("hyper-parameters shape it")
  func parameters() throws {
    var model = TCNAutoencoder()
    (model.channels, model.dilations, model.stacks) = (3, [1, 2], 2)
    (model.filters, model.kernel, model.latentRate) = (6, 5, 10)
    (model.pooling, model.isCausal, model.dropout, model.bottleneck) = (.max, true, 0.1, 2)
    let network = try model.network(length: 105, seed: 4)
    #expect(network.graph[network.graph.outputs[0]].type.shape == [1, 100, 3])
    #expect(network.dropouts.count == 16)
    let causal = network.graph.nodes.compactMap { $0.op as? Conv2D }.contains {
      $0.padding == .explicit(top: 0, bottom: 0, left: 8, right: 0)
    }
    #expect(causal)
  }

  @Test("what makes no network is refused")
  func refusals() {
    func code(_ change: (inout TCNAutoencoder) -> Void, length: Int = 1050) -> String? {
      var model = TCNAutoencoder()
      change(&model)
      do {
        _ = try model.network(length: length)
        return nil
      } catch { return (error as? Diagnostic)?.code }
    }
    #expect(code { $0.dilations = [] } == "MDL010")
    #expect(code { $0.kernel = 0 } == "MDL010")
    #expect(code { $0.dropout = 1 } == "MDL010")
    #expect(code({ _ in }, length: 41) == "MDL011")
    #expect(code { _ in } == nil)
  }
}
