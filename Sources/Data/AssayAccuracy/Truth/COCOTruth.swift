import AssayBase

/// The objects of a set of pictures, as COCO's annotation files have them.
public struct COCOTruth: Sendable, Equatable {
  /// A picture.
  public struct Picture: Sendable, Equatable {
    /// COCO's number for it.
    public var id: Int
    /// The file's name, relative to the pictures' folder.
    public var file: String
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int
    /// What is in it.
    public var objects: [TruthObject]
  }

  /// A class.
  public struct Category: Sendable, Equatable {
    /// COCO's number for it: 1 to 90 with gaps, of which networks have 80 in a row or 91 with gaps.
    public var id: Int
    /// Its name.
    public var name: String
  }

  /// The pictures in the order of their ids, which decides between equal scores.
  public let pictures: [Picture]
  /// The classes in the order of their ids; an object's category is the index among them.
  public let categories: [Category]
  /// What is odd in the file but does not spoil it: objects outside of their picture, classes without
  /// objects, pictures that are named twice.
  public let findings: [Diagnostic]

  /// Reads an annotation file.
  ///
  /// - Throws: `Diagnostics` ACC011 (no such file), ACC012 with every entry that is broken.
  public init(_ bytes: ByteView) throws {
    try self.init(json: try unsafe bytes.withUnsafeBytes { try JSON(parsing: unsafe Array($0)) })
  }

  /// Reads an annotation file's content.
  ///
  /// - Throws: as `init(_:)`.
  public init(json: JSON) throws {
    guard let images = json["images"]?.array, let annotations = json["annotations"]?.array,
      let classes = json["categories"]?.array
    else {
      throw Diagnostic(
        "ACC011",
        "this is no COCO annotation file: it needs images, annotations and categories",
        remedy: "give an instances_….json"
      )
    }
    var faults = Faults()
    let categories = COCOTruth.categories(classes, &faults)
    var pictures = COCOTruth.pictures(images, &faults)
    let categoryIndex = Dictionary(
      uniqueKeysWithValues: categories.enumerated().map { ($1.id, $0) }
    )
    let pictureIndex = Dictionary(uniqueKeysWithValues: pictures.enumerated().map { ($1.id, $0) })
    var ids = Set<Int>()
    var used = Set<Int>()
    for (place, entry) in annotations.enumerated() {
      let name = "annotation \(entry["id"]?.int.map { "\($0)" } ?? "#\(place)")"
      if let id = entry["id"]?.int, !ids.insert(id).inserted {
        faults.errors("\(name): the id is used twice")
        continue
      }
      guard let image = entry["image_id"]?.int.flatMap({ pictureIndex[$0] }) else {
        faults.errors("\(name): its image_id is none of the images")
        continue
      }
      guard let category = entry["category_id"]?.int.flatMap({ categoryIndex[$0] }) else {
        faults.errors("\(name): its category_id is none of the categories")
        continue
      }
      do {
        let object = try COCOTruth.object(entry, category, pictures[image])
        let reach = object.box.clipped(
          width: Double(pictures[image].width),
          height: Double(pictures[image].height)
        )
        // Rounding puts many boxes a fraction of a pixel outside.
        if object.box.area - reach.area > 1 + object.box.area * 0.01 {
          faults.warns("\(name): its box reaches outside of '\(pictures[image].file)'")
        }
        pictures[image].objects.append(object)
        used.insert(category)
      } catch let error as Diagnostic {
        faults.errors("\(name): \(error.summary)")
      }
    }
    for (index, category) in categories.enumerated() where !used.contains(index) {
      faults.warns("the class '\(category.name)' has no object")
    }
    try faults.throwIfErrors()
    self.categories = categories
    self.pictures = pictures
    findings = faults.warnings
  }

  private static func categories(_ entries: [JSON], _ faults: inout Faults) -> [Category] {
    var seen = Set<Int>()
    var result: [Category] = []
    for (place, entry) in entries.enumerated() {
      guard let id = entry["id"]?.int, let name = entry["name"]?.string else {
        faults.errors("category #\(place): it has no id or no name")
        continue
      }
      guard seen.insert(id).inserted else {
        faults.errors("category \(id): the id is used twice")
        continue
      }
      result.append(Category(id: id, name: name))
    }
    return result.sorted { $0.id < $1.id }
  }

