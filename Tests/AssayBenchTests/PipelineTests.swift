import AssayBase
import AssayHost
import AssayRecord
import AssayRuntime
import AssayTensor
import Testing

@testable import AssayBench

/// A session that takes a picture of 2 x 2 pixels and gives three scores.
private final class PictureSession: Session {
  let inputs = [Port(name: "image", type: TensorType(.float32, [1, 2, 2, 3]))]
  let outputs = [Port(name: "scores", type: TensorType(.float32, [1, 3]))]
  var placement: Placement { Placement(provider: "test") }
  var readNanoseconds: UInt64 { 0 }
  var compileNanoseconds: UInt64 { 0 }
  var failureText: String { "" }
  private(set) var fed: [[Float]] = []
  private(set) var runs = 0

  func write(_ bytes: ByteView, toInput index: Int) throws {
    fed.append(try Tensor(inputs[0].type, bytes: bytes).floats())
  }
  func run() throws(RunFailure) {
    runs += 1
    Host.sleep(nanoseconds: 2_000_000)
  }
  func readOutput(_ index: Int) throws -> ByteView {
    Tensor([Float]([0.1, 0.7, 0.2]), [1, 3]).bytes
  }
}

@Suite("The way of a picture") struct PipelineTests {
  /// A picture of four pixels, as a plain PPM file.
  private func picture(_ folder: String) throws -> String {
    let path = Host.join(folder, "four.ppm")
    let pixels: [UInt8] = [0, 51, 102, 153, 204, 255, 0, 51, 102, 153, 204, 255]
    try AtomicFile.write([ByteView(Array("P6\n2 2\n255\n".utf8) + pixels)], to: path)
    return path
  }

  @Test("each step of each run is timed apart, the first run is not counted")
  func steps() throws {
    let folder = try Host.makeTemporaryFolder("assay-pipeline")
    defer { try? Host.remove(folder) }
    let session = PictureSession()
    let pipeline = try Record.Phases.Pipeline(
      session,
      inputs: session.inputs,
      outputs: session.outputs,
      image: picture(folder),
      preprocessing: "scale=1/255",
      runs: 3
    )
    #expect(session.runs == 4 && session.fed.count == 4)
    #expect(session.fed[0].prefix(3).map { ($0 * 5).rounded() } == [0, 1, 2])
    #expect(pipeline.preprocess.count == 3 && pipeline.feed.count == 3)
    #expect(pipeline.postprocess.count == 3 && pipeline.endToEnd.count == 3)
    // The session sleeps two milliseconds; that time is inference and nothing else.
    #expect(pipeline.inference.allSatisfy { $0 >= 2_000_000 })
    #expect(zip(pipeline.endToEnd, pipeline.inference).allSatisfy { $0 > $1 })
    #expect(Record.Phases.Pipeline(json: pipeline.json) == pipeline)
  }

  @Test("a picture that is none, and a preprocessing that is none, are diagnostics")
  func faults() throws {
    let folder = try Host.makeTemporaryFolder("assay-pipeline")
    defer { try? Host.remove(folder) }
    let session = PictureSession()
    func run(_ image: String, _ preprocessing: String) throws {
      _ = try Record.Phases.Pipeline(
        session,
        inputs: session.inputs,
        outputs: session.outputs,
        image: image,
        preprocessing: preprocessing,
        runs: 1
      )
    }
    let broken = Host.join(folder, "broken.ppm")
    try AtomicFile.write("P6\n2 2\n255\nx", to: broken)
    #expect(throws: (any Error).self) { try run(broken, "") }
    let whole = try picture(folder)
    #expect(throws: (any Error).self) { try run(whole, "nonsense=1") }
    #expect(throws: (any Error).self) { try run(Host.join(folder, "none.ppm"), "") }
  }

  @Test("steps of different counts are no pipeline")
  func reading() {
    let json = JSON.object([
      "preprocessing": "", "preprocess": [1], "feed": [1, 2], "inference": [1],
      "postprocess": [1],
    ])
    #expect(Record.Phases.Pipeline(json: json) == nil)
    #expect(Record.Phases.Pipeline(json: .emptyObject) == nil)
  }
}
