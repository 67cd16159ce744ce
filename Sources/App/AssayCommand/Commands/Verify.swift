import AssayBase
import AssayCatalog
import AssayCodec
import AssayData
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayHost
import AssayReport
import AssayTensor
import AssayVerify

let verifyCommand = CommandSpec(
  name: "verify",
  summary: "does a variant compute what the original computes, and where does it part from it",
  discussion: """
    Runs both networks on the same inputs and compares every output and every value between that
    corresponds, whatever format each file has: signal-to-noise ratio, cosine, largest difference. Each
    operator is also computed by itself on the original's values, so that the first one that does
    something else is named however deep it lies; --bisect writes it as a network of one operator with
    its inputs, to send with a bug report. Without --input or --data, seeded random inputs are used, and
    zeros, extremes and a lone one beside them. VARIANT may be an .npz of outputs that were computed
    elsewhere for --input. With --runtime the variant (or ORIGINAL, if it stands alone) runs on that
    runtime. Ends with status 1 when they are not equal within the tolerance (1e-4 of the largest
    magnitude for float variants; for quantized ones a signal-to-noise ratio).
    """,
  operands: [
    Operand(word: "ORIGINAL", help: "the model to compare with"),
    Operand(
      word: "VARIANT",
      help: "the model to be judged, or an .npz of outputs",
      isOptional: true
    ),
  ],
  options: [
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the original's inputs"),
    Option(
      "--data",
      .value("PATH"),
      "inputs: a folder of images, an .npy or .npz, or a text file with one path a line"
    ),
    Shared.preprocess,
    Option("--limit", .value("N"), "take a seeded sample of N of the data (default: 16)"),
    Option("--seed", .value("N"), "seed of random inputs (default: 1)"),
    Option("--samples", .value("N"), "how many random inputs (default: 1)"),
    Option("--no-adversarial", .flag, "leave out zeros, extremes and the lone one"),
    Option("--tolerance", .value("X"), "largest accepted max|a-b| / max|b| (float variants)"),
    Option("--min-snr", .value("DB"), "least accepted signal-to-noise ratio (quantized variants)"),
    Option("--bisect", .value("FOLDER"), "write the first operator that diverges there"),
    Option("--html", .value("FILE"), "write the certificate as a page"),
    Shared.runtime, Shared.provider, Shared.threads, Shared.device,
  ] + Shared.importing,
  examples: [
    ("assay verify model.h5 model.tflite", "on seeded inputs"),
    ("assay verify model.h5 int8.tflite --input in.npz --json -", "on one's own, for a script"),
    ("assay verify model.h5 model.tflite --runtime litert", "what the runtime makes of the file"),
    (
      "assay verify model.h5 int8.tflite --runtime litert --device pi",
      "what it makes of it on a board"
    ),
    ("assay verify model.h5 bad.tflite --bisect report", "the operator at fault, to send away"),
  ]
) { arguments, console in
  let verification = try Verification(arguments, console)
  let certificate = try verification.certificate(console)
  console.endProgress()
  var written: [String] = []
  if let folder = arguments.value("--bisect"), let place = certificate.firstDivergence {
    written += try verification.reproduce(place, certificate, in: folder)
  }
  let json = verification.json(certificate)
  if let path = arguments.value("--html") {
    try AtomicFile.write(renderCertificate(json), to: path)
    written.append(path)
  }
  var text = certificate.text
  if certificate.firstDivergence != nil, arguments.value("--bisect") == nil,
    verification.variant != nil
  {
    text += "  --bisect FOLDER writes that operator as a network of its own\n"
  }
  try console.result(json, text: text + written.map { "written: \($0)\n" }.joined())
  return certificate.equal ? .done : .finding
}

/// What `verify` compares and how.
struct Verification {
  let arguments: Arguments
  let originalPath: String
  let variantPath: String
  let original: ImportedModel
  /// `nil` when outputs were computed elsewhere.
  let variant: ImportedModel?
  let probes: [Probe]
  let limits: Certificate.Limits
  let threads: Int

  init(_ arguments: Arguments, _ console: Console) throws {
    self.arguments = arguments
    originalPath = arguments.operands[0]
    variantPath = arguments.operand(1) ?? originalPath
    if arguments.operand(1) == nil, arguments.value("--runtime") == nil {
      throw Diagnostic(
        "CLI005",
        "VARIANT is missing: the model to be judged",
        remedy: "name a second model, or a --runtime to run the first one on"
      )
    }
    if !isLocal(arguments), arguments.value("--runtime") == nil {
      throw Diagnostic(
        "CLI005",
        "--runtime is missing: a device has no execution of ours",
        remedy: "--runtime litert"
      )
    }
    limits = try Self.limits(arguments)
    threads = try arguments.integer("--threads") ?? Host.processorCount
    original = try Shared.model(originalPath, arguments, console)
    variant = try Self.variant(variantPath, originalPath, original, arguments, console)
    probes = try Self.probes(original.graph, variant?.graph, arguments)
  }

