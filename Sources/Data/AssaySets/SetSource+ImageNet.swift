import AssayAccuracy
import AssayBase
import AssayData
import AssayHost

extension SetSource {
  /// ImageNet's pictures with labels in any of the forms that people have:
  /// folders of synsets; a list of `NAME INDEX` or `NAME SYNSET` lines; Kaggle's CSV
  /// (`ImageId,PredictionString`, the synset first); a list of one index a line, in the order of the
  /// pictures' names; or a folder of XML annotations.
  ///
  /// Classes are ImageNet's 1000 synsets in their alphabetical order, which is the order of all published
  /// networks, also where only some of them are there; other folders are classes in their own order.
  static func imagenet(
    _ path: String,
    _ options: Options,
    _ names: [String]?
  ) throws -> (LabelledSet, [Diagnostic]) {
    guard let labels = options.labels else {
      let synsets = try folders(in: path)
      guard !synsets.isEmpty else {
        throw Diagnostic(
          "DST005",
          "the pictures have no labels: there is no folder for each synset",
          at: [path],
          remedy: "name a list with --labels: lines of NAME INDEX, Kaggle's CSV, or a folder of XML"
        )
      }
      var items: [LabelledSet.Item] = []
      // Folders of some of ImageNet's synsets have the numbers that networks give those.
      let places = synsets.compactMap { LabelMaps.imagenetIndex(ofSynset: $0) }
      let isImageNet = places.count == synsets.count && names.map { $0.count >= 1000 } ?? true
      for (index, synset) in synsets.enumerated() {
        let inner = Host.join(path, synset)
        items += try pictures(inner).map {
          LabelledSet.Item(
            name: "\(synset)/\($0)",
            path: Host.join(inner, $0),
            label: isImageNet ? places[index] : index
          )
        }
      }
      if isImageNet {
        let classes = names.map { Array($0.suffix(1000)) } ?? LabelMaps.classNames("imagenet") ?? []
        return (LabelledSet(task: .classes, source: path, classes: classes, items: items), [])
      }
      let (classes, known) = try numbered(synsets, names, at: path)
      for (index, item) in items.enumerated() {
        items[index].label = item.label.flatMap { known[synsets[$0]] }
      }
      return (LabelledSet(task: .classes, source: path, classes: classes, items: items), [])
    }
    let files = try pictures(path)
    let rows =
      try Host.kind(of: labels) == .folder
      ? annotated(labels) : listed(labels, files: files)
    return try joined(files, rows, path, labels, names)
  }

  /// The classes that words stand for, and each word's number.
  ///
  /// Words of a list of names are numbered as there; other words, as synsets, in the order of the alphabet,
  /// which is then also that of the names.
  ///
  /// - Parameter words: sorted, each once.
  private static func numbered(
    _ words: [String],
    _ names: [String]?,
    at path: String
  ) throws -> (classes: [String], known: [String: Int]) {
    func places(_ list: [String]) -> [String: Int] {
      Dictionary(list.enumerated().map { ($1, $0) }) { first, _ in first }
    }
    guard let names else { return (words, places(words)) }
    let strangers = words.filter { !names.contains($0) }
    if strangers.isEmpty { return (names, places(names)) }
    guard strangers.count == words.count else {
      throw Diagnostics(
        strangers.prefix(20).map { word in
          Diagnostic(
            "DST006",
            "the class '\(word)' is none of the class names",
            at: [path],
            remedy: nearest(to: word, among: names).map { "did you mean '\($0)'?" }
          )
        }
      )
    }
    guard names.count == words.count || names.count == words.count + 1 else {
      throw Diagnostic(
        "DST006",
        "there are \(names.count) class names for \(words.count) classes",
        at: [path]
      )
    }
    return (Array(names.suffix(words.count)), places(words))
  }

  private typealias Row = (name: String, label: String, place: String)

