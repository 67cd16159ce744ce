import AssayAccuracy
import AssayBase
import AssayHost

/// Labelled data that were indexed and verified: what accuracy is told of.
public struct LabelledSet: Sendable, Equatable {
  /// What is to be told of an item.
  public enum Task: String, Sendable, CaseIterable {
    /// The class of a picture.
    case classes
    /// The objects in a picture.
    case objects
    /// The class of each pixel.
    case regions
    /// The class of a text.
    case text
  }

  /// One picture or text.
  public struct Item: Sendable, Equatable {
    /// Its name, relative to the source.
    public var name: String
    /// The file; empty for a text.
    public var path: String
    /// The file's SHA-256; that of the text for a text.
    public var sha256: String
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int
    /// The right class.
    public var label: Int?
    /// The objects in it.
    public var objects: [TruthObject]
    /// The picture whose colors or values are the classes of the pixels.
    public var regions: String?
    /// The text.
    public var text: String?
    /// COCO's number for the picture.
    public var id: Int?

    /// Makes an item that was not verified yet.
    public init(
      name: String,
      path: String,
      label: Int? = nil,
      objects: [TruthObject] = [],
      regions: String? = nil,
      text: String? = nil,
      id: Int? = nil
    ) {
      self.name = name
      self.path = path
      self.label = label
      self.objects = objects
      self.regions = regions
      self.text = text
      self.id = id
      sha256 = ""
      width = 0
      height = 0
    }
  }

  /// A file that was left out.
  public struct Skipped: Sendable, Equatable {
    /// The item's name.
    public var name: String
    /// Why.
    public var reason: String
  }

  /// What is to be told.
  public var task: Task
  /// Where the data came from.
  public var source: String
  /// The names of the classes.
  public var classes: [String]
  /// COCO's numbers of the classes; empty for others.
  public var categoryIDs: [Int]
  /// The items, sorted by name, or by COCO's ids.
  public var items: [Item]
  /// Broken files that were left out because that was asked for.
  public var skipped: [Skipped]
  /// How the items were selected, in words; empty for all.
  public var selection: String

  /// Makes a set.
  public init(
    task: Task,
    source: String,
    classes: [String],
    categoryIDs: [Int] = [],
    items: [Item]
  ) {
    self.task = task
    self.source = source
    self.classes = classes
    self.categoryIDs = categoryIDs
    self.items = items
    skipped = []
    selection = ""
  }

  /// Identifies the items, their content and their labels: accuracies of equal hashes are comparable.
  public var sha256: String {
    var text = task.rawValue + "\n"
    for item in items {
      text += "\(item.name)\t\(item.sha256)\t\(item.label ?? -1)\t\(item.objects.count)"
      for object in item.objects {
        text += "\t\(object.category) \(object.box.x) \(object.box.y) \(object.box.width) "
        text += "\(object.box.height) \(object.isCrowd)"
      }
      text += "\n"
    }
    return AssayBase.sha256(text)
  }

  /// At most `limit` items drawn by `seed`, each class in proportion (the rest to the largest
  /// remainders); order is kept.
  public func selected(_ limit: Int, seed: UInt64) -> LabelledSet {
    guard limit < items.count, limit > 0 else { return self }
    var groups: [Int: [Int]] = [:]
    for (index, item) in items.enumerated() { groups[item.label ?? -1, default: []].append(index) }
    let keys = groups.keys.sorted()
    func members(_ key: Int) -> [Int] { groups[key, default: []] }
    var shares = keys.map { limit * members($0).count / items.count }
    let rest = limit - shares.reduce(0, +)
    let order = keys.indices.sorted { a, b in
      let x = limit * members(keys[a]).count % items.count
      let y = limit * members(keys[b]).count % items.count
      return x == y ? a < b : x > y
    }
    for index in order.prefix(rest) { shares[index] += 1 }
    var rng = SeededRNG(seed: seed)
    var kept: [Int] = []
    for (key, share) in zip(keys, shares) {
      kept += members(key).shuffled(using: &rng).prefix(share)
    }
    var result = self
    result.items = kept.sorted().map { items[$0] }
    result.selection = "\(limit) of \(items.count) by seed \(seed), each class in proportion"
    return result
  }

  /// The items that a selection names.
  ///
  /// - Throws: `Diagnostics` DST007 with the names that are not in the set.
  public func selected(names: [String], from path: String) throws -> LabelledSet {
    var places: [String: Int] = [:]
    for (index, item) in items.enumerated() { places[item.name] = index }
    var faults: [Diagnostic] = []
    var kept: [Int] = []
    for (line, name) in names.enumerated() {
      if let index = places[name] {
        kept.append(index)
      } else if faults.count < 20 {
        faults.append(
          Diagnostic("DST007", "'\(name)' is not among the data", at: [path, "line \(line + 1)"])
        )
      }
    }
    try Diagnostics(faults).throwIfErrors()
    var result = self
    result.items = Set(kept).sorted().map { items[$0] }
    result.selection = "\(result.items.count) of \(items.count) by a file"
    return result
  }
}