  private static func pictures(_ entries: [JSON], _ faults: inout Faults) -> [Picture] {
    var seen = Set<Int>()
    var files = Set<String>()
    var result: [Picture] = []
    for (place, entry) in entries.enumerated() {
      guard let id = entry["id"]?.int, let file = entry["file_name"]?.string,
        let width = entry["width"]?.int, let height = entry["height"]?.int,
        (1...1 << 16).contains(width), (1...1 << 16).contains(height)
      else {
        faults.errors("image #\(place): it has no id, no file_name, or no extents")
        continue
      }
      guard seen.insert(id).inserted else {
        faults.errors("image \(id): the id is used twice")
        continue
      }
      guard !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
        faults.errors("image \(id): the file_name '\(file)' leads out of the pictures' folder")
        continue
      }
      if !files.insert(file).inserted { faults.warns("the picture '\(file)' is listed twice") }
      result.append(Picture(id: id, file: file, width: width, height: height, objects: []))
    }
    return result.sorted { $0.id < $1.id }
  }

  private static func object(
    _ entry: JSON,
    _ category: Int,
    _ picture: Picture
  ) throws -> TruthObject {
    let mask = try entry["segmentation"].flatMap {
      try COCOTruth.mask($0, width: picture.width, height: picture.height)
    }
    // A box that is given and broken is not made good by the mask.
    let given = entry["bbox"].flatMap { $0 == .null ? nil : $0 }
    guard let box = given.map({ COCOTruth.box($0) }) ?? mask?.boundingBox else {
      throw Diagnostic("ACC012", "it has no bbox of four numbers, the last two not below zero")
    }
    let isCrowd = entry["iscrowd"]?.int == 1 || entry["iscrowd"]?.bool == true
    return TruthObject(
      category: category,
      box: box,
      mask: mask,
      area: entry["area"]?.double,
      isCrowd: isCrowd
    )
  }

  static func box(_ json: JSON) -> Box? {
    guard let numbers = json.array?.map(\.double), numbers.count == 4,
      case let edges = numbers.compactMap(\.self), edges.count == 4, edges[2] >= 0, edges[3] >= 0
    else { return nil }
    let box = Box(x: edges[0], y: edges[1], width: edges[2], height: edges[3])
    return box.isFinite && abs(box.x) < 1e9 && abs(box.y) < 1e9 && box.width < 1e9
      && box.height < 1e9 ? box : nil
  }

  /// A mask in any of COCO's forms: polygons, runs, or compressed runs; `nil` for none.
  static func mask(_ json: JSON, width: Int, height: Int) throws -> Mask? {
    if let polygons = json.array {
      let parts = try polygons.map { polygon in
        let numbers = (polygon.array ?? []).compactMap(\.double)
        guard numbers.count >= 6, numbers.count.isMultiple(of: 2),
          numbers.count == polygon.array?.count, numbers.allSatisfy({ abs($0) < 1e9 })
        else { throw Diagnostic("ACC010", "a polygon is no list of three or more points") }
        return Mask(polygon: numbers, width: width, height: height)
      }
      return Mask.union(parts)
    }
    guard let size = json["size"]?.ints, size.count == 2 else { return nil }
    guard size[0] == height, size[1] == width else {
      throw Diagnostic(
        "ACC010",
        "its mask of \(size[1]) x \(size[0]) is not of the picture's \(width) x \(height)"
      )
    }
    if let text = json["counts"]?.string {
      return try Mask(text: text, width: width, height: height)
    }
    guard let runs = json["counts"]?.ints else {
      throw Diagnostic("ACC010", "its mask has no counts")
    }
    return try Mask(checked: runs, width: width, height: height)
  }
}

/// What is wrong in a file: the first of each and how many there are, so that a broken file of a million
/// entries does not print a million lines.
struct Faults {
  private var errors: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []
  private var more = (errors: 0, warnings: 0)
  static let limit = 20

  mutating func errors(_ words: String) {
    if errors.count < Faults.limit {
      errors.append(Diagnostic("ACC012", words))
    } else {
      more.errors += 1
    }
  }

  mutating func warns(_ words: String) {
    if warnings.count < Faults.limit {
      warnings.append(Diagnostic("ACC013", words, severity: .warning))
    } else {
      more.warnings += 1
    }
  }

  func throwIfErrors() throws {
    guard !errors.isEmpty else { return }
    let rest =
      more.errors > 0 ? [Diagnostic("ACC012", "and \(more.errors) entries more are broken")] : []
    throw Diagnostics(errors + rest)
  }
}
