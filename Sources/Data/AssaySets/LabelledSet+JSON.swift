import AssayAccuracy
import AssayBase
import AssayHost

extension LabelledSet {
  /// The file in a set's folder; a folder without it is no set, whatever else it holds.
  public static let fileName = "set.json"
  private static let schema = "assay.set/1"

  /// Reads the set in a folder.
  ///
  /// - Throws: `Diagnostic` DST001 when there is none, or it is unfinished or broken.
  public init(folder: String) throws {
    let path = Host.join(folder, LabelledSet.fileName)
    guard Host.kind(of: path) == .file else {
      throw Diagnostic(
        "DST001",
        "there is no prepared set in this folder",
        at: [folder],
        remedy: "assay data prepare makes one; one that was interrupted goes on where it stopped"
      )
    }
    self = try locating(path) {
      guard let set = try LabelledSet(json: JSON(parsing: MappedFile(path: path).view.array)) else {
        throw Diagnostic("DST001", "this is no set of this version", remedy: "prepare it again")
      }
      return set
    }
  }

  init?(json: JSON) throws {
    guard json["schema"]?.string == LabelledSet.schema,
      let task = json["task"]?.string.flatMap(Task.init), let source = json["source"]?.string,
      let classes = json["classes"]?.array?.compactMap(\.string), let entries = json["items"]?.array
    else { return nil }
    self.init(
      task: task,
      source: source,
      classes: classes,
      categoryIDs: json["categoryIds"]?.ints ?? [],
      items: try entries.map { try Item(json: $0, classCount: classes.count) }
    )
    selection = json["selection"]?.string ?? ""
    skipped = (json["skipped"]?.array ?? []).map {
      Skipped(name: $0["name"]?.string ?? "", reason: $0["reason"]?.string ?? "")
    }
  }

  /// The set for its file.
  public var json: JSON {
    .object([
      "schema": .string(LabelledSet.schema), "task": .string(task.rawValue),
      "source": .string(source), "sha256": .string(sha256), "selection": .string(selection),
      "classes": .array(classes.map { .string($0) }),
      "categoryIds": .array(categoryIDs.map { JSON($0) }),
      "skipped": .array(
        skipped.map { .object(["name": .string($0.name), "reason": .string($0.reason)]) }
      ),
      "items": .array(items.map(\.json)),
    ])
  }
}

extension LabelledSet.Item {
  init(json: JSON, classCount: Int) throws {
    guard let name = json["name"]?.string, let path = json["path"]?.string,
      let sha256 = json["sha256"]?.string
    else { throw Diagnostic("DST001", "an item has no name, path or hash") }
    self.init(name: name, path: path)
    self.sha256 = sha256
    width = json["width"]?.int ?? 0
    height = json["height"]?.int ?? 0
    label = json["label"]?.int
    regions = json["regions"]?.string
    text = json["text"]?.string
    id = json["id"]?.int
    guard (0...1 << 16).contains(width), (0...1 << 16).contains(height),
      label.map({ $0 >= 0 && $0 < max(classCount, 1) }) ?? true
    else { throw Diagnostic("DST001", "the extents or the label are out of range", at: [name]) }
    objects = try (json["objects"]?.array ?? []).map { entry in
      guard let category = entry["class"]?.int, (0..<classCount).contains(category),
        let edges = entry["box"]?.array?.compactMap(\.double), edges.count == 4
      else { throw Diagnostic("DST001", "an object has no class or no box", at: [name]) }
      return TruthObject(
        category: category,
        box: Box(x: edges[0], y: edges[1], width: edges[2], height: edges[3]),
        mask: try entry["mask"]?.string.map { try Mask(text: $0, width: width, height: height) },
        area: entry["area"]?.double,
        isCrowd: entry["crowd"]?.bool ?? false
      )
    }
  }

  var json: JSON {
    var entry = JSON.object([
      "name": .string(name), "path": .string(path), "sha256": .string(sha256),
    ])
    if width > 0 { entry["width"] = JSON(width) }
    if height > 0 { entry["height"] = JSON(height) }
    if let label { entry["label"] = JSON(label) }
    if let regions { entry["regions"] = .string(regions) }
    if let text { entry["text"] = .string(text) }
    if let id { entry["id"] = JSON(id) }
    if !objects.isEmpty {
      entry["objects"] = .array(
        objects.map { object in
          let box = object.box
          var made = JSON.object([
            "class": JSON(object.category),
            "box": [JSON(box.x), JSON(box.y), JSON(box.width), JSON(box.height)],
            "area": JSON(object.area),
          ])
          if object.isCrowd { made["crowd"] = true }
          if let mask = object.mask { made["mask"] = .string(mask.text) }
          return made
        }
      )
    }
    return entry
  }
}
