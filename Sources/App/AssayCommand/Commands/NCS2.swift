import AssayBase
import AssayBench
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRecord
import AssayRewrite
import AssayRuntime
import AssayStore
import VendorTools

let ncs2Command = CommandSpec(
  name: "ncs2",
  summary: "which layers a Neural Compute Stick 2 takes, and how fast it is",
  discussion: """
    Writes the network as OpenVINO's IR version 10 in float16, which is what the stick computes in, and
    asks the stick's own plugin, layer by layer, what it takes; that needs no stick. With --measure the
    network is timed on the stick as bench does it. The plugin is that of OpenVINO 2021.4.2, which
    scripts/setup --ncs2 installs.
    """,
  operands: [
    Operand(word: "MODEL", help: "a network in any format that is read, or an .xml of IR 10")
  ],
  options: [
    Option("--measure", .flag, "time it on the stick and keep the record"),
    Option(
      "--target",
      .choice(["MYRIAD", "CPU"]),
      "the plugin (default: MYRIAD, the stick; CPU to try the way without one)"
    ),
    Option("--output", short: "-o", .value("DIR"), "where the IR is kept"),
    Shared.preset, Shared.preflight, Shared.store,
    Option("--seed", .value("N"), "seed of the order of turns (default: 1)"),
  ] + Shared.importing,
  examples: [
    ("assay ncs2 mobilenet.keras", "what the stick would take, without one"),
    ("assay ncs2 mobilenet.keras --measure", "a row of the table, with one"),
  ]
) { arguments, console in
  guard let path = arguments.operand(0) else { return .usage }
  let openvino = try OpenVINO2021()
  let scratch = try Scratch()
  defer { scratch.remove() }
  let folder = arguments.value("--output") ?? scratch.path
  try Host.makeFolders(folder)
  let network = try stickNetwork(path, folder, arguments, console)
  let target = arguments.value("--target") ?? "MYRIAD"
  let (executable, words) = openvino.worker(device: target)
  console.progress("asking the \(target) plugin")
  let worker = try ProcessWorker(executable: executable, arguments: words)
  defer { worker.end() }
  let devices = try worker.ask(.object(["do": "devices"]), seconds: 120)
  let answer = try worker.ask(
    .object(["do": "query", "path": .string(network)]),
    seconds: 300
  )
  console.endProgress()
  let layers = (answer["layers"]?.array ?? []).map(StickLayer.init)
  var record: Record?
  if arguments.has("--measure") {
    record = try stickRecord(path, network, target, openvino, arguments, console)
  }
  var result = JSON.object([
    "schema": "assay.ncs2/1", "model": .string(path), "network": .string(network),
    "target": .string(target), "openvino": answer["version"] ?? .null,
    "devices": devices["devices"] ?? .null, "plugins": devices["plugins"] ?? .null,
    "layers": .array(layers.map(\.json)),
    "taken": JSON(layers.count { $0.isTaken }),
  ])
  result["record"] = record?.json
  try console.result(
    result,
    text: stickText(layers, devices, target, record, arguments.has("--output") ? network : nil)
  )
  if let record { return record.verdict == .valid ? .done : .finding }
  return layers.allSatisfy(\.isTaken) ? .done : .finding
}

/// A layer as the plugin sees it.
private struct StickLayer {
  var name: String
  var kind: String
  var isTaken: Bool

  init(_ json: JSON) {
    name = json["name"]?.string ?? ""
    kind = json["kind"]?.string ?? ""
    isTaken = json["taken"]?.bool ?? false
  }

  var json: JSON {
    .object(["name": .string(name), "kind": .string(kind), "taken": .bool(isTaken)])
  }
}

/// The network as the stick takes it: IR version 10 in float16; an `.xml` stands for itself.
private func stickNetwork(
  _ path: String,
  _ folder: String,
  _ arguments: Arguments,
  _ console: Console
) throws -> String {
  if path.hasSuffix(".xml") { return path }
  console.progress("writing \(Host.name(of: path)) as float16 IR")
  let model = try Shared.model(path, arguments, console)
  let variant = try VariantMaker(
    canonicalized(model.graph),
    threads: Host.processorCount,
    feed: nil
  ).make(Recipe.parse("float16"))
  let output = Host.join(folder, "\(Shared.stem(path)).float16.xml")
  try exportModel(
    variant.graph,
    to: output,
    options: ExportOptions(description: "assay \(assayVersion) float16", irVersion: 10)
  )
  console.endProgress()
  return output
}

/// Times the network as `bench` does, with the worker of OpenVINO 2021.4.
private func stickRecord(
  _ path: String,
  _ network: String,
  _ target: String,
  _ openvino: OpenVINO2021,
  _ arguments: Arguments,
  _ console: Console
) throws -> Record? {
  let scratch = try Scratch()
  defer { scratch.remove() }
  var comparison = try comparison(arguments, folder: scratch.path)
  let (executable, words) = openvino.worker(device: target)
  comparison.makeWorker = { _ in try ProcessWorker(executable: executable, arguments: words) }
  comparison.watchers.append(try conditionsWatcher(arguments, threads: 1, console))
  let configuration = Configuration(
    model: try Record.Model(file: network),
    artefact: "openvino",
    variant: path.hasSuffix(".xml") ? "original" : "float16",
    runtime: "openvino2021",
    provider: target == "CPU" ? .cpu : .npu
  )
  let measured = try comparison.run([configuration], progress: { show($0, console) })
  console.endProgress()
  guard var record = measured.first?.record else { return nil }
  // The user knows the network that it was made of.
  record.model.path = path
  try openStore(storeURL(arguments)).append([record])
  return record
}

private func stickText(
  _ layers: [StickLayer],
  _ devices: JSON,
  _ target: String,
  _ record: Record?,
  _ network: String?
) -> String {
  let refused = layers.filter { !$0.isTaken }
  var text =
    refused.isEmpty
    ? "the \(target) plugin takes all \(layers.count) layers\n"
    : "the \(target) plugin leaves out \(refused.count) of \(layers.count) layers\n"
  if !refused.isEmpty {
    text += "\n"
    text += Text.table(
      ["layer", "kind"],
      refused.prefix(20).map { [shortened($0.name, 60), $0.kind] }
    )
    if refused.count > 20 { text += "… and \(refused.count - 20) more\n" }
  }
  let found = (devices["devices"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
  text += "\nOpenVINO \(devices["version"]?.string ?? "?") finds the devices: \(found)\n"
  for (name, plugin) in devices["plugins"]?.pairs ?? [] {
    text += "plugin \(name): \(plugin.string ?? plugin["missing"]?.string ?? "?")\n"
  }
  if let network { text += "network: \(network)\n" }
  if let record { text += "\n" + benchText(record) }
  return text
}
