import AssayBase
import AssayFormat

extension ModelRecord {
  /// What the file tells besides its network.
  var facts: [ImportReport.Fact] {
    var facts: [ImportReport.Fact] = []
    for signature in signatures {
      let inputs = signature.inputs.map(\.name).joined(separator: ", ")
      let outputs = signature.outputs.map(\.name).joined(separator: ", ")
      facts.append(ImportReport.Fact("signature \(signature.key)", "\(inputs) -> \(outputs)"))
    }
    for entry in metadata {
      guard buffers.indices.contains(entry.buffer), let bytes = buffers[entry.buffer] else {
        continue
      }
      if entry.name == ModelMetadata.entry {
        facts += ModelMetadata.facts(bytes)
      } else if entry.name == "min_runtime_version" {
        facts.append(ImportReport.Fact("runs from", text(ofMetadata: entry.name) ?? "?"))
      } else {
        facts.append(ImportReport.Fact("metadata \(entry.name)", "\(bytes.count) bytes"))
      }
    }
    for options in edgeTPUOptions { facts += Self.facts(edgeTPU: options) }
    return facts
  }

  private static func facts(edgeTPU options: ByteView) -> [ImportReport.Fact] {
    guard let package = try? EdgeTPUPackage(options: options) else {
      return [ImportReport.Fact("Edge TPU", "\(options.count) bytes that are not understood")]
    }
    var text = "package of \(package.byteCount) bytes"
    if let compiler = package.compiler { text += " by compiler \(compiler)" }
    text += ", needs runtime version \(package.minimumRuntime)"
    var facts = [
      ImportReport.Fact("Edge TPU", text),
      ImportReport.Fact(
        "Edge TPU parameters",
        "\(package.cachedBytes) bytes cached on the chip, \(package.streamedBytes) bytes streamed at "
          + "each run"
      ),
      ImportReport.Fact("Edge TPU instructions", "\(package.instructionBytes) bytes"),
    ]
    if let transfers = package.transfers {
      facts.append(
        ImportReport.Fact(
          "Edge TPU transfers",
          "\(transfers.toChip) bytes to the chip at each run, \(transfers.fromChip) bytes back"
        )
      )
    }
    if let cycles = package.estimatedCycles {
      facts.append(
        ImportReport.Fact("Edge TPU estimate", "\(cycles) cycles a run, by its compiler")
      )
    }
    return facts
  }
}