  private static func variant(
    _ path: String,
    _ originalPath: String,
    _ original: ImportedModel,
    _ arguments: Arguments,
    _ console: Console
  ) throws -> ImportedModel? {
    if path == originalPath { return original }
    if path.hasSuffix(".npz") || path.hasSuffix(".npy") { return nil }
    return try Shared.model(path, arguments, console)
  }

  private static func probes(
    _ graph: Graph,
    _ variant: Graph?,
    _ arguments: Arguments
  ) throws -> [Probe] {
    if let path = arguments.value("--input") {
      return [Probe(name: path, arrays: try readArrays(path))]
    }
    guard let variant else {
      throw Diagnostic(
        "CLI005",
        "--input is missing: what the outputs were computed from",
        remedy: "--input IN.npz"
      )
    }
    if let path = arguments.value("--data") {
      let preprocessing = try Preprocessing.parse(arguments.value("--preprocess") ?? "")
      let data = try Dataset.open(
        path: path,
        inputs: dataInputs(graph),
        preprocessing: preprocessing
      ).subset(try arguments.integer("--limit") ?? 16)
      return try data.samples(threads: Host.processorCount).map {
        Probe(name: $0.name, arrays: $0.inputs)
      }
    }
    let seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 1)
    let count = try arguments.integer("--samples") ?? 1
    return (0..<UInt64(count)).map { Probe.seeded(graph, seed: seed &+ $0, variant: variant) }
      + (arguments.has("--no-adversarial") ? [] : Probe.adversarial(graph, seed: seed))
  }

  func certificate(_ console: Console) throws -> Certificate {
    guard let variant else {
      let found = try readArrays(variantPath)
      let expected = try probes.map { probe in
        try Evaluator(original.graph, threads: threads).run(probe.arrays)
      }
      let outputs = try expected.map { outputs in
        try outputs.map { output in
          guard let tensor = found[output.name] ?? (found.count == 1 ? found.first?.value : nil)
          else {
            throw Diagnostic(
              "VFY002",
              "the arrays have no output '\(output.name)'",
              at: [variantPath],
              remedy: "they are " + found.keys.sorted().joined(separator: ", ")
            )
          }
          return (name: output.name, tensor: tensor)
        }
      }
      return try Certificate.compare(
        original: expected,
        variant: outputs,
        tolerance: limits.snrDb.map { .snrDb($0) } ?? .relative(limits.relative),
        probes: probes
      )
    }
    guard let runtime = try runtime() else {
      return try Certificate.compare(
        original: original.graph,
        variant: variant.graph,
        probes: probes,
        limits: limits,
        threads: threads
      )
    }
    return try RuntimeVerification(runtime, self, variant).certificate()
  }

  /// The runtime of `--runtime`.
  func runtime() throws -> String? {
    guard let name = arguments.value("--runtime") else { return nil }
    _ = try chosenRuntime(arguments, model: variantPath)
    return name
  }

  func json(_ certificate: Certificate) -> JSON {
    var json = certificate.json
    func file(_ path: String, _ model: ImportedModel?) -> JSON {
      .object([
        "path": .string(path), "format": JSON(model?.format),
        "sha256": JSON(model.map { sha256($0.bytes) }),
        "operators": model.map { JSON($0.graph.nodes.count) } ?? .null,
      ])
    }
    json["original"] = file(originalPath, original)
    json["variant"] = file(variantPath, variant)
    json["runtime"] = JSON(arguments.value("--runtime"))
    json["madeBy"] = .string("assay \(assayVersion)")
    return json
  }

  private static func limits(_ arguments: Arguments) throws -> Certificate.Limits {
    var limits = Certificate.Limits()
    if let text = arguments.value("--tolerance") {
      guard let value = Double(text), value >= 0 else {
        throw Diagnostic("CLI006", "--tolerance must be a number of at least 0, not '\(text)'")
      }
      limits.relative = value
    }
    if let text = arguments.value("--min-snr") {
      guard let value = Double(text) else {
        throw Diagnostic("CLI006", "--min-snr must be a number, not '\(text)'")
      }
      limits.snrDb = value
    }
    return limits
  }
}
