import AssayBase
import AssayDevice
import AssayHost
import VendorPhone

extension PhoneBench {
  /// One input of a model with its values in a file.
  public struct GivenInput: Sendable {
    /// The model's name for it.
    public var name: String
    /// Its extents.
    public var shape: [Int]
    /// Its values as raw bytes, on this machine.
    public var file: String

    /// Makes an input.
    public init(name: String, shape: [Int], file: String) {
      self.name = name
      self.shape = shape
      self.file = file
    }
  }

  /// What came of given inputs.
  public struct Inference: Sendable {
    /// The outputs' values as raw bytes, one output after the other.
    public var outputs: [UInt8]
    /// What the tool said.
    public var run: BenchmarkModelRun
    /// Why its figures may not hold.
    public var findings: [Diagnostic]
  }

  /// Runs a model on given inputs by the tool, and brings its outputs back.
  ///
  /// - Throws: `Diagnostic` BMK020 when the tool wrote no outputs (builds of before 2023 cannot), BMK021
  ///   for names that its flags cannot hold, and what `run` throws.
  public func infer(_ job: Job, _ inputs: [GivenInput]) throws -> Inference {
    for input in inputs where input.name.contains(where: { ",;".contains($0) }) {
      throw Diagnostic(
        "BMK021",
        "benchmark_model cannot be told of an input named '\(input.name)'",
        remedy: "rename it: assay convert"
      )
    }
    let tool = try shelf.pick([.benchmarkModel], abis: session.abis)
    let processors = try job.cores.processors(of: session.facts)
    let files = try session.insist {
      try inputs.map { try session.folder.push($0.file, suffix: ".raw") }
    }
    let outputs = session.folder.newPath("outputs.raw")
    defer {
      for file in files + [outputs] { _ = try? session.insist { try session.folder.remove(file) } }
    }
    var job = job
    job.request.flags += [
      ("input_layer", inputs.map(\.name).joined(separator: ",")),
      (
        "input_layer_shape",
        inputs.map { $0.shape.map { "\($0)" }.joined(separator: ",") }.joined(separator: ":")
      ),
      (
        "input_layer_value_files",
        // A colon of a name is told from that before the path by doubling it.
        zip(inputs, files).map { "\($0.name.replacing(":", with: "::")):\($1)" }
          .joined(separator: ",")
      ),
      ("output_filepath", outputs),
    ]
    let raw = try runProgram(job, tool, processors)
    let run = try BenchmarkModelRun(parsing: raw.text)
    let findings = run.findings(job.request, end: raw.end)
    if let fault = findings.first(where: { $0.severity == .error }) { throw fault }
    let scratch = try Host.makeTemporaryFolder("assay-outputs")
    defer { try? Host.remove(scratch) }
    let file = Host.join(scratch, "outputs.raw")
    do {
      try session.insist { try session.device.pull(outputs, to: file, seconds: nil) }
    } catch let error as Diagnostic where error.code == "DEV012" {
      throw Diagnostic(
        "BMK020",
        "this benchmark_model writes no outputs",
        remedy: "use a build of 2023 or later: assay tools add FILE",
        cause: error.cause
      )
    }
    return Inference(
      outputs: try MappedFile(path: file).view.array,
      run: run,
      findings: findings
    )
  }
}
