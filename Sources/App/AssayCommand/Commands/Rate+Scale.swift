import AssayBase
import AssayData
import AssayRate
import AssayRecord
import AssayStore

/// `assay rate` by Assay's own method.
func rateByScale(_ arguments: Arguments, _ console: Console) throws -> ExitStatus {
  for name in ["--index", "--reference"] where arguments.has(name) {
    throw Diagnostic(
      "RAT005",
      "\(name) belongs to the published methods; a scale has its reference set",
      remedy: "--method edge-acc, or --scale FILE"
    )
  }
  if let mode = arguments.value("--mode"), mode != "mean" {
    throw Diagnostic(
      "RAT005",
      "a scale has no compound by '\(mode)': only of means is it known how sure they are",
      remedy: "leave it out, or --method edge-acc"
    )
  }
  let subjects = try ratedSubjects(arguments)
  let scale = try ratingScale(arguments, subjects)
  if let path = arguments.value("--save-scale") ?? arguments.value("--freeze") {
    try writeJSON(scale.json, to: path)
  }
  if let path = arguments.value("--save-boundaries") {
    try writeJSON(scale.boundaries.json, to: path)
  }
  let gates = try arguments.all("--gate").map { try Gate($0, among: scale.properties) }
  let set = ScaleRatings(subjects, by: scale, gates: gates)
  try console.result(set.json, text: ratingText(set))
  return .done
}

/// The rows of the table, or the records of the stores, as subjects.
func ratedSubjects(_ arguments: Arguments) throws -> [Subject] {
  var subjects: [Subject]
  let source: String
  if let path = arguments.operand(0) {
    source = path
    let records = try CSV.records(ofFile: path)
    let properties =
      try arguments.value("--properties").map { described in
        try read(json: described, PropertyMeta.read)
      } ?? PropertyMeta.known(among: records.first?.fields ?? [])
    guard !properties.isEmpty else {
      throw Diagnostic(
        "RAT002",
        "no column is a property that scales know",
        at: [path],
        remedy: "call columns \(Scale.Property.known.map(\.key).joined(separator: ", ")), "
          + "or say with --properties what they are"
      )
    }
    subjects = Subject.of(try MeasurementTable(records, properties: properties))
  } else {
    source = "the store"
    let all = try storedRecords(arguments)
    let chosen = arguments.value("--session").map { id in all.filter { $0.session == id } }
    subjects = Subject.of(all, chosen: chosen, task: arguments.value("--task") ?? "unknown")
  }
  if let text = arguments.value("--model") {
    subjects = subjects.filter { $0.model.contains(text) }
  }
  guard !subjects.isEmpty else {
    throw Diagnostic(
      "RAT002",
      "there is nothing to rate",
      at: [source],
      remedy: "measure something (assay try, assay bench), or name another store"
    )
  }
  return subjects
}

/// The records of the stores that `--store` names, or of the usual one.
func storedRecords(_ arguments: Arguments) throws -> [Record] {
  let given = arguments.all("--store")
  let records =
    try given.isEmpty
    ? openStore(storeURL(arguments)).records()
    : given.flatMap { try openStore($0, mustExist: true).records() }
  guard !records.isEmpty else {
    throw Diagnostic(
      "RAT002",
      "there are no records",
      at: given.isEmpty ? [storeURL(arguments)] : given,
      remedy: "measure something (assay try, assay bench), or name another store"
    )
  }
  return records
}

/// The scale that the options ask for, with their weights and limits.
func ratingScale(_ arguments: Arguments, _ subjects: [Subject]) throws -> Scale {
  var scale = try plainScale(arguments, subjects)
  let weights = try ratingWeights(arguments)
  if !weights.isEmpty { scale = try scale.weighted(weights) }
  if let path = arguments.value("--boundaries") {
    scale = try read(json: path) { try scale.bounded(try Boundaries(json: $0)) }
  }
  return scale
}

