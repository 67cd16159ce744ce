import AssayBase
import AssayHost
import AssayModels

/// The results of `zoo check` in a folder, as the table of docs/zoo.md.
struct ZooTable {
  /// The results, in the order of the zoo.
  let rows: [JSON]

  /// Reads a folder; files that are no results are left out.
  init(folder: String) throws {
    let found = try Host.list(folder).filter { $0.hasSuffix(".json") }.compactMap { name -> JSON? in
      guard let text = try MappedFile(path: Host.join(folder, name)).view.utf8,
        let json = try? JSON(parsing: text), json["schema"]?.string == "assay.zoo-result/1"
      else { return nil }
      return json
    }
    let order = Dictionary(
      Zoo.entries.enumerated().map { ($1.name, $0) },
      uniquingKeysWith: { first, _ in first }
    )
    func place(_ row: JSON) -> Int { row["network"]?.string.flatMap { order[$0] } ?? .max }
    rows = found.sorted { place($0) < place($1) }
  }

  private static let runtimes = [
    (id: "litert", name: "LiteRT"), (id: "onnxruntime", name: "ONNX Runtime"),
    (id: "openvino", name: "OpenVINO"),
  ]

  private var recipes: [String] {
    var result: [String] = []
    for row in rows {
      for file in row["files"]?.array ?? [] {
        if let recipe = file["recipe"]?.string, !result.contains(recipe) { result.append(recipe) }
      }
    }
    return result
  }

  /// Two tables, what the networks are and what runs them, and the reasons of those that failed.
  var markdown: String {
    let recipes = recipes
    var text = table(
      ["network", "parameters", "MACs", "operators", "mostly"] + recipes,
      rows.map { row in
        let kinds = row["operators"]?.array ?? []
        let count = kinds.reduce(0) { $0 + ($1["count"]?.int ?? 0) }
        let common = kinds.prefix(3).map { "\($0["kind"]?.string ?? "") \($0["count"]?.int ?? 0)" }
        return [
          row["network"]?.string ?? "", Text.count(row["parameters"]?.int ?? 0),
          Text.count(row["macs"]?.int ?? 0), "\(count)", common.joined(separator: ", "),
        ] + recipes.map { size(row, $0) }
      }
    )
    var reasons: [String: [String]] = [:]
    text +=
      "\n"
      + table(
        ["network"] + Self.runtimes.map(\.name),
        rows.map { row in
          [row["network"]?.string ?? ""] + Self.runtimes.map { cell(row, $0.id, recipes, &reasons) }
        }
      )
    guard !reasons.isEmpty else { return text }
    text += "\nWhat failed, and why:\n\n"
    for (reason, places) in reasons.sorted(by: { $0.key < $1.key }) {
      text += "- \(reason): \(places.sorted().joined(separator: ", "))\n"
    }
    return text
  }

  /// Writes the tables to a file: between the marks of one that has them, else as the whole file.
  func write(to path: String) throws {
    let marks = ("<!-- zoo check -->\n", "<!-- /zoo check -->")
    let text = (try? MappedFile(path: path))?.view.utf8 ?? ""
    guard let start = text.firstRange(of: marks.0),
      let end = text[start.upperBound...].firstRange(of: marks.1)
    else { return try AtomicFile.write(markdown, to: path) }
    let (before, after) = (text[..<start.upperBound], text[end.lowerBound...])
    try AtomicFile.write("\(before)\n\(markdown)\n\(after)", to: path)
  }

  private func table(_ header: [String], _ rows: [[String]]) -> String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
    let rule = line(header.enumerated().map { $0.offset == 0 ? "---" : "---:" })
    return line(header) + rule + rows.map(line).joined()
  }

  /// The size of a variant's TFLite file, or of its ONNX file where only that could be written.
  private func size(_ row: JSON, _ recipe: String) -> String {
    let files = (row["files"]?.array ?? []).filter { $0["recipe"]?.string == recipe }
    let file = files.first { $0["format"]?.string == "tflite" } ?? files.first
    return file?["bytes"]?.int.map(Text.bytes) ?? ""
  }

  /// What a runtime made of the recipes: decibels, or a mark for one that failed.
  private func cell(
    _ row: JSON,
    _ runtime: String,
    _ recipes: [String],
    _ reasons: inout [String: [String]]
  ) -> String {
    let runs = (row["runs"]?.array ?? []).filter {
      [runtime, "all"].contains($0["runtime"]?.string)
    }
    return recipes.map { recipe in
      guard let run = runs.first(where: { $0["recipe"]?.string == recipe }) else { return "" }
      if let fault = run["fault"]?.string {
        let place = "\(row["network"]?.string ?? "") \(recipe) on \(run["runtime"]?.string ?? "")"
        if !reasons[fault, default: []].contains(place) {
          reasons[fault, default: []].append(place)
        }
        return "x"
      }
      guard let decibels = run["decibels"]?.double else { return "" }
      return decibels <= -200 ? "nonsense" : decibels >= 200 ? "equal" : Text.fixed(decibels, 0)
    }.joined(separator: " / ")
  }
}