  /// The stem of a file's name.
  private static func stem(_ name: String) -> String {
    let last = Host.name(of: name)
    guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return last }
    return String(last[..<dot])
  }

  private static func annotated(_ folder: String) throws -> [Row] {
    try Host.list(folder).filter { $0.hasSuffix(".xml") }.sorted().map { name in
      let path = Host.join(folder, name)
      let annotation = try locating(path) { try VOCAnnotation(MappedFile(path: path).view) }
      guard let first = annotation.objects.first else {
        throw Diagnostic("DST006", "the annotation has no object", at: [path])
      }
      return (stem(name), first.name, path)
    }
  }

  private static func listed(_ path: String, files: [String]) throws -> [Row] {
    let lines = try lines(path)
    let isCSV = lines.first.map { $0.contains(",") } ?? false
    let known = Set(files.map(stem))
    if !isCSV, lines.allSatisfy({ Int($0) != nil }) {
      guard lines.count == files.count else {
        throw Diagnostic(
          "DST006",
          "there are \(lines.count) labels for \(files.count) pictures",
          at: [path],
          remedy: "a list without names needs a label for each picture, in the order of their names"
        )
      }
      return zip(files, lines).enumerated().map { (stem($1.0), $1.1, "line \($0 + 1)") }
    }
    var rows: [Row] = []
    for (number, line) in lines.enumerated() {
      var words = line.split { $0 == " " || $0 == "\t" || $0 == "," }.map { String($0) }
      guard words.count >= 2 else {
        throw Diagnostic("DST006", "a line has no label", at: [path, "line \(number + 1)"])
      }
      // Names may have blanks and stand in quotes: whoever writes those has two columns.
      let cells = (isCSV ? try CSV.records(of: line).first?.fields : nil) ?? [line]
      let columns = cells.count > 1 ? cells : line.split(separator: "\t").map { String($0) }
      if !known.contains(stem(words[0])), columns.count > 1, known.contains(stem(plain(columns[0])))
      {
        words = columns.prefix(2).map { plain($0) }
      }
      if number == 0, isCSV, ["imageid", "file", "name"].contains(words[0].lowercased()) {
        continue
      }
      rows.append((stem(words[0]), words[1], "line \(number + 1)"))
    }
    return rows
  }

  /// Numbers among names, and numbers that are not whole, are slips of the pen that would make other classes
  /// of all.
  private static func refuseMixed(_ rows: [Row], _ list: String, _ names: [String]?) throws {
    let isNumbered = rows.count { Int($0.label) != nil } * 2 >= rows.count
    let odd = rows.filter { row in
      if let names, names.contains(row.label) { return false }
      if isNumbered { return Int(row.label) == nil }
      return row.label.first?.isNumber == true && Double(row.label) != nil
    }
    try Diagnostics(
      odd.prefix(20).map { row in
        Diagnostic(
          "DST006",
          isNumbered
            ? "the label '\(row.label)' is no whole number, as the others are"
            : "the label '\(row.label)' is a number, but neither are the others nor is it a class name",
          at: [list, row.place],
          remedy: "give indices from 0, or names, for all pictures"
        )
      }
    ).throwIfErrors()
  }

  private static func joined(
    _ files: [String],
    _ rows: [Row],
    _ path: String,
    _ list: String,
    _ names: [String]?
  ) throws -> (LabelledSet, [Diagnostic]) {
    let isIndexed = rows.allSatisfy { Int($0.label) != nil }
    try refuseMixed(rows, list, names)
    let present = isIndexed ? [] : Set(rows.map(\.label)).sorted()
    // Some of ImageNet's synsets have the numbers that networks give those.
    let isImageNet =
      !isIndexed && present.allSatisfy { LabelMaps.imagenetIndex(ofSynset: $0) != nil }
    let other = isIndexed || isImageNet ? nil : try numbered(present, names, at: list)
    let synsets = isImageNet ? LabelMaps.imagenet.map(\.synset) : present
    var faults: [Diagnostic] = []
    func fault(_ words: String, _ place: String, _ remedy: String? = nil) {
      if faults.count < 20 {
        faults.append(Diagnostic("DST006", words, at: [list, place], remedy: remedy))
      }
    }
    var labels: [String: Int] = [:]
    var known: [String: Int] = [:]
    for (index, synset) in synsets.enumerated() { known[synset] = index }
    if let other { known = other.known }
    let highest =
      isIndexed ? rows.compactMap { Int($0.label) }.max() ?? 0 : known.values.max() ?? 0
    // A list of 1...1000 is the development kit's own order, in which no network numbers its classes.
    let lowest = isIndexed ? rows.compactMap { Int($0.label) }.min() ?? 0 : 0
    if isIndexed, lowest < 0 || highest > 1000 || (highest == 1000 && lowest > 0) {
      throw Diagnostic(
        "DST006",
        "the labels are \(lowest) to \(highest), classes are numbered from 0 to 999",
        at: [list],
        remedy:
          "1 to 1000 is the order of ImageNet's development kit (ILSVRC2012 ids), which is not "
          + "that of networks: give a list with synsets, or with indices from 0"
      )
    }
    for row in rows {
      guard let label = isIndexed ? Int(row.label) : known[row.label] else { continue }
      if let old = labels[row.name], old != label {
        fault("'\(row.name)' has two labels", row.place)
      }
      labels[row.name] = label
    }
    let stems = Set(files.map(stem))
    for row in rows where !stems.contains(row.name) {
      fault(
        "the labels name '\(row.name)', which is not among the pictures",
        row.place,
        "is this the list of these pictures?"
      )
    }
    for file in files where labels[stem(file)] == nil {
      fault("the picture '\(file)' has no label", file)
    }
    try Diagnostics(faults).throwIfErrors()
    let items = files.map {
      LabelledSet.Item(name: $0, path: Host.join(path, $0), label: labels[stem($0)])
    }
    let count = isIndexed ? max(highest + 1, names?.count ?? 0) : synsets.count
    var classes =
      other?.classes ?? names
      ?? (isImageNet
        ? LabelMaps.classNames("imagenet") ?? synsets
        : isIndexed ? (0..<count).map { "\($0)" } : synsets)
    // 1001 names have the background in front.
    if other == nil, classes.count == 1001, highest <= 999 { classes.removeFirst() }
    guard classes.count > highest else {
      throw Diagnostic(
        "DST006",
        "the labels go up to \(highest), there are \(classes.count) class names",
        at: [list]
      )
    }
    return (LabelledSet(task: .classes, source: path, classes: classes, items: items), [])
  }
}
