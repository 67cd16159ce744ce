import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Networks of well-known shapes with random weights.
struct NetworkBuilder {
  var graph: Graph
  var rng = SeededRNG(seed: 1)
  private var count = 0

  init(_ name: String) { graph = Graph(name: name) }

  func channels(_ x: ValueID) -> Int { graph[x].type.shape[3] }

  mutating func conv(
    _ x: ValueID,
    _ outputs: Int,
    _ window: Int,
    stride: Int = 1,
    _ activation: Activation = .none
  ) throws -> ValueID {
    count += 1
    let inputs = channels(x)
    let scale = 1.7 / Float(inputs * window * window).squareRoot()
    let filter = graph.addConstant(
      "w\(count)",
      rng.tensor([outputs, window, window, inputs], scale: scale)
    )
    let bias = graph.addConstant("b\(count)", rng.tensor([outputs], scale: 0.1))
    let op = Conv2D(strides: Size2D(stride, stride), padding: .same, activation: activation)
    return try graph.addNode("conv\(count)", op, [x, filter, bias])[0]
  }

  mutating func depthwise(_ x: ValueID, stride: Int, _ activation: Activation) throws -> ValueID {
    count += 1
    let filter = graph.addConstant("w\(count)", rng.tensor([1, 3, 3, channels(x)], scale: 0.5))
    let bias = graph.addConstant("b\(count)", rng.tensor([channels(x)], scale: 0.1))
    let op = DepthwiseConv2D(
      strides: Size2D(stride, stride),
      padding: .same,
      activation: activation
    )
    return try graph.addNode("depthwise\(count)", op, [x, filter, bias])[0]
  }

  mutating func add(_ a: ValueID, _ b: ValueID, _ activation: Activation = .none) throws -> ValueID
  {
    count += 1
    return try graph.addNode("add\(count)", Binary(.add, activation: activation), [a, b])[0]
  }

  mutating func classify(_ x: ValueID, _ classes: Int) throws {
    let features = channels(x)
    let mean = try graph.addNode("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), [x])[0]
    let weights = graph.addConstant("w", rng.tensor([classes, features], scale: 0.03))
    let logits = try graph.addNode("dense", FullyConnected(), [mean, weights])
    graph.outputs = try graph.addNode("softmax", Softmax(), logits)
  }

  static func mobileNetV2() throws -> Graph {
    var net = NetworkBuilder("MobileNetV2")
    let image = net.graph.addInput("image", TensorType(.float32, [1, 224, 224, 3]))
    var x = try net.conv(image, 32, 3, stride: 2, .relu6)
    let blocks = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
      (6, 320, 1, 1),
    ]
    for (expansion, outputs, repeats, stride) in blocks {
      for index in 0..<repeats {
        let start = x
        if expansion > 1 { x = try net.conv(x, net.channels(x) * expansion, 1, .relu6) }
        x = try net.depthwise(x, stride: index == 0 ? stride : 1, .relu6)
        x = try net.conv(x, outputs, 1)
        if index > 0 { x = try net.add(start, x) }
      }
    }
    x = try net.conv(x, 1280, 1, .relu6)
    try net.classify(x, 1000)
    return net.graph
  }

  static func resNet50() throws -> Graph {
    var net = NetworkBuilder("ResNet50")
    let image = net.graph.addInput("image", TensorType(.float32, [1, 224, 224, 3]))
    var x = try net.conv(image, 64, 7, stride: 2, .relu)
    x = try net.graph.addNode(
      "pool",
      Pool2D(.max, window: Size2D(3, 3), strides: Size2D(2, 2), padding: .same),
      [x]
    )[0]
    for (width, repeats, stride) in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)] {
      for index in 0..<repeats {
        let step = index == 0 ? stride : 1
        let shortcut = index == 0 ? try net.conv(x, width * 4, 1, stride: step) : x
        x = try net.conv(x, width, 1, stride: step, .relu)
        x = try net.conv(x, width, 3, .relu)
        x = try net.conv(x, width * 4, 1)
        x = try net.add(shortcut, x, .relu)
      }
    }
    try net.classify(x, 1000)
    return net.graph
  }
}

/// Speed, printed and never asserted: `ASSAY_BENCH=1 swift test --filter EvaluatorBench`.
@Suite(.enabled(if: unsafe getenv("ASSAY_BENCH") != nil, "set ASSAY_BENCH to measure"), .serialized)
struct EvaluatorBench {
  @Test(arguments: ["MobileNetV2", "ResNet50"], [1, 2])
  func forward(network: String, threads: Int) throws {
    let graph =
      network == "ResNet50" ? try NetworkBuilder.resNet50() : try NetworkBuilder.mobileNetV2()
    let operations = 2 * Double(graph.cost.macs)
    var rng = SeededRNG(seed: 2)
    let inputs = ["image": rng.tensor([1, 224, 224, 3])]
    for kernels in Kernels.all where kernels.name != "portable" {
      let evaluator = try Evaluator(graph, threads: threads, kernels: kernels)
      // Processor time over threads: other programs on the machine do not count.
      func seconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
          var time = timespec()
          _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
          return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        let start = now()
        try body()
        return (now() - start) / Double(threads)
      }
      _ = try evaluator.run(inputs)
      let plain = try (0..<15).map { _ in try seconds { _ = try evaluator.run(inputs) } }.sorted()[
        7
      ]
      let observed = try (0..<15).map { _ in
        try seconds { try evaluator.observe(inputs) { _, buffer in _ = kernels.range(buffer) } }
      }.sorted()[7]
      print(
        "\(network) \(kernels.name) threads \(threads): \(plain * 1e3) ms,",
        "\(operations / plain * 1e-9) GFLOP/s; with ranges \(observed * 1e3) ms"
      )
    }
  }

  @Test func byNode() throws {
    let graph = try NetworkBuilder.mobileNetV2()
    var rng = SeededRNG(seed: 2)
    let inputs = ["image": rng.tensor([1, 224, 224, 3])]
    let evaluator = try Evaluator(graph)
    let clock = ContinuousClock()
    var best = [Double](repeating: .infinity, count: graph.values.count)
    for _ in 0..<10 {
      var last = clock.now
      try evaluator.observe(inputs) { id, _ in
        let now = clock.now
        let (whole, atto) = (now - last).components
        best[id.index] = min(best[id.index], Double(whole) + Double(atto) * 1e-18)
        last = now
      }
    }
    for node in graph.nodes {
      let cost = node.op.cost(
        inputs: node.inputs.map { $0.map { graph[$0].type } },
        outputs: node.outputs.map { graph[$0].type }
      )
      let time = best[node.outputs[0].index]
      print(
        node.name,
        graph[node.outputs[0]].type,
        time * 1e6,
        "us",
        2e-9 * Double(cost.macs) / time,
        "GFLOP/s"
      )
    }
  }
}
