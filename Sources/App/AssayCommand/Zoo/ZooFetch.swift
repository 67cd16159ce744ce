import AssayBase
import AssayFetch
import AssayHost

let zooFetchCommand = CommandSpec(
  name: "zoo fetch",
  summary: "download published models and weights, whole and checked or not at all",
  discussion: """
    Downloads what a table names: Coral's quantized models with their twins for the Edge TPU, the weights \
    that Keras and Ultralytics publish, and what your own table adds ($ASSAY_HOME/downloads.yaml or --table \
    FILE). A file takes its name only once its SHA-256 was seen to be the pinned one; a download that was \
    interrupted goes on where it stopped. Of a file whose SHA-256 nobody has seen yet the hash is shown, \
    and you are asked once whether it is the right one; the answer is kept. Licence and source are shown \
    first: what you may do with a file is between you and its publisher.
    """,
  operands: [
    Operand(
      word: "NAME",
      help: "an entry of the table, or a part of names with --list",
      isOptional: true
    )
  ],
  options: [
    Option("--list", .flag, "show what can be downloaded, and what is here"),
    Option("--output", short: "-o", .value("DIR"), "where to (default: zoo/NAME in $ASSAY_HOME)"),
    Option("--table", .value("FILE"), "a table of your own, JSON or YAML, above the package's"),
    Option("--confirm", .value("SHA256"), "this is the hash of the file; do not ask"),
  ],
  examples: [
    ("assay zoo fetch --list mobilenet", "what there is of MobileNet"),
    (
      "assay zoo fetch coral/movenet_single_pose_lightning_ptq",
      "a model and its twin for the Edge TPU"
    ),
    ("assay zoo fetch keras/ResNet50 -o weights", "weights for assay zoo build --weights"),
  ]
) { arguments, console in
  let table = try downloadTable(arguments.value("--table"))
  guard !arguments.has("--list") else {
    return try listDownloads(table, matching: arguments.operand(0), console)
  }
  guard let name = arguments.operand(0) else {
    throw Diagnostic("CLI005", "NAME is missing", remedy: "assay zoo fetch --list shows the names")
  }
  let entry = try table.entry(named: name)
  let folder = arguments.value("--output") ?? downloadFolder(entry)
  if arguments.value("--confirm") != nil, entry.files.count(where: { $0.sha256 == nil }) > 1 {
    throw Diagnostic(
      "CLI007",
      "--confirm is about one file, '\(entry.name)' has several without a known hash",
      remedy: "without it you are asked about each on a terminal"
    )
  }
  console.note(
    "\(entry.name)\(entry.summary.isEmpty ? "" : ": " + entry.summary)\nlicence: \(entry.license)\nsource:  \(entry.source)"
  )
  Host.catchInterrupts()
  let fetcher = try Fetcher(
    folder: folder,
    confirmed: ConfirmedHashes(path: Host.join(AssayHome.path, "confirmed-downloads.json"))
  )
  var rows: [(file: DownloadFile, state: String, hash: String?)] = []
  var isOpen = false
  for file in entry.files {
    let result = try fetcher.fetch(file) { done, total, rate in
      console.progress(downloadProgress(file.name, done, total, rate))
    }
    console.endProgress()
    switch result {
    case .present: rows.append((file, "was here", nil))
    case .fetched(let bytes): rows.append((file, "\(Text.bytes(bytes)) downloaded", nil))
    case .unconfirmed(let hash, let bytes, let isPublished):
      let given = arguments.value("--confirm")
      if try given != nil || isConfirmed(file, hash, bytes, isPublished, console) {
        try fetcher.confirm(file, sha256: given ?? hash)
        rows.append((file, "confirmed", hash))
      } else {
        isOpen = true
        rows.append((file, "not confirmed", hash))
      }
    }
  }
  try console.result(
    .object([
      "schema": "assay.zoo-fetch/1", "name": .string(entry.name), "folder": .string(folder),
      "license": .string(entry.license), "source": .string(entry.source),
      "files": .array(
        rows.map { row in
          .object([
            "name": .string(row.file.name), "state": .string(row.state),
            "sha256": JSON(row.hash ?? row.file.sha256), "url": .string(row.file.url),
          ])
        }
      ),
    ]),
    text: Text.table(["file", "state"], rows.map { [$0.file.name, $0.state] })
      + (isOpen ? "" : downloadNext(entry, folder))
  )
  for row in rows where row.state == "not confirmed" {
    console.report(
      Diagnostic(
        "FET008",
        "nobody has seen the SHA-256 of '\(row.file.name)' before: it is \(row.hash ?? "")",
        at: [Host.join(folder, row.file.name + ".part")],
        remedy: "if that is right: assay zoo fetch \(entry.name) --confirm \(row.hash ?? "")"
          + ["--table", "--output"].compactMap { option in
            arguments.value(option).map { " \(option) \(Words.shell([$0]))" }
          }.joined()
      )
    )
  }
  return isOpen ? .finding : .done
}

