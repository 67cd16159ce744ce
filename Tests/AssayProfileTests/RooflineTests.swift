import AssayBase
import AssayGraph
import AssayProfile
import AssayRecord
import AssayReport
import AssayTensor
import Testing

@Suite("Roofline of a network") struct RooflineTests {
  private let roofs = RooflineDrawing.Roofs(
    multiplyAdds32: 100e9,
    multiplyAdds8: 400e9,
    memoryBytes: 10e9,
    cacheBytes: 200e9,
    source: "a test"
  )

  private func point(
    _ macs: Int,
    _ bytes: Int,
    _ nanoseconds: Double,
    isInteger: Bool = false
  ) -> RooflineDrawing.Point {
    RooflineDrawing.Point(
      name: "n",
      kind: "Conv2D",
      nanoseconds: nanoseconds,
      macs: macs,
      bytes: bytes,
      isInteger: isInteger
    )
  }

  @Test("an operator is judged by the limit that it is nearest to")
  func limits() throws {
    let drawing = RooflineDrawing(title: "t", points: [], roofs: roofs)
    // 1e6 MAC in 20 us is 50 GMAC/s, half of the peak; 1000 bytes are nothing.
    let compute = try #require(drawing.judged(point(1_000_000, 1000, 20_000)))
    #expect(compute.limit == .compute && abs(compute.share - 0.5) < 1e-9)
    // The same on integers is an eighth of what those allow.
    let integer = try #require(drawing.judged(point(1_000_000, 1000, 20_000, isInteger: true)))
    #expect(integer.limit == .compute && abs(integer.share - 0.125) < 1e-9)
    // 100 kB in 20 us are 5 GB/s, half of the memory.
    let memory = try #require(drawing.judged(point(1000, 100_000, 20_000)))
    #expect(memory.limit == .memory && abs(memory.share - 0.5) < 1e-9)
    // Four times what the memory gives: the caches feed it, and could feed it five times as much.
    let cache = try #require(drawing.judged(point(0, 800_000, 20_000)))
    #expect(cache.limit == .cache && abs(cache.share - 0.2) < 1e-9)
    #expect(drawing.judged(point(0, 0, 10)) == nil && drawing.judged(point(1, 1, 0)) == nil)
  }

  @Test("the plot and the page show every operator, and names as text")
  func drawing() {
    var hostile = point(500_000, 10_000, 30_000)
    hostile.name = "<script>alert(1)</script>"
    let drawing = RooflineDrawing(
      title: "net",
      points: [point(1_000_000, 1000, 20_000), hostile, point(0, 10, 5)],
      roofs: roofs
    )
    let svg = drawing.svg
    // What multiplies nothing has no place over an intensity; the table has it.
    #expect(svg.components(of: "<circle") == 2)
    #expect(svg.components(of: "class=\"roof\"") == 4)
    #expect(!svg.contains("<script>"))
    let page = drawing.page(answer: "answer", facts: ["fact"], version: "1")
    #expect(page.components(of: "<tr><td>") == 3)
    #expect(page.contains("<h2>answer</h2>") && page.contains("<p>fact</p>"))
    #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script>"))
    #expect(abs(drawing.rate - 1_500_000 / 50_005.0 * 1e9) < 1)
  }

  private func network() throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant(
      "filter",
      Tensor([Float](repeating: 0.5, count: 36), [2, 3, 3, 2])
    )
    let a = try graph.addNode("conv", Conv2D(padding: .same), [x, filter])
    graph.outputs = try graph.addNode("tanh", Unary(.tanh), a)
    return graph
  }

  private func record() -> Record {
    var record = Record(
      id: "1",
      session: "s",
      finishedAt: 0,
      model: Record.Model(path: "m", sha256: "", byteCount: 0),
      artefact: "tflite",
      variant: "float32",
      runtime: "litert",
      version: "2",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    record.operators = .array([
      .object(["kind": "CONV_2D", "node": "conv", "ns": 3000]),
      .object(["kind": "Reorder", "node": "elsewhere", "ns": 500]),
    ])
    record.initialization.read = .value(1000)
    record.warmup = [40, 50]
    record.samples = [10, 20, 30]
    record.rounds = [2, 1]
    record.windows = [.init(begin: 7000, end: 7040), .init(begin: 9000, end: 9030)]
    return record
  }

  @Test("times are joined with what operators multiply and move; what is no operator is kept apart")
  func points() throws {
    var drawing = NetworkDrawing(try network(), title: "net")
    drawing.add(record())
    #expect(drawing.points.map(\.name) == ["conv"])
    #expect(drawing.points[0].macs == 16 * 2 * 18)
    #expect(drawing.points[0].bytes == 144 + 2 * 128)
    #expect(!drawing.points[0].isInteger)
    #expect(drawing.unplaced.map(\.node) == ["elsewhere"])
    #expect(drawing.unplaced.map(\.nanoseconds) == [500])
  }

  @Test("the timeline keeps rounds where the clock had them, and lays the rest end to end")
  func trace() throws {
    var drawing = NetworkDrawing(try network(), title: "net")
    drawing.add(record())
    let trace = chromeTrace(record(), drawing)
    let events = (trace["traceEvents"]?.array ?? []).filter { $0["ph"] == "X" }
    func event(_ name: String) -> JSON? { events.first { $0["name"]?.string == name } }
    #expect(event("read")?["dur"] == .number(1))
    #expect(event("warm-up 1")?["ts"] == .number(1.04))
    // Warm-up ends at 1090 ns; the second round began 2000 ns after the first.
    #expect(event("round 0")?["ts"] == .number(1.09))
    #expect(event("round 1")?["ts"] == .number(3.09))
    #expect(events.filter { $0["name"] == "inference 0" }.map { $0["ts"]?.double } == [1.09, 3.09])
    #expect(event("CONV_2D")?["args"]?["macs"] == JSON(16 * 2 * 18))
    #expect(event("Reorder")?["ts"] == .number(3))
    // A record with counts that do not fit its samples is drawn as far as it goes.
    var broken = record()
    broken.rounds = [100, -5]
    #expect(chromeTrace(broken)["traceEvents"]?.array?.isEmpty == false)
  }
}

extension String {
  fileprivate func components(of text: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: text) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
