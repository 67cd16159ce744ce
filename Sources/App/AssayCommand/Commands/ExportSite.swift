import AssayBase
import AssayExplore

let exportSiteCommand = CommandSpec(
  name: "export-site",
  summary: "write the explorer as a folder of plain files that any web server can serve",
  discussion: """
    The same pages as assay serve has, without running and rating anew: the records of the store, or a
    table of published results, with their ratings and labels. Nothing in it names this machine or its users.
    A browser loads it over HTTP (python3 -m http.server -d DIR), not from the file system.
    """,
  operands: [Operand(word: "DIR", help: "the folder to write; one that was exported is replaced")],
  options: ExplorerArguments.options,
  examples: [("assay export-site site/", "what was measured here, for a web server")]
) { arguments, console in
  var options = Explorer.Options()
  options.plotly = Explorer.chartLibrary
  options.version = assayVersion
  let explorer = try Explorer(
    try ExplorerArguments.source(arguments),
    settings: try ExplorerArguments.settings(arguments),
    options: options
  )
  let folder = arguments.operands[0]
  let site = try explorer.export(to: folder)
  if options.plotly == nil {
    console.note("note: Plotly is not installed, so the site has tables only (scripts/setup)")
  }
  if let reason = site.withoutLabels {
    let remedy = reason.remedy.map { " (\($0))" } ?? ""
    console.note("note: the site has no labels: \(reason.summary)\(remedy)")
  }
  try console.result(
    .object([
      "schema": "assay.export-site/1", "folder": .string(folder), "files": JSON(site.fileCount),
      "rows": JSON(explorer.rowCount), "labels": JSON(site.labelCount),
    ]),
    text:
      "\(folder): \(explorer.rowCount) rows, \(site.labelCount) labels, \(site.fileCount) files\n"
  )
  return .done
}
