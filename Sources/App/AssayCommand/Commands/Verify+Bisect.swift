import AssayBase
import AssayCatalog
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayTensor
import AssayVerify

extension Verification {
  /// Writes the operator at fault as a network of its own, with inputs and both results.
  ///
  /// - Returns: the paths written.
  func reproduce(
    _ place: OperatorResult,
    _ certificate: Certificate,
    in folder: String
  ) throws -> [String] {
    guard let variant else {
      throw Diagnostic(
        "VFY003",
        "outputs that were computed elsewhere have no operators to cut out",
        remedy: "give the model that computed them as VARIANT"
      )
    }
    let probe = probes.first { !$0.isAdversarial } ?? probes[0]
    let reproduction = try Reproduction(
      of: place.value,
      original: original.graph,
      variant: variant.graph,
      inputs: probe.arrays,
      threads: threads
    )
    try Host.makeFolders(folder)
    var written: [String] = []
    func write(_ name: String, _ arrays: [(name: String, tensor: Tensor)]) throws {
      guard !arrays.isEmpty else { return }
      let path = Host.join(folder, name)
      try AtomicFile.write(try NPZ.write(arrays), to: path)
      written.append(path)
    }
    let operatorFile = try writeModel(
      reproduction.variant,
      "operator",
      like: variantPath,
      in: folder
    )
    written.append(operatorFile.path)
    let originalFile = try reproduction.original.map {
      try writeModel($0, "original", like: variantPath, in: folder)
    }
    if let originalFile { written.append(originalFile.path) }
    try write("inputs.npz", reproduction.inputs)
    if reproduction.originalInputs.map(\.name) != reproduction.inputs.map(\.name) {
      try write("original-inputs.npz", reproduction.originalInputs)
    }
    try write("expected.npz", reproduction.expected)
    try write("found.npz", reproduction.found)
    for (name, text) in [
      ("certificate.json", json(certificate).text(pretty: true) + "\n"),
      ("README.txt", readme(place, operatorFile, originalFile)),
    ] {
      let path = Host.join(folder, name)
      try AtomicFile.write(text, to: path)
      written.append(path)
    }
    return written
  }

  /// Writes a graph as a model in the format of `path`, or another that can hold it, or as text.
  private func writeModel(
    _ graph: Graph,
    _ stem: String,
    like path: String,
    in folder: String
  ) throws -> (path: String, isModel: Bool) {
    let own = path.split(separator: ".").last.map { String($0) } ?? ""
    for suffix in [own, "tflite", "onnx"] {
      let target = Host.join(folder, "\(stem).\(suffix)")
      if (try? exportModel(
        graph,
        to: target,
        options: ExportOptions(description: "assay \(assayVersion) verify")
      )) != nil {
        return (target, true)
      }
    }
    let target = Host.join(folder, "\(stem).txt")
    try AtomicFile.write(graph.dump(), to: target)
    return (target, false)
  }

  private func readme(
    _ place: OperatorResult,
    _ model: (path: String, isModel: Bool),
    _ original: (path: String, isModel: Bool)?
  ) -> String {
    func name(_ path: String) -> String {
      path.split(separator: "/").last.map { String($0) } ?? path
    }
    var lines = [
      "\(place.op) '\(place.node)' computes something else than the original.",
      "",
      "original  \(name(originalPath))",
      "variant   \(name(variantPath))",
      "value     '\(place.value)' of the variant, '\(place.original)' of the original",
      "by itself \(place.local.map { $0.metrics.ratioText } ?? "not computed")",
      "in place  \(place.metrics.ratioText)",
      "",
      "\(name(model.path)): the operator alone, as the variant has it",
    ]
    if let original { lines.append("\(name(original.path)): the same place of the original") }
    lines += [
      "inputs.npz: what it reads, by the names of its inputs",
      "expected.npz: what the original makes of that",
      "found.npz: what the operator makes of it",
      "certificate.json: the whole comparison",
      "",
    ]
    if model.isModel {
      lines += [
        "To see it:",
        "  assay verify \(name(model.path)) expected.npz --input inputs.npz",
        "",
      ]
    }
    return lines.joined(separator: "\n") + "made by assay \(assayVersion)\n"
  }
}
