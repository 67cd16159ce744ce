import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost
import AssayRemote

let bundleCommand = CommandSpec(
  name: "bundle",
  summary: "bring the runner and its runtime to a device for good, or into a folder",
  discussion: """
    A bundle is what a device needs to measure: assay-runner, the runtime's library for its processor
    (pinned, from its wheel), and a loader with a C library where the device's own does not fit. Every
    command with --device brings it along by itself and takes it away again; one that was brought for
    good is found by the hash of its files and saves that way. assay devices clean takes it away.
    """,
  options: [
    Shared.device,
    Option(
      "--runtime",
      .choice(RunnerBundle.runtimes),
      "the runtime that goes along (default: litert)"
    ),
    Option("--cpu", .choice(["aarch64", "x86_64"]), "with --output: the processor"),
    Option("--output", short: "-o", .value("DIR"), "write the bundle into a folder instead"),
    Option("--own-libc", .flag, "bring loader and C library along whatever the device has"),
    Option("--dry-run", .flag, "say what would be brought"),
  ],
  examples: [
    ("assay bundle --device ssh:pi@raspberrypi.local", "once, and then measuring begins at once"),
    ("assay bundle --cpu aarch64 -o runner-arm64", "to carry it there by hand"),
  ]
) { arguments, console in
  let runtime = arguments.value("--runtime") ?? "litert"
  let wantsLibrary = arguments.has("--own-libc") ? true : nil
  if let folder = arguments.value("--output") {
    var facts = DeviceFacts()
    facts.architecture = arguments.value("--cpu") ?? MachineInfo.current().architecture
    let bundle = try RunnerBundle(for: facts, runtime: runtime, bringsLibrary: wantsLibrary)
    if !arguments.has("--dry-run") { try bundle.write(to: folder) }
    try console.result(
      bundleJSON(bundle, place: folder),
      text: bundleText(bundle)
        + (arguments.has("--dry-run")
          ? ""
          : "written to \(folder); start it there with "
            + "\(bundle.command)\n")
    )
    return .done
  }
  guard arguments.has("--device"), let session = try deviceSession(arguments, console) else {
    throw Diagnostic(
      "CLI005",
      "nowhere to bring the bundle to",
      remedy: "--device ssh:USER@HOST, or --output DIR"
    )
  }
  defer { session.close() }
  let bundle = try RunnerBundle(
    for: session.facts,
    runtime: runtime,
    bringsLibrary: wantsLibrary
  )
  if arguments.has("--dry-run") {
    try console.result(bundleJSON(bundle, place: session.name), text: bundleText(bundle))
    return .done
  }
  let (path, wasThere) = try session.keep(bundle)
  console.endProgress()
  try console.result(
    bundleJSON(bundle, place: path),
    text: bundleText(bundle)
      + (wasThere ? "it was there already: \(path)\n" : "brought to \(session.name): \(path)\n")
  )
  return .done
}

private func bundleJSON(_ bundle: RunnerBundle, place: String) -> JSON {
  var object = JSON.object([
    "schema": "assay.bundle/1", "hash": .string(bundle.hash), "place": .string(place),
    "architecture": .string(bundle.architecture), "version": .string(bundle.version),
    "bytes": JSON(bundle.byteCount), "command": .string(bundle.command),
    "files": .array(
      bundle.parts.map {
        .object([
          "name": .string($0.name), "sha256": .string($0.sha256), "bytes": JSON($0.byteCount),
        ])
      }
    ),
  ])
  object["ownLibrary"] = bundle.ownLibrary.map { .string($0) }
  return object
}

private func bundleText(_ bundle: RunnerBundle) -> String {
  let width = bundle.parts.map(\.name.count).max() ?? 0
  var text = "bundle \(bundle.hash) for \(bundle.architecture): \(bundle.title) \(bundle.version), "
  text += "\(Text.bytes(bundle.byteCount))\n"
  for part in bundle.parts {
    text += "  \(part.name)\(String(repeating: " ", count: width - part.name.count))  "
    text += "\(part.sha256.prefix(12))  \(Text.bytes(part.byteCount))\n"
  }
  if let reason = bundle.ownLibrary { text += "with its own C library: \(reason)\n" }
  return text
}

let devicesCleanCommand = CommandSpec(
  name: "devices clean",
  summary: "remove from a device everything that assay ever brought there",
  discussion: """
    Removes bundles that were brought for good, and folders of commands that ended in the middle of
    something. Nothing else on the device is touched.
    """,
  operands: [Operand(word: "DEVICE", help: "an address, or a name of devices.json")],
  examples: [("assay devices clean ssh:pi@raspberrypi.local", "leave it as it was")]
) { arguments, console in
  let (device, _) = try Catalog.device(arguments.operands[0], DeviceBook.read())
  defer { device.close() }
  guard let shell = device as? any ShellDevice else {
    throw Diagnostic("RUN003", "nothing is ever brought to \(device.address)")
  }
  let removed = try RunnerBundle.clean(shell)
  try console.result(
    .object([
      "device": .string(device.address.text), "removed": .array(removed.map { .string($0) }),
    ]),
    text: removed.isEmpty
      ? "there is nothing of assay's on \(device.address)\n"
      : removed.map { "removed \($0)\n" }.joined()
  )
  return .done
}
