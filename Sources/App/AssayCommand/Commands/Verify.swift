import AssayBase
import AssayCatalog
import AssayData
import AssayTensor
import AssayVerify

let verifyCommand = CommandSpec(
  name: "verify",
  summary: "does a variant compute what the original computes, and where does it part from it",
  discussion: """
    Runs both networks on the same inputs and compares every output: signal-to-noise ratio, cosine,
    largest difference. When they differ, the first operator whose result diverges is named. Without
    --input, seeded random inputs are used. Ends with status 1 when they are not equal within the
    tolerance (1e-5 of the largest magnitude for float variants; for quantized ones a signal-to-noise
    ratio).
    """,
  operands: [
    Operand(word: "ORIGINAL", help: "the model to compare with"),
    Operand(word: "VARIANT", help: "the model to be judged"),
  ],
  options: [
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the original's inputs"),
    Option("--seed", .value("N"), "seed of random inputs (default: 1)"),
    Option("--tolerance", .value("X"), "largest accepted max|a-b| / max|b| (float variants)"),
    Option("--min-snr", .value("DB"), "least accepted signal-to-noise ratio (quantized variants)"),
  ] + Shared.importing,
  examples: [
    ("assay verify model.h5 model.tflite", "on seeded inputs"),
    ("assay verify model.h5 int8.tflite --input in.npz --json -", "on one's own, for a script"),
  ]
) { arguments, console in
  let original = try Shared.model(arguments.operands[0], arguments, console).graph
  let variant = try Shared.model(arguments.operands[1], arguments, console).graph
  let inputs: [String: Tensor]
  if let path = arguments.value("--input") {
    inputs = try readArrays(path)
  } else {
    let seed = UInt64(try arguments.integer("--seed", minimum: 0) ?? 1)
    let random = Dataset.random(inputs: dataInputs(original), count: 1, seed: seed)
    inputs = try random.sample(at: 0).inputs
  }
  let certificate = try Certificate.compare(
    original: original,
    variant: variant,
    inputs: [inputs],
    limits: try limits(arguments)
  )
  try console.result(certificate.json, text: certificate.text)
  return certificate.equal ? .done : .finding
}

private func limits(_ arguments: Arguments) throws -> Certificate.Limits {
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
