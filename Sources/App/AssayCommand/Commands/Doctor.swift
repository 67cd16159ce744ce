import AssayBase
import AssayCatalog
import AssayHost
import AssayMachine
import AssayPhone
import AssayRuntime

let doctorCommand = CommandSpec(
  name: "doctor",
  summary: "what of this machine, its runtimes and libraries can be used, and how to get the rest",
  discussion: """
    Lists every plug-in with its state, and for each that cannot be used the reason and the remedy.
    Ends with status 3 when no runtime can be used.
    """,
  examples: [("assay doctor", "what is here"), ("assay doctor --json -", "the same for a script")]
) { _, console in
  let machine = MachineInfo.current()
  let groups = Catalog.probes() + [phoneTools()]
  let preflight = Preflight(Conditions(folder: AssayHome.path, watch: 200_000_000))
  try console.result(
    .object([
      "schema": "assay.doctor/1", "version": .string(assayVersion), "machine": machine.json,
      "home": .string(AssayHome.path),
      "plugins": .array(groups.flatMap(\.rows).map(\.json)),
      "conditions": preflight.conditions.json,
      "preflight": .array(preflight.findings.map(\.json)),
    ]),
    text: report(groups, machine) + preflightText(preflight)
  )
  let runtimes = groups.first { $0.title == "runtimes" }?.rows ?? []
  let shipping = Set(Catalog.shipping.map(\.id))
  let usable = runtimes.filter { shipping.contains($0.name) && $0.availability.isAvailable }
  return usable.isEmpty ? .environment : .done
}

private func report(_ groups: [Catalog.ProbeGroup], _ machine: MachineInfo) -> String {
  var text = "assay \(assayVersion) on \(machine.system) \(machine.architecture)"
  text += ", \(machine.processor ?? "unknown processor")"
  text += ", \(machine.processorCount) processors"
  if let memory = machine.memoryBytes { text += ", \(Text.bytes(memory)) of memory" }
  text += "\nhome: \(AssayHome.path)\n"
  let shipping = Set(Catalog.shipping.map(\.id))
  let usable = (groups.first { $0.title == "runtimes" }?.rows ?? []).filter {
    shipping.contains($0.name) && $0.availability.isAvailable
  }
  text +=
    usable.isEmpty
    ? "nothing can be measured here yet: no runtime can be used, scripts/setup installs them\n"
    : "models can be measured here, on \(usable.map(\.name).joined(separator: ", "))\n"
  text += "below, -- cannot be used now, and -> says how to get it; leave what you do not need\n"
  for group in groups {
    text += "\n\(group.title)\n"
    let width = group.rows.map(\.name.count).max() ?? 0
    for row in group.rows {
      let name = row.name + String(repeating: " ", count: width - row.name.count)
      switch row.availability {
      case .available(let version): text += "  ok  \(name)  \(version)\n"
      case .unavailable(let reason, let remedy):
        text +=
          "  --  \(name)  \(reason)\n      \(String(repeating: " ", count: width))  -> \(remedy)\n"
      }
    }
  }
  let missing = groups.flatMap(\.rows).filter { !$0.availability.isAvailable }.count
  text += "\n" + (missing == 0 ? "everything can be used\n" : "\(missing) cannot be used\n")
  return text
}

/// The tools for phones that the user has given.
private func phoneTools() -> Catalog.ProbeGroup {
  let entries: [ToolShelf.Entry]
  do {
    entries = try ToolShelf().entries
  } catch {
    let probe = Catalog.Probe(
      name: "tools.json",
      availability: Availability(unavailableBecauseOf: error)
    )
    return Catalog.ProbeGroup(title: "tools for phones", rows: [probe])
  }
  var rows = entries.map { entry in
    Catalog.Probe(
      name: entry.name,
      availability: entry.obstacle.map {
        .unavailable(
          reason: $0,
          remedy: "assay tools add FILE, or assay tools remove \(entry.name)"
        )
      } ?? .available(version: "for " + entry.tool.abis.joined(separator: ", "))
    )
  }
  if rows.isEmpty {
    rows.append(
      Catalog.Probe(
        name: "benchmark_model",
        availability: .unavailable(
          reason:
            "none was given; a phone's processor is measured without, its GPU, NNAPI and NPU are not",
          remedy:
            "get TensorFlow's build for Android (tensorflow.org/lite/performance/measurement), then: "
            + "assay tools add FILE"
        )
      )
    )
  }
  return Catalog.ProbeGroup(title: "tools for phones", rows: rows)
}

/// Whether the machine is ready for a measurement, and what to do where it is not.
private func preflightText(_ preflight: Preflight) -> String {
  let obstacles = preflight.obstacles.count
  let answer =
    obstacles == 0
    ? "ready to measure"
    : "\(obstacles) thing\(obstacles == 1 ? "" : "s") to remedy before measuring"
  return "\nmachine now: \(answer)\n"
    + preflight.findings.map { finding in
      let mark = finding.severity == .note ? "note" : "  !!"
      let remedy = finding.remedy.map { "        -> \($0)\n" } ?? ""
      return "\(mark)  \(finding.code) \(finding.summary)\n" + remedy
    }.joined()
}
