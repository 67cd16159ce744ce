import AssayAccuracy
import AssayBase
import AssayData
import AssayHost

/// The layouts of data that are known.
public enum SetSource: String, Sendable, CaseIterable {
  /// ImageNet's validation pictures: folders of synsets, or a folder of pictures with a list.
  case imagenet
  /// COCO: pictures and an annotation file.
  case coco
  /// A folder with a folder for each class.
  case folder
  /// Pascal VOC: `JPEGImages`, `Annotations`, `ImageSets` and `SegmentationClass`.
  case voc
  /// Texts: a line each, its text and its label between tabs, under a header that names them.
  case tsv

  /// What else an indexing needs.
  public struct Options: Sendable {
    /// The annotation file, or the list of labels.
    public var labels: String?
    /// The names of the classes, one a line, in the network's order.
    public var classNames: String?
    /// Whether the pixels' classes are wanted (VOC).
    public var wantsRegions: Bool
    /// The list of VOC's `ImageSets` that is taken.
    public var split: String

    /// Makes options.
    public init(
      labels: String? = nil,
      classNames: String? = nil,
      wantsRegions: Bool = false,
      split: String = "val"
    ) {
      self.labels = labels
      self.classNames = classNames
      self.wantsRegions = wantsRegions
      self.split = split
    }
  }

  /// Lists a set, without looking into the pictures.
  ///
  /// - Returns: the set and what is odd about it.
  /// - Throws: `Diagnostic` or `Diagnostics` DST… and ACC… with everything that is wrong at once.
  public func index(
    _ path: String,
    _ options: Options = Options()
  ) throws -> (set: LabelledSet, findings: [Diagnostic]) {
    let isFile = self == .tsv
    guard Host.kind(of: path) == (isFile ? .file : .folder) else {
      throw Diagnostic(
        "DST002",
        "there is no \(isFile ? "file" : "folder") at this path",
        at: [path],
        remedy: "\(rawValue) takes \(isFile ? "a .tsv file" : "the folder of the pictures")"
      )
    }
    let names = try options.classNames.map { try SetSource.lines($0) }
    var (set, findings): (LabelledSet, [Diagnostic]) =
      switch self {
      case .imagenet: try SetSource.imagenet(path, options, names)
      case .coco: try SetSource.coco(path, options)
      case .folder: (try SetSource.folders(path, names), [])
      case .voc: try SetSource.voc(path, options)
      case .tsv: (try SetSource.texts(path, names), [])
      }
    guard !set.items.isEmpty else {
      throw Diagnostic("DST003", "there are no pictures or texts here", at: [path])
    }
    if set.task == .classes || set.task == .text {
      let found = Set(set.items.compactMap(\.label))
      let empty = set.classes.indices.filter { !found.contains($0) }
      if !empty.isEmpty {
        let named = empty.prefix(3).map { "'\(set.classes[$0])'" }.joined(separator: ", ")
        findings.append(
          Diagnostic(
            "DST004",
            "\(empty.count) of \(set.classes.count) classes have no item: \(named)"
              + (empty.count > 3 ? ", …" : ""),
            at: [path],
            severity: .warning
          )
        )
      }
    }
    return (set, findings)
  }

  /// A file's lines that are not empty, without white space at their ends.
  static func lines(_ path: String) throws -> [String] {
    guard let text = try MappedFile(path: path).view.utf8 else {
      throw Diagnostic("DAT025", "the file is not text (UTF-8)", at: [path])
    }
    return withoutMark(text).split(whereSeparator: \.isNewline).map { plain($0) }.filter {
      !$0.isEmpty
    }
  }

  /// A text without the byte-order mark that spreadsheets put in front.
  static func withoutMark(_ text: String) -> Substring {
    text.unicodeScalars.first == "\u{FEFF}"
      ? Substring(text.unicodeScalars.dropFirst()) : text[...]
  }

  static func plain(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }

  /// The pictures of a folder, sorted by name.
  static func pictures(_ folder: String) throws -> [String] {
    try Host.list(folder).filter { !$0.hasPrefix(".") && ImageCodec.isImageName($0) }.sorted()
  }

  /// The folders in a folder, sorted by name.
  static func folders(in path: String) throws -> [String] {
    try Host.list(path).filter {
      !$0.hasPrefix(".") && Host.kind(of: Host.join(path, $0)) == .folder
    }.sorted()
  }

  private static func folders(_ path: String, _ names: [String]?) throws -> LabelledSet {
    let folders = try folders(in: path)
    guard !folders.isEmpty else {
      throw Diagnostic(
        "DST005",
        "the pictures have no labels: there is no folder for each class",
        at: [path],
        remedy: "make a folder for each class, or name a list with --labels (imagenet)"
      )
    }
    let classes = names ?? folders
    var faults: [Diagnostic] = []
    var items: [LabelledSet.Item] = []
    for folder in folders {
      guard let label = classes.firstIndex(of: folder) else {
        faults.append(
          Diagnostic(
            "DST006",
            "the folder '\(folder)' is none of the class names",
            at: [path],
            remedy: nearest(to: folder, among: classes).map { "did you mean '\($0)'?" }
          )
        )
        continue
      }
      let inner = Host.join(path, folder)
      items += try pictures(inner).map {
        LabelledSet.Item(name: "\(folder)/\($0)", path: Host.join(inner, $0), label: label)
      }
    }
    try Diagnostics(faults).throwIfErrors()
    return LabelledSet(task: .classes, source: path, classes: classes, items: items)
  }

  private static func coco(
    _ path: String,
    _ options: Options
  ) throws -> (LabelledSet, [Diagnostic]) {
    guard let file = options.labels else {
      throw Diagnostic(
        "DST005",
        "COCO's pictures need their annotations",
        at: [path],
        remedy: "--labels annotations/instances_val2017.json"
      )
    }
    let truth = try locating(file) { try COCOTruth(MappedFile(path: file).view) }
    let items = truth.pictures.map { picture in
      LabelledSet.Item(
        name: picture.file,
        path: Host.join(path, picture.file),
        objects: picture.objects,
        id: picture.id
      )
    }
    var set = LabelledSet(
      task: .objects,
      source: path,
      classes: truth.categories.map(\.name),
      categoryIDs: truth.categories.map(\.id),
      items: items
    )
    for index in set.items.indices {
      set.items[index].width = truth.pictures[index].width
      set.items[index].height = truth.pictures[index].height
    }
    return (set, truth.findings.map { $0.inside(file) })
  }
}
