import AssayBase
import AssayData
import AssayRate

/// `assay rate` by one of the published methods.
func ratePublished(
  _ kind: RatingMethod.Kind,
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  func required(_ value: String?, _ name: String, _ remedy: String) throws -> String {
    guard let value else { throw Diagnostic("CLI005", "\(name) is missing", remedy: remedy) }
    return value
  }
  let own = [
    "--task", "--scale", "--gate", "--freeze", "--save-scale", "--store", "--session", "--model",
  ]
  if let word = own.first(where: arguments.has) {
    throw Diagnostic(
      "CLI006",
      "\(word) goes with Assay's own method, not with \(kind.rawValue)",
      remedy: "leave out --method"
    )
  }
  let described = try required(
    arguments.value("--properties"),
    "--properties",
    "a JSON of what the columns count for"
  )
  let path = try required(arguments.operand(0), "TABLE", "a CSV with the column model")
  let table = try MeasurementTable(
    CSV.records(ofFile: path),
    properties: try read(json: described, PropertyMeta.read)
  )
  var method = RatingMethod(kind)
  method.index = arguments.value("--index").flatMap(RatingMethod.Index.init) ?? .best
  method.mode = arguments.value("--mode").flatMap(RatingMethod.Mode.init) ?? .mean
  if let name = arguments.value("--reference"), name != "optimal" {
    method.reference = .model(name)
  }
  method.weights = try ratingWeights(arguments)
  if let path = arguments.value("--boundaries") {
    method.boundaries = try read(json: path, Boundaries.init(json:))
  }
  let ratings = try method.rate(table)
  if let path = arguments.value("--save-boundaries") {
    try writeJSON(ratings.boundaries.json, to: path)
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