/// The package's table with the user's above it.
private func downloadTable(_ path: String?) throws -> DownloadTable {
  let own = ["downloads.yaml", "downloads.json"].map { Host.join(AssayHome.path, $0) }
    .filter { Host.kind(of: $0) == .file }
  return try (own + (path.map { [$0] } ?? [])).reduce(DownloadTable.published) {
    try $0.extended(by: DownloadTable(path: $1))
  }
}

private func downloadFolder(_ entry: DownloadEntry) -> String {
  Host.join(AssayHome.path, "zoo/" + entry.name)
}

private func downloadProgress(_ name: String, _ done: Int, _ total: Int?, _ rate: Double) -> String
{
  var text = "\(name): \(Text.bytes(done))"
  guard let total, total > 0 else { return text }
  text += " of \(Text.bytes(total)), \(Text.percentDone(done, of: total))"
  if rate > 0, done < total {
    text += ", \(Text.bytes(Int(rate)))/s, \(Text.duration(Double(total - done) / rate * 1e9)) left"
  }
  return text
}

/// Asks on a terminal whether a file is the right one; without one the answer is no.
private func isConfirmed(
  _ file: DownloadFile,
  _ hash: String,
  _ bytes: Int,
  _ isPublished: Bool,
  _ console: Console
) throws -> Bool {
  guard Host.terminal(0).isTerminal, Console.isTerminal, !console.isQuiet else { return false }
  console.note(
    """
    \(file.name), \(Text.bytes(bytes)), from \(file.url)
    sha256 \(hash): not known yet\
    \(isPublished ? "; its MD5 is the one that its publisher gives" : "")
    Keep it and remember its hash? [y/N]
    """
  )
  let channel = LineChannel(input: 0, output: -1)
  guard case .line(let answer) = channel.read() else { return false }
  return ["y", "yes"].contains(answer.lowercased())
}

/// What to do with what was fetched.
private func downloadNext(_ entry: DownloadEntry, _ folder: String) -> String {
  let path = Words.shell([Host.join(folder, entry.files[0].name)])
  guard let network = entry.network else { return "\nin \(folder); next: assay run \(path)\n" }
  let options = entry.buildOptions.isEmpty ? "" : " " + entry.buildOptions
  return
    "\nin \(folder); next: assay zoo build \(network)\(options) --weights \(path) -o model.tflite\n"
}

private func listDownloads(
  _ table: DownloadTable,
  matching part: String?,
  _ console: Console
) throws -> ExitStatus {
  let wanted = part?.lowercased()
  let entries = table.entries.filter { wanted.map($0.name.lowercased().contains) ?? true }
  guard !entries.isEmpty else {
    throw Diagnostic(
      "FET011",
      "nothing in the table has '\(part ?? "")' in its name",
      remedy: "assay zoo fetch --list shows everything"
    )
  }
  func isHere(_ entry: DownloadEntry) -> Bool {
    entry.files.allSatisfy {
      Host.kind(of: Host.join(downloadFolder(entry), $0.name)) == .file
    }
  }
  let rows = entries.map { entry -> [String] in
    let sizes = entry.files.compactMap(\.byteCount)
    let isPinned = entry.files.allSatisfy { $0.sha256 != nil }
    return [
      entry.name, "\(entry.files.count)",
      sizes.count == entry.files.count ? Text.bytes(sizes.reduce(0, +)) : "?",
      isPinned ? "pinned" : "asks once", entry.license, isHere(entry) ? "yes" : "",
    ]
  }
  try console.result(
    .object([
      "schema": "assay.downloads/1",
      "downloads": .array(
        entries.map { entry in
          var json = entry.json
          json["isHere"] = .bool(isHere(entry))
          return json
        }
      ),
    ]),
    text: Text.table(["name", "files", "size", "hash", "licence", "here"], rows, numeric: [1, 2])
      + "\n\(Words.count(entries.count)) entries; assay zoo fetch NAME downloads one\n"
  )
  return .done
}
