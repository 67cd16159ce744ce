import AssayBase
import AssayCatalog
import AssayData
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayQuantize
import AssayReport
import AssayRewrite
import AssayTensor
import AssayVerify

/// What `convert` shows of the file that it wrote: that it computes what the model computes.
///
/// The written file is read again, so that the certificate is one of the file and not of a graph in
/// memory. By default one input goes through both networks and the outputs are compared; with
/// `--certificate` every operator is looked at, on adversarial inputs too.
struct ConversionCheck {
  static let options = [
    Option("--no-verify", .flag, "do not compare the written file with the model"),
    Option(
      "--certificate",
      .value("FILE"),
      "compare every operator, and keep that (.json or .html)"
    ),
  ]

  private let arguments: Arguments
  private let original: Graph
  private let output: String
  private let limits: Certificate.Limits

  /// Reads the model again: a conversion lets go of it as it goes on.
  private init(_ arguments: Arguments, output: String, _ scheme: Scheme) throws {
    self.arguments = arguments
    original = try importModel(
      path: arguments.operands[0],
      options: try Shared.importOptions(arguments)
    ).graph.withImages(arguments.value("--io-layout").flatMap(BoundaryLayout.init) ?? .keep)
    self.output = output
    // Weights of few bits may read back as the floats that they stand for, and tell no scale.
    let isInteger = scheme != .float32 && scheme != .float16
    limits = Certificate.Limits(snrDb: isInteger ? 10 : nil)
  }

  /// The certificate and the time that it took, or why there is none.
  enum Outcome {
    case done(Certificate, nanoseconds: Double)
    case notAsked
    case impossible(Diagnostic)
  }

  /// Compares the written file with the model, unless the user does not want it.
  static func run(
    _ arguments: Arguments,
    output: String,
    scheme: Scheme,
    _ console: Console
  ) throws -> Outcome {
    if arguments.has("--no-verify") { return .notAsked }
    return try ConversionCheck(arguments, output: output, scheme).run(console)
  }

  private func run(_ console: Console) throws -> Outcome {
    let start = Host.monotonicNanoseconds()
    let file = arguments.value("--certificate")
    console.progress("comparing \(output) with the model")
    defer { console.endProgress() }
    do {
      let written = try importModel(path: output)
      let certificate = try Certificate.compare(
        original: original,
        variant: written.graph,
        probes: try probes(written.graph, isThorough: file != nil),
        limits: limits,
        depth: file == nil ? .outputs : .operators,
        threads: Host.processorCount
      )
      if let file { try keep(certificate, written, in: file) }
      let elapsed = Double(Host.monotonicNanoseconds() - start)
      return .done(certificate, nanoseconds: elapsed)
    } catch let reason as Diagnostic {
      return try refused(reason, file)
    } catch let reasons as Diagnostics {
      return try refused(reasons.all[0], file)
    }
  }

  /// That a network cannot be computed here is no fault of the file, unless its certificate was wanted.
  private func refused(_ reason: Diagnostic, _ file: String?) throws -> Outcome {
    if file != nil { throw reason }
    return .impossible(
      Diagnostic(
        "VFY010",
        "the file was not compared with the model: \(reason.summary)",
        at: reason.location,
        remedy: "assay verify with --runtime compares it on a runtime",
        severity: .note
      )
    )
  }

  private func probes(_ written: Graph, isThorough: Bool) throws -> [Probe] {
    var probes: [Probe] = []
    // Real data where there are some: ranges of integers were made for them.
    if arguments.value("--representative") != nil {
      let data = try representative(original, arguments).subset(isThorough ? 4 : 1)
      probes = try data.samples(threads: Host.processorCount).map {
        Probe(name: $0.name, arrays: $0.inputs)
      }
    }
    if probes.isEmpty { probes = [Probe.seeded(original, seed: 1, variant: written)] }
    return probes + (isThorough ? Probe.adversarial(original) : [])
  }

  private func representative(_ graph: Graph, _ arguments: Arguments) throws -> Dataset {
    try Dataset.open(
      path: arguments.value("--representative") ?? "",
      inputs: dataInputs(graph),
      preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? "")
    )
  }

  private func keep(_ certificate: Certificate, _ written: ImportedModel, in file: String) throws {
    var json = certificate.json
    json["original"] = .object([
      "path": .string(arguments.operands[0]), "operators": JSON(original.nodes.count),
    ])
    json["variant"] = .object([
      "path": .string(output), "format": .string(written.format),
      "sha256": .string(sha256(written.bytes)), "operators": JSON(written.graph.nodes.count),
    ])
    json["madeBy"] = .string("assay \(assayVersion)")
    let isPage = file.hasSuffix(".html") || file.hasSuffix(".htm")
    try AtomicFile.write(
      isPage ? renderCertificate(json) : json.text(pretty: true) + "\n",
      to: file
    )
  }
}

extension ConversionCheck.Outcome {
  /// What the terminal shows after the file.
  var text: String {
    switch self {
    case .done(let certificate, let nanoseconds):
      certificate.sentence + ", verified in \(Text.time(nanoseconds))\n"
        + certificate.suspects.prefix(3).map { "  computes something else: \($0.text)\n" }.joined()
    case .notAsked: "not compared with the model (--no-verify)\n"
    case .impossible(let reason): "not compared with the model: \(reason.summary)\n"
    }
  }

  var json: JSON {
    switch self {
    case .done(let certificate, let nanoseconds):
      .object([
        "equal": .bool(certificate.equal), "tolerance": certificate.json["tolerance"] ?? .null,
        "outputs": certificate.json["outputs"] ?? .null, "seconds": JSON(nanoseconds / 1e9),
      ])
    case .notAsked: .null
    case .impossible(let reason): .object(["missing": .string(reason.summary)])
    }
  }

  /// A float variant that is not equal is a fault; that of fewer bits depends on the data.
  var finding: Diagnostic? {
    guard case .done(let certificate, _) = self, !certificate.equal else { return nil }
    var severity = Diagnostic.Severity.warning
    if case .relative = certificate.tolerance { severity = .error }
    return Diagnostic(
      "VFY011",
      "the file computes something else than the model: \(certificate.sentence)",
      remedy: "assay verify MODEL FILE --bisect FOLDER finds the operator",
      severity: severity
    )
  }
}
