import AssayBase
import AssayRecord
import AssayRuntime

/// Whether what was asked for is what ran (BEN105).
///
/// The processor can take whatever an accelerator leaves to it, so a record of an accelerator tells how
/// much it really took: nothing and a part make the figures those of something else, and a runtime
/// that does not tell leaves it open.
func placementFindings(_ record: Record) -> [Diagnostic] {
  guard let provider = Provider(rawValue: record.provider), provider != .cpu else { return [] }
  let name = record.placement["provider"]?.string ?? "another"
  let remedy = "see assay doctor for what this machine has"
  if isProcessor(name) {
    return [Diagnostic("BEN105", "\(provider) was asked for, \(name) ran", remedy: remedy)]
  }
  let notes = (record.placement["notes"]?.array ?? []).compactMap(\.string)
  if notes.contains(Placement.partly) {
    return [
      Diagnostic(
        "BEN105",
        "\(provider) was asked for, but a part of the model ran elsewhere than on \(name)",
        remedy: "convert the model so that \(name) takes all of it, or measure with --provider cpu"
      )
    ]
  }
  guard let placed = record.placement["placed"]?.int, let total = record.placement["total"]?.int,
    total > 0
  else {
    return [
      Diagnostic(
        "BEN105",
        "\(provider) was asked for; the runtime does not tell how much of the model \(name) took",
        remedy: "compare the latency with that of --provider cpu",
        severity: .warning
      )
    ]
  }
  if placed == 0 {
    return [Diagnostic("BEN105", "\(provider) was asked for, \(name) took nothing", remedy: remedy)]
  }
  guard placed < total else { return [] }
  if notes.contains(Placement.asCompiled) {
    return [
      Diagnostic(
        "BEN105",
        "\(total - placed) of \(total) operators of the file were compiled for the processor and ran there",
        remedy: "assay edgetpu ORIGINAL says why they are not mapped, and what to do",
        severity: .warning
      )
    ]
  }
  let elsewhere = notes.filter { $0.contains(" nodes on ") }.joined(separator: ", ")
  let share = Double(total - placed) / Double(total)
  return [
    Diagnostic(
      "BEN105",
      "\(provider) was asked for, but \(total - placed) of \(total) operators"
        + " (\(Words.percent(share, 0))) ran elsewhere than on \(name)",
      remedy:
        "the figures are those of both together: see the operators, or convert the model so that"
        + " \(name) takes all of it",
      cause: elsewhere.isEmpty ? nil : elsewhere
    )
  ]
}

/// Whether a runtime's name for a path is that of the processor.
private func isProcessor(_ name: String) -> Bool {
  ["cpu", "xnnpack", "cpuexecutionprovider"].contains(name.lowercased())
}
