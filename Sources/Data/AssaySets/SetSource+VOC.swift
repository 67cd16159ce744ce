import AssayAccuracy
import AssayBase
import AssayData
import AssayHost

extension SetSource {
  /// Pascal VOC's layout, or any part of it: without a list of `ImageSets` all pictures are taken.
  static func voc(_ path: String, _ options: Options) throws -> (LabelledSet, [Diagnostic]) {
    let folder = Host.join(path, "JPEGImages")
    guard Host.kind(of: folder) == .folder else {
      throw Diagnostic(
        "DST003",
        "there is no folder JPEGImages",
        at: [path],
        remedy: "give the folder that has JPEGImages, Annotations and ImageSets in it"
      )
    }
    var stems: [String: String] = [:]
    for file in try pictures(folder) {
      stems[String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])] = file
    }
    let kind = options.wantsRegions ? "Segmentation" : "Main"
    let list = Host.join(path, "ImageSets/\(kind)/\(options.split).txt")
    let wanted = Host.kind(of: list) == .file ? try lines(list) : stems.keys.sorted()
    var faults: [Diagnostic] = []
    var findings: [Diagnostic] = []
    var raw: [(item: LabelledSet.Item, annotation: VOCAnnotation?)] = []
    for name in wanted {
      let stem = String(name.prefix { !$0.isWhitespace })
      guard let file = stems[stem] else {
        faults.append(Diagnostic("DST006", "there is no picture '\(stem)'", at: [list]))
        continue
      }
      var item = LabelledSet.Item(name: file, path: Host.join(folder, file))
      if options.wantsRegions {
        let regions = Host.join(path, "SegmentationClass/\(stem).png")
        guard Host.kind(of: regions) == .file else {
          faults.append(
            Diagnostic("DST006", "the pixels of '\(stem)' have no classes", at: [regions])
          )
          continue
        }
        item.regions = regions
        raw.append((item, nil))
      } else {
        let file = Host.join(path, "Annotations/\(stem).xml")
        guard Host.kind(of: file) == .file else {
          faults.append(Diagnostic("DST006", "the picture '\(stem)' has no annotation", at: [file]))
          continue
        }
        raw.append((item, try locating(file) { try VOCAnnotation(MappedFile(path: file).view) }))
      }
    }
    try Diagnostics(faults.count > 20 ? Array(faults.prefix(20)) : faults).throwIfErrors()
    if options.wantsRegions {
      let set = LabelledSet(
        task: .regions,
        source: path,
        classes: LabelMaps.voc21,
        items: raw.map(\.item)
      )
      return (set, [])
    }
    let met = Set(raw.flatMap { $0.annotation?.objects.map(\.name) ?? [] })
    let standard = Array(LabelMaps.voc21.dropFirst())
    let classes = met.isSubset(of: standard) ? standard : met.sorted()
    var items: [LabelledSet.Item] = []
    for entry in raw {
      var item = entry.item
      for object in entry.annotation?.objects ?? [] {
        guard let category = classes.firstIndex(of: object.name) else { continue }
        if let annotation = entry.annotation, annotation.width > 0,
          object.box.area
            - object.box.clipped(width: Double(annotation.width), height: Double(annotation.height))
            .area > 1, findings.count < 20
        {
          findings.append(
            Diagnostic(
              "ACC013",
              "a box of '\(object.name)' reaches outside of '\(item.name)'",
              severity: .warning
            )
          )
        }
        item.objects.append(
          TruthObject(category: category, box: object.box, isCrowd: object.isDifficult)
        )
      }
      items.append(item)
    }
    return (LabelledSet(task: .objects, source: path, classes: classes, items: items), findings)
  }

  /// The class of each pixel of a picture of regions: gray values are classes, colors are VOC's.
  ///
  /// - Throws: `Diagnostic` DST008 for a color that stands for no class.
  public static func regions(_ image: Image, classCount: Int) throws -> [UInt8] {
    if image.channels == 1 { return image.pixels }
    var known: [UInt32: UInt8] = [:]
    func key(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> UInt32 {
      UInt32(r) << 16 | UInt32(g) << 8 | UInt32(b)
    }
    for label in Array(0..<min(classCount, 255)) + [255] {
      let color = LabelMaps.vocColor(label)
      known[key(color.r, color.g, color.b)] = UInt8(label)
    }
    return try (0..<image.width * image.height).map { index in
      let (r, g, b) = (
        image.pixels[index * 3], image.pixels[index * 3 + 1], image.pixels[index * 3 + 2]
      )
      guard let label = known[key(r, g, b)] else {
        throw Diagnostic(
          "DST008",
          "the color \(r), \(g), \(b) at pixel \(index) stands for no class",
          remedy: "regions are gray values, or Pascal VOC's colors"
        )
      }
      return label
    }
  }

  /// Texts with labels, which are indices or names.
  static func texts(_ path: String, _ names: [String]?) throws -> LabelledSet {
    guard let text = try MappedFile(path: path).view.utf8 else {
      throw Diagnostic("DAT025", "the file is not text (UTF-8)", at: [path])
    }
    let lines = withoutMark(text).split(whereSeparator: \.isNewline)
    let header =
      lines.first?.split(separator: "\t", omittingEmptySubsequences: false)
      .map { plain($0).lowercased() } ?? []
    guard let textColumn = header.firstIndex(where: { ["sentence", "text"].contains($0) }),
      let labelColumn = header.firstIndex(of: "label")
    else {
      throw Diagnostic(
        "DST005",
        "the first line does not name the columns text (or sentence) and label",
        at: [path, "line 1"]
      )
    }
    var faults: [Diagnostic] = []
    var rows: [(text: String, label: String)] = []
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == header.count, !plain(fields[labelColumn]).isEmpty else {
        if faults.count < 20 {
          faults.append(
            Diagnostic(
              "DST006",
              "\(fields.count) columns instead of \(header.count), or no label",
              at: [path, "line \(number + 1)"]
            )
          )
        }
        continue
      }
      rows.append((plain(fields[textColumn]), plain(fields[labelColumn])))
    }
    try Diagnostics(faults).throwIfErrors()
    let isIndexed = rows.allSatisfy { Int($0.label).map { (0..<100_000).contains($0) } ?? false }
    let highest = rows.compactMap { Int($0.label) }.max() ?? 0
    let classes =
      names ?? (isIndexed ? (0...highest).map { "\($0)" } : Set(rows.map(\.label)).sorted())
    let items = try rows.enumerated().map { number, row in
      guard let label = isIndexed ? Int(row.label) : classes.firstIndex(of: row.label),
        label < classes.count
      else {
        throw Diagnostic(
          "DST006",
          "'\(row.label)' is none of the classes",
          at: [path, "text \(number + 1)"]
        )
      }
      var item = LabelledSet.Item(name: "\(number + 1)", path: "", label: label, text: row.text)
      item.sha256 = sha256(row.text)
      return item
    }
    return LabelledSet(task: .text, source: path, classes: classes, items: items)
  }
}
