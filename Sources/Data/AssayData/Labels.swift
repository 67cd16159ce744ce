import AssayBase
import AssayCodec
import AssayHost

/// A labels CSV, read and resolved to indices.
struct LabelTable {
  struct Row {
    var line: Int
    var file: String
    var label: Int
  }
  var rows: [Row]
  /// The names of the classes: those given, else those met, sorted; empty when labels are indices.
  var names: [String]

  /// Reads a CSV with the header `file,label`.
  ///
  /// Labels that are all whole numbers are indices; otherwise each is a name, looked up in `names`
  /// or, without these, in the sorted list of the names met. Other columns are ignored.
  ///
  /// - Throws: `Diagnostic` DAT030 (header), `Diagnostics` DAT031 and DAT032 with every bad line.
  static func read(_ path: String, names: [String], classCount: Int?) throws -> LabelTable {
    let records = try CSV.records(ofFile: path)
    let header = records.first?.fields.map { trimmed($0).lowercased() } ?? []
    guard let fileColumn = header.firstIndex(of: "file"),
      let labelColumn = header.firstIndex(of: "label")
    else {
      throw Diagnostic(
        "DAT030",
        "the labels have no header 'file,label'",
        at: [path, "line 1"],
        remedy: "begin the file with the line file,label"
      )
    }
    var faults: [Diagnostic] = []
    func fault(_ code: String, _ words: String, _ line: Int, remedy: String? = nil) {
      faults.append(Diagnostic(code, words, at: [path, "line \(line)"], remedy: remedy))
    }
    var raw: [(line: Int, file: String, label: String)] = []
    var seen: [String: Int] = [:]
    for record in records.dropFirst() {
      guard record.fields.count == header.count else {
        fault("DAT031", "\(record.fields.count) columns instead of \(header.count)", record.line)
        continue
      }
      let file = trimmed(record.fields[fileColumn])
      let label = trimmed(record.fields[labelColumn])
      if file.isEmpty || label.isEmpty {
        fault("DAT031", "the \(file.isEmpty ? "file" : "label") is empty", record.line)
      } else if let first = seen[file] {
        fault("DAT031", "'\(file)' stands on line \(first) already", record.line)
      } else {
        seen[file] = record.line
        raw.append((record.line, file, label))
      }
    }
    let isIndexed = raw.allSatisfy { Int($0.label) != nil }
    let known = isIndexed || !names.isEmpty ? names : Set(raw.map(\.label)).sorted()
    var byName: [String: Int] = [:]
    for (index, name) in known.enumerated() where byName[name] == nil { byName[name] = index }
    let limit = classCount.map { max($0, 2) } ?? (known.isEmpty ? Int.max : known.count)
    var rows: [Row] = []
    for row in raw {
      guard let index = byName[row.label] ?? (isIndexed ? Int(row.label) : nil) else {
        fault(
          "DAT032",
          "'\(row.label)' is none of the class names",
          row.line,
          remedy: nearest(to: row.label, among: known).map { "did you mean '\($0)'?" }
        )
        continue
      }
      guard index >= 0, index < limit else {
        fault("DAT032", "the label \(row.label) is none of the \(limit) classes", row.line)
        continue
      }
      rows.append(Row(line: row.line, file: row.file, label: index))
    }
    try Diagnostics(faults).throwIfErrors()
    return LabelTable(rows: rows, names: known)
  }
}

extension Dataset {
  /// The data with the labels of a CSV or of an `.npy`.
  ///
  /// Samples that the CSV does not list stay without a label.
  ///
  /// - Throws: `Diagnostic` or `Diagnostics` DAT03x.
  func labelled(by path: String, classCount: Int?) throws -> Dataset {
    var copy = self
    if hasEnding(path, ["npy"]) {
      let labels = Dataset.indices(try locating(path) { try NPY.read(MappedFile(path: path).view) })
      guard labels.count == count else {
        throw Diagnostic(
          "DAT033",
          "there are \(labels.count) labels for \(count) samples",
          at: [path]
        )
      }
      for index in labels.indices { copy.items[index].label = labels[index] }
      try copy.checkRange(classCount: classCount, path: path)
      return copy
    }
    let table = try LabelTable.read(path, names: labelNames, classCount: classCount)
    var byName: [String: Int] = [:]
    for (index, item) in items.enumerated() { byName[item.name] = index }
    var faults: [Diagnostic] = []
    let base = Host.folder(of: path)
    for row in table.rows {
      // A file is named as in the data, or by a path relative to the CSV.
      let full = Host.realPath(Host.join(base, row.file))
      let index =
        byName[row.file] ?? byName[Host.name(of: row.file)]
        ?? items.firstIndex { item in
          guard let full, let place = item.path else { return false }
          return Host.realPath(place) == full
        }
      if let index {
        copy.items[index].label = row.label
      } else {
        faults.append(
          Diagnostic(
            "DAT024",
            "the labels name '\(row.file)', which is not among the data",
            at: [path, "line \(row.line)"],
            remedy: nearest(to: row.file, among: names).map { "did you mean '\($0)'?" }
          )
        )
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return Dataset(
      inputs: inputs,
      preprocessing: preprocessing,
      labelNames: table.names,
      path: self.path,
      items: copy.items,
      arrays: arrays
    )
  }

  private func checkRange(classCount: Int?, path: String) throws {
    let limit = classCount.map { max($0, 2) } ?? Int.max
    for item in items {
      guard let label = item.label, !(0..<limit).contains(label) else { continue }
      throw Diagnostic(
        "DAT032",
        "the label \(label) is none of the classes",
        at: [path, item.name]
      )
    }
  }
}

extension Dataset.Item {
  var path: String? {
    switch source {
    case .image(let path), .array(let path): path
    case .row: nil
    }
  }
}