private func plainScale(_ arguments: Arguments, _ subjects: [Subject]) throws -> Scale {
  if let path = arguments.value("--freeze") {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return try locating(path) {
      try Scale.freeze(
        subjects,
        name: name.hasSuffix(".json") ? String(name.dropLast(5)) : name,
        about: "frozen from \(subjects.count) models",
        properties: Scale.Property.known
      )
    }
  }
  if let path = arguments.value("--scale") {
    return try read(json: path, Scale.init(json:))
  }
  if let name = arguments.value("--task") { return try Scale.named(name) }
  // Only of `rate` is the operand a table.
  let isTable = arguments.command == "rate" && arguments.operand(0) != nil
  if !isTable { return try Scale.named("variants") }
  let scales = Set(subjects.map { Scale.forDataset($0.dataset)?.name })
  if scales.count == 1, let name = scales.first ?? nil { return try Scale.named(name) }
  throw Diagnostic(
    "RAT023",
    "no scale that comes with Assay is for the data of this table",
    remedy: "--task \(Scale.builtIn[0].name), or --freeze FILE to make these models a scale"
  )
}

/// A table for each environment and task, the best first.
func ratingText(_ set: ScaleRatings) -> String {
  let scale = set.scale
  let shown = scale.properties.filter { property in
    set.ratings.contains { $0[property.key]?.value != nil }
  }
  var groups: [String] = []
  var places: [String: [Int]] = [:]
  for place in set.ranking {
    let title = environment(set.ratings[place].subject)
    if places[title] == nil { groups.append(title) }
    places[title, default: []].append(place)
  }
  var text = "by the scale \(scale.title)\n"
  for title in groups.sorted() {
    text += "\n\(title)\n"
    text += Text.table(
      ["", "model", "grade", "index"] + scale.groupNames + shown.map(\.key),
      (places[title] ?? []).map { place in
        row(set.ratings[place], set.dominators[place].isEmpty, scale, shown)
      }
    )
  }
  text += "\n* no other measured alike is as good in everything   ~ not measured by us\n"
  return text + notes(set)
}

private func environment(_ subject: Subject) -> String {
  var title = subject.environment
  if let threads = subject.conditions["threads"] {
    title += threads == "1" ? ", 1 thread" : ", \(threads) threads"
  }
  if subject.task != "unknown" { title += ", \(subject.task)" }
  if subject.dataset != "unknown" { title += " on \(subject.dataset)" }
  return title
}

private func row(
  _ rating: Rating,
  _ isBest: Bool,
  _ scale: Scale,
  _ shown: [Scale.Property]
) -> [String] {
  let compound = rating.compound
  return [
    isBest && !rating.isRefused ? "*" : "", rating.subject.title,
    compound.map { $0.probabilities == nil ? "\($0.letter.text) (unsure)" : $0.text } ?? "-",
    compound.map { grade in
      let reach = grade.reach.map { " ±" + Text.fixed($0, 2) } ?? ""
      return (grade.index < 0 ? "" : " ") + Text.fixed(grade.index, 2) + reach
    } ?? "",
  ]
    + rating.groups.map { $0.grade?.letter.text ?? "-" }
    + shown.map { property in
      guard let part = rating[property.key], let value = part.value else { return "-" }
      let mark = value.provenance == .measured ? "" : "~"
      return "\(part.grade?.letter.text ?? "-") \(mark)\(property.text(value.value))"
    }
}

/// What is to be known, each finding once with how many it is about.
private func notes(_ set: ScaleRatings) -> String {
  var order: [String] = []
  var counts: [String: Int] = [:]
  for note in set.notes + set.ratings.flatMap(\.notes) {
    let words = note.summary + (note.remedy.map { " (\($0))" } ?? "")
    if counts[words] == nil { order.append(words) }
    counts[words, default: 0] += 1
  }
  let grades = set.ratings.compactMap(\.compound)
  if grades.contains(where: { $0.probabilities == nil }) {
    order.append("unsure: nobody knows how far the figures may be off")
  }
  let exact = set.scale.properties.map(\.key).filter { key in
    grades.contains { $0.probabilities != nil && $0.takenAsExact.contains(key) }
  }
  if !exact.isEmpty {
    order.append(
      "the probabilities take \(exact.joined(separator: ", ")) as exact: nobody knows how far off"
    )
  }
  let most = 12
  var text = order.prefix(most).map { words in
    let count = counts[words] ?? 1
    return "note: \(words)\(count > 1 ? " [\(count) rows]" : "")\n"
  }.joined()
  if order.count > most { text += "and \(order.count - most) more notes (--json -)\n" }
  return text
}
