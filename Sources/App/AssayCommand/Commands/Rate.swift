import AssayBase
import AssayData
import AssayRate

let rateCommand = CommandSpec(
  name: "rate",
  summary: "indices and ratings from A to E of measured models, by the published methods",
  discussion: """
    Reads a table of measurements (a row for each model and environment, a column for each property)
    and what the properties count for, and rates each model among those of its task, data set and
    environment. edge-acc is the method of the published study of USB accelerators, strep that of the
    library as it is now; docs/rating.md tells in what they differ.
    """,
  operands: [
    Operand(
      word: "TABLE",
      help: "a CSV with the column model, perhaps environment, task and dataset"
    )
  ],
  options: [
    Option(
      "--properties",
      .value("FILE"),
      "JSON: by column group, weight, maximize, and how it is called"
    ),
    Option("--method", .choice(RatingMethod.Kind.allCases.map(\.rawValue)), "the method"),
    Option(
      "--index",
      .choice(RatingMethod.Index.allCases.map(\.rawValue)),
      "what has the index 1 (default: best)"
    ),
    Option(
      "--mode",
      .choice(RatingMethod.Mode.allCases.map(\.rawValue)),
      "how indices become one (default: mean)"
    ),
    Option("--reference", .value("MODEL|optimal"), "the model that is centered (default: optimal)"),
    Option(
      "--weights",
      .value("FILE"),
      "JSON: weights by property, in the place of the described ones"
    ),
    Option("--boundaries", .value("FILE"), "JSON: four limits by property, best first"),
    Option("--save-boundaries", .value("FILE"), "write the limits that were taken"),
  ],
  examples: [
    (
      "assay rate results.csv --properties properties.json --method edge-acc",
      "a table of letters, best first"
    ),
    (
      "assay rate results.csv --properties properties.json --method strep --mode median --json -",
      "for a script"
    ),
  ]
) { arguments, console in
  func json(_ path: String) throws -> JSON {
    try locating(path) {
      guard let text = try MappedFile(path: path).view.utf8 else {
        throw Diagnostic("RAT001", "this is no text")
      }
      return try JSON(parsing: text)
    }
  }
  func required(_ name: String, _ remedy: String) throws -> String {
    guard let value = arguments.value(name) else {
      throw Diagnostic("CLI005", "\(name) is missing", remedy: remedy)
    }
    return value
  }
  let kinds = RatingMethod.Kind.allCases.map(\.rawValue).joined(separator: " or ")
  let word = try required("--method", "--method \(kinds)")
  guard let kind = RatingMethod.Kind(rawValue: word) else {
    throw Diagnostic("CLI004", "--method cannot be '\(word)'", remedy: kinds)
  }
  let described = try required("--properties", "a JSON of what the columns count for")
  let table = try MeasurementTable(
    CSV.records(ofFile: arguments.operands[0]),
    properties: try locating(described) { try PropertyMeta.read(try json(described)) }
  )
  var method = RatingMethod(kind)
  method.index = arguments.value("--index").flatMap(RatingMethod.Index.init) ?? .best
  method.mode = arguments.value("--mode").flatMap(RatingMethod.Mode.init) ?? .mean
  if let name = arguments.value("--reference"), name != "optimal" {
    method.reference = .model(name)
  }
  if let path = arguments.value("--weights") {
    for (key, value) in try json(path).pairs ?? [] {
      guard let weight = value.double, weight >= 0 else {
        throw Diagnostic("RAT001", "the weight of '\(key)' is no number from zero on", at: [path])
      }
      method.weights[key] = weight
    }
  }
  if let path = arguments.value("--boundaries") {
    method.boundaries = try locating(path) { try Boundaries(json: try json(path)) }
  }
  let ratings = try method.rate(table)
  if let path = arguments.value("--save-boundaries") {
    let bytes = Array((ratings.boundaries.json.text(pretty: true) + "\n").utf8)
    try AtomicFile.write([ByteView(bytes)], to: path)
  }
  try console.result(ratings.json, text: text(ratings))
  return .done
}

/// A table for each task, data set and environment, the best compound first.
private func text(_ ratings: Ratings) -> String {
  var groups: [[String]: [Ratings.Row]] = [:]
  for row in ratings.rows {
    groups[[row.source.task, row.source.dataset, row.source.environment], default: []].append(row)
  }
  let header =
    ["model", "compound"] + (ratings.rows.first?.parts.map(\.name) ?? [])
    + ratings.properties.map(\.shortName)
  func cell(_ grade: Ratings.Grade?) -> String {
    grade.map { "\($0.letter.text) \(Text.fixed($0.index, 3))" } ?? "-"
  }
  var text = ""
  for (key, rows) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
    let best = rows.sorted { $0.compound.index > $1.compound.index }
    text += "\(key[2]), \(key[0]) on \(key[1])\n"
    text += Text.table(
      header,
      best.map { row in
        [row.source.model, cell(row.compound)] + row.parts.map { cell($0.grade) }
          + row.properties.map(cell)
      }
    )
    text += "\n"
  }
  for (dataset, model) in ratings.references.sorted(by: { $0.key < $1.key }) {
    text += "centered on \(model) for \(dataset)\n"
  }
  return text
}
