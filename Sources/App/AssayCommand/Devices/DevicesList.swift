import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost

let devicesCommand = CommandSpec(
  name: "devices",
  summary: "the devices that models can be measured on, and how each is reached",
  discussion: """
    Lists what can be seen now and what the file of devices names (devices.json in $ASSAY_HOME), with the
    address that --device takes. Nothing is sent to a device but what finding it needs; assay devices
    probe ADDRESS asks one what it is.
    """,
  examples: [
    ("assay devices", "what there is"),
    ("assay devices probe ssh:pi@raspberrypi.local", "what a board is, and what state it is in"),
  ]
) { _, console in
  let book = try DeviceBook.read()
  let quarantine = DeviceQuarantine()
  let rows = Catalog.devices(book).map { listing -> DeviceListing in
    var listing = listing
    if let note = quarantine.note(listing.address) {
      listing.obstacle = Diagnostic(
        "DEV014",
        "in quarantine since \(Words.moment(note.at)): \(note.reason)",
        remedy: "assay devices release \(listing.address)"
      )
    }
    return listing
  }
  let drivers = Catalog.deviceProbes()
  try console.result(
    .object([
      "schema": "assay.devices/1",
      "devices": .array(rows.map(json)),
      "drivers": .array(
        drivers.map { driver, probe in
          var object = probe.json
          object["summary"] = .string(driver.summary)
          return object
        }
      ),
    ]),
    text: listText(rows, drivers, book)
  )
  return .done
}

private func json(_ listing: DeviceListing) -> JSON {
  var object = JSON.object(["address": .string(listing.address.text)])
  object["name"] = listing.name.map { .string($0) }
  object["note"] = .string(listing.note)
  object["obstacle"] = listing.obstacle?.json
  return object
}

private func listText(
  _ rows: [DeviceListing],
  _ drivers: [(driver: any DeviceDriver, probe: Catalog.Probe)],
  _ book: DeviceBook
) -> String {
  let width = rows.map(\.address.text.count).max() ?? 0
  var text = ""
  for row in rows {
    let space = String(repeating: " ", count: width - row.address.text.count)
    let name = row.name.map { "\($0): " } ?? ""
    let mark = row.obstacle != nil ? "--" : row.isSeen ? "ok" : "??"
    text += "  \(mark)  \(row.address)\(space)  \(name)"
    text += Words.printable(row.note) + "\n"
    if let obstacle = row.obstacle {
      let indent = String(repeating: " ", count: width + 8)
      text += indent + Words.printable(obstacle.summary) + "\n"
      if let remedy = obstacle.remedy { text += "\(indent)-> \(remedy)\n" }
    }
  }
  if rows.contains(where: { !$0.isSeen }) {
    text += "\n??: assay devices probe NAME asks it\n"
  }
  if !rows.contains(where: { $0.address != .local }) { text += firstDevice }
  text += "\nways to devices\n"
  let schemes = drivers.map(\.driver.scheme.count).max() ?? 0
  for (driver, probe) in drivers {
    let (scheme, summary) = (driver.scheme, driver.summary)
    let name = scheme + String(repeating: " ", count: schemes - scheme.count)
    let space = String(repeating: " ", count: schemes)
    switch probe.availability {
    case .available(let version):
      text += "  ok  \(name)  \(summary) (\(version))\n"
    case .unavailable(let reason, let remedy):
      text += "  --  \(name)  \(summary)\n      \(space)  \(reason)\n"
      text += "      \(space)  -> \(remedy)\n"
    }
  }
  return text + "\nnames: \(book.path)\(Host.exists(book.path) ? "" : " (there is none yet)")\n"
}

/// What somebody without any device does next.
private let firstDevice = """

  only this machine so far; to measure elsewhere
    a board or computer  ssh to it once by hand, with a key; then --device ssh:USER@HOST
    a phone              switch USB debugging on and plug it in: it is listed here then
    its accelerators     a Coral stick, an NPU or GPU is used where it is plugged in: --provider tpu, npu, gpu
    docs/devices.md      goes through each from unboxing to a row in the table

  """

let devicesReleaseCommand = CommandSpec(
  name: "devices release",
  summary: "let a device out of quarantine",
  discussion: """
    A device that was lost and that no rung of the ladder brought back gets no jobs until it is let out.
    """,
  operands: [Operand(word: "DEVICE", help: "an address, or a name of devices.json")],
  examples: [("assay devices release pi", "it was mended")]
) { arguments, console in
  let entry = try DeviceBook.read().entry(arguments.operands[0])
  let was = try DeviceQuarantine().release(entry.address)
  try console.result(
    .object(["device": .string(entry.address.text), "released": .bool(was)]),
    text: was
      ? "\(entry.address) may be used again\n" : "\(entry.address) was not in quarantine\n"
  )
  return .done
}
