import AssayBase
import AssayFigures
import AssayRate
import AssayRecord
import AssayStore

let labelCommand = CommandSpec(
  name: "label",
  summary: "the energy label of a measured model on its device, as SVG, PDF or PNG",
  discussion: """
    Draws the grade of a record with its probability, its latency, energy, accuracy and size, each
    marked as measured or not, and a QR code that names the record. No host name and no serial number is
    on it. The label needs Cairo and libqrencode; assay doctor tells whether they are there.
    """,
  operands: [
    Operand(
      word: "RECORD",
      help: "a record's id or its beginning, or a part of the model's name (default: the newest)",
      isOptional: true
    )
  ],
  options: [
    Option(
      "--output",
      short: "-o",
      .value("FILE"),
      "the label: .svg, .pdf or .png (default: label.svg)"
    ),
    Option(
      "--store",
      .repeated("URL"),
      "a store of records (default: store.sqlite in $ASSAY_HOME)"
    ),
    Option("--variant", .value("NAME"), "only records of this variant"),
    Option(
      "--task",
      .value("NAME"),
      "a scale that comes with Assay: image-classification, variants"
    ),
    Option("--scale", .value("FILE"), "a scale of one's own"),
    Option("--gate", .repeated("RULE"), "no grade without it, such as accuracy>=99%original"),
    Option(
      "--weights",
      .value("FILE"),
      "JSON: weights by property, in the place of the usual ones"
    ),
    Option("--boundaries", .value("FILE"), "JSON: four limits by property, best first"),
    Option("--url", .value("PREFIX"), "the QR code says PREFIX and the record's id"),
    Option("--width", .value("PIXELS"), "the width of a PNG (default: 720)"),
  ],
  examples: [
    ("assay label digits --variant static_int8 -o digits.pdf", "the newest such record"),
    ("assay label --task image-classification -o label.png", "graded against known networks"),
  ]
) { arguments, console in
  let path = arguments.value("--output") ?? "label.svg"
  let format = try DrawingFormat(path: path)
  let pixels = try arguments.integer("--width", minimum: 90)
  if let pixels, pixels > 8000 {
    throw Diagnostic("CLI006", "--width must be at most 8000, not \(pixels)")
  }
  let all = try storedRecords(arguments)
  let record = try chosenRecord(all, arguments)
  let task = arguments.value("--task") ?? "unknown"
  guard let subject = Subject.of(all, chosen: [record], task: task).first else { return .fault }
  let scale = try ratingScale(arguments, [subject])
  let gates = try arguments.all("--gate").map { try Gate($0, among: scale.properties) }
  let rating = scale.rate(subject, gates: gates)
  let label = EnergyLabel(record, rating: rating, scale: scale, address: arguments.value("--url"))
  try AtomicFile.write([ByteView(try label.file(format, pixels: pixels))], to: path)
  var result = rating.json
  result["label"] = .string(path)
  result["link"] = .string(label.link)
  let grade = rating.compound.map { $0.probabilities == nil ? $0.letter.text : $0.text }
  var text = "\(path): \(rating.subject.title) on \(label.device), "
  text += grade.map { "grade \($0)" } ?? "no grade"
  text += " by the scale \(scale.title)\n"
  for note in rating.notes {
    text += "note: \(note.summary)\(note.remedy.map { " (\($0))" } ?? "")\n"
  }
  try console.result(result, text: text)
  return .done
}

/// The newest record that the operand and `--variant` name.
private func chosenRecord(_ all: [Record], _ arguments: Arguments) throws -> Record {
  var found = all
  if let variant = arguments.value("--variant") { found = found.filter { $0.variant == variant } }
  if let word = arguments.operand(0) {
    let byID = found.filter { $0.id == word || $0.id.hasPrefix(word) }
    found = byID.isEmpty ? found.filter { Subject.name($0).contains(word) } : byID
  }
  // The newest valid one, else the newest: an invalid one has no latency to show.
  let newest = found.sorted { $0.finishedAt > $1.finishedAt }
  guard let record = newest.first(where: { $0.verdict == .valid }) ?? newest.first else {
    let names = Set(all.map(Subject.name)).sorted().prefix(6).joined(separator: ", ")
    throw Diagnostic(
      "RAT024",
      "no record is called so",
      at: [arguments.operand(0) ?? arguments.value("--variant") ?? ""],
      remedy: "the store has \(names)"
    )
  }
  return record
}
