import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost
import AssayMachine

let devicesProbeCommand = CommandSpec(
  name: "devices probe",
  summary: "what a device is, what is attached to it, and whether it is ready to measure",
  discussion: """
    Asks the device's system: processor, memory, C library, accelerators, power rails, governor,
    temperatures, throttling. Changes nothing on it.
    """,
  operands: [
    Operand(word: "DEVICE", help: "local, ssh:[USER@]HOST[:PORT], adb:SERIAL, or a name")
  ],
  examples: [
    ("assay devices probe ssh:pi@raspberrypi.local", "a board in the network"),
    ("assay devices probe local --json -", "this machine, for a script"),
  ]
) { arguments, console in
  let (device, _) = try Catalog.device(arguments.operands[0], DeviceBook.read())
  defer { device.close() }
  console.progress("asking \(device.address)")
  let facts = try device.probe()
  console.endProgress()
  try console.result(
    .object([
      "schema": "assay.device/1", "device": .string(device.address.text), "facts": facts.json,
    ]),
    text: probeText(device.address, facts)
  )
  return .done
}

private func probeText(_ address: DeviceAddress, _ facts: DeviceFacts) -> String {
  var rows: [(String, String)] = []
  func add(_ name: String, _ text: String?) { if let text { rows.append((name, text)) } }
  add("model", facts.model)
  add("processor", facts.processor)
  add("architecture", facts.architecture)
  for cluster in facts.clusters {
    let frequency = cluster.maximumFrequency.map { ", up to \($0 / 1000) MHz" } ?? ""
    let capacity = cluster.capacity.map { ", capacity \($0)" } ?? ""
    add("processors", ProcessorList.text(cluster.processors) + capacity + frequency)
  }
  if facts.clusters.isEmpty { add("processors", facts.processorCount.map { "\($0)" }) }
  add("memory", facts.memoryBytes.map { Text.bytes($0) })
  add("system", [facts.system, facts.kernel].compactMap(\.self).joined(separator: ", kernel "))
  add("C library", facts.library)
  add("free for files", facts.freeBytes.map { Text.bytes($0) })
  add("emulator", facts.emulator.map { "\($0): never ranked with hardware" })
  for attachment in facts.attachments {
    add("attached", "\(attachment.name) (\(attachment.evidence))")
  }
  add("power rails", facts.rails.isEmpty ? nil : facts.rails.joined(separator: ", "))
  for (name, path) in facts.tools.sorted(by: { $0.key < $1.key }) { add(name, path) }
  for (name, value) in facts.further.sorted(by: { $0.key < $1.key }) { add(name, value) }
  add("kind", facts.identity)
  let width = rows.map(\.0.count).max() ?? 0
  var text = "\(address), reached by \(facts.transport)\n"
  for (name, value) in rows {
    text += "  \(name)\(String(repeating: " ", count: width - name.count))  "
    text += Words.printable(value) + "\n"
  }
  guard let conditions = facts.conditions else { return text }
  let preflight = Preflight(conditions)
  text += "\n" + (preflight.obstacles.isEmpty ? "ready to measure\n" : "before measuring\n")
  for finding in preflight.findings {
    let mark = finding.severity == .note ? "note" : "  !!"
    text += "\(mark)  \(finding.code) \(finding.summary)\n"
    if let remedy = finding.remedy { text += "        -> \(remedy)\n" }
  }
  return text
}
