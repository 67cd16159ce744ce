import AssayBase
import AssayHost
import AssayPhone

private let toolWords = ToolFile.Kind.allCases.map(\.rawValue)

let toolsListCommand = CommandSpec(
  name: "tools list",
  summary:
    "the vendors' tools that assay may use on phones, and whether each is still as it was given",
  discussion: """
    Tools of vendors are not part of assay: the user gets them, and assay tools add notes where they lie.
    For a phone the newest one for its processor is taken. Known are benchmark_model and
    benchmark_litert_model (built for Android), the benchmark's APK, and Qualcomm's SNPE and QNN archives.
    """,
  examples: [("assay tools list", "what was given"), ("assay tools list --json -", "for a script")]
) { _, console in
  let shelf = try ToolShelf()
  let rows = shelf.entries.map { ($0, $0.obstacle) }
  try console.result(
    .object([
      "schema": "assay.tools/1",
      "tools": .array(
        rows.map { entry, obstacle in
          var json = entry.json
          json["obstacle"] = JSON(obstacle)
          return json
        }
      ),
    ]),
    text: toolsText(rows, shelf)
  )
  return .done
}

private func toolsText(_ rows: [(ToolShelf.Entry, String?)], _ shelf: ToolShelf) -> String {
  guard !rows.isEmpty else {
    return """
      no tools yet
      -> assay tools add FILE: benchmark_model for Android, the benchmark's APK, SNPE's or QNN's archive
         (TensorFlow's nightly builds: tensorflow.org/lite/performance/measurement)

      """
  }
  let table = Text.table(
    ["", "name", "for", "version", "where"],
    rows.map { entry, obstacle in
      [
        obstacle == nil ? "ok" : "--", entry.name, entry.tool.abis.joined(separator: ", "),
        entry.tool.version ?? (entry.sha256.isEmpty ? "-" : String(entry.sha256.prefix(12))),
        Words.printable(entry.path),
      ]
    }
  )
  let faults = rows.compactMap { entry, obstacle in obstacle.map { "\(entry.name): \($0)\n" } }
  return table + (faults.isEmpty ? "" : "\n" + faults.joined()) + "\nkept in \(shelf.path)\n"
}

let toolsAddCommand = CommandSpec(
  name: "tools add",
  summary: "note a vendor's tool that the user has got",
  discussion: """
    Looks at the file: an Android executable (32- or 64-bit Arm, x86), an APK, or Qualcomm's archive. A
    program for another system is refused. The file stays where it is; when it changes it has to be added
    again.
    """,
  operands: [Operand(word: "FILE", help: "the program, APK or archive (or its unpacked folder)")],
  options: [
    Option("--kind", .choice(toolWords), "what it is, where its name does not tell")
  ],
  examples: [
    ("assay tools add android_aarch64_benchmark_model", "TensorFlow's benchmark for 64-bit phones"),
    ("assay tools add v2.26.0.240828.zip --kind snpe", "SNPE out of Qualcomm's archive"),
  ]
) { arguments, console in
  var shelf = try ToolShelf()
  let entry = try shelf.add(
    arguments.operands[0],
    kind: arguments.value("--kind").flatMap(ToolFile.Kind.init(rawValue:))
  )
  let abis = entry.tool.abis.joined(separator: ", ")
  try console.result(
    entry.json,
    text: "\(entry.name): \(entry.tool.kind.rawValue) for \(abis.isEmpty ? "any phone" : abis)\n"
  )
  return .done
}

let toolsRemoveCommand = CommandSpec(
  name: "tools remove",
  summary: "forget a vendor's tool; its file stays",
  operands: [Operand(word: "NAME", help: "its name in assay tools list, or its path")],
  examples: [("assay tools remove benchmark_model-arm64-v8a", "forget it")]
) { arguments, console in
  var shelf = try ToolShelf()
  let entry = try shelf.remove(arguments.operands[0])
  try console.result(entry.json, text: "\(entry.name) is forgotten; its file stays\n")
  return .done
}
