import AssayBase
import AssayCodec
import AssayTensor

/// The tensors of a file that `torch.save` made of a state dictionary or of whole modules, as data.
///
/// A pickle may hold any program. Here classes and functions stay names: what a module's object was
/// given (its parameters, its buffers, the modules in it) is read, and nothing is made, imported or
/// called. So a file that holds a whole network, as Ultralytics publishes them, gives the same names as
/// the `state_dict()` of that network would.
public struct TorchCheckpoint: Sendable {
  /// A tensor that the file holds.
  public struct Entry: Sendable {
    /// Its name, such as `layer1.0.conv1.weight`.
    public var name: String
    /// The type of the elements.
    public var dtype: DType
    /// The extents.
    public var shape: Shape
    fileprivate let storage: String
    fileprivate let layout: StridedTensor
  }

  /// The tensors, in the file's order.
  public let entries: [Entry]
  /// What the file says of itself in words: `license`, `version`, `date` and the like.
  public let facts: [(name: String, text: String)]
  /// The names of the classes that the file would have Python import.
  public let classes: [String]
  private let storages: TorchStorages

  /// Whether the bytes begin like PyTorch's format before version 1.6, which has no archive around it:
  /// a pickled number that says so, then the pickles and storages one after the other.
  public static func isLegacy(_ bytes: ByteView) -> Bool {
    bytes.starts(
      with: [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    )
  }

  /// Reads which tensors there are; their elements are read when they are asked for.
  ///
  /// - Throws: `Diagnostic` PYT010 for the formats before version 1.6, PYT011 when there are no tensors
  ///   in it or far too many, PYT005, PYT006 and PYT008 for broken ones, PKL… and ZIP….
  public init(_ bytes: ByteView) throws {
    if TorchCheckpoint.isLegacy(bytes) {
      throw TorchCheckpoint.legacy("PyTorch's format before version 1.6")
    }
    if let magic = try? bytes.slice(257, 5).array, magic == Array("ustar".utf8) {
      throw TorchCheckpoint.legacy("PyTorch's format before version 0.1.10, a tar archive")
    }
    guard ZipArchive.sniff(bytes) else {
      throw Diagnostic(
        "PYT010",
        Pickle.sniff(bytes)
          ? "this is a bare pickle, and not what torch.save writes"
          : "this is no file of PyTorch's",
        remedy: "in Python: torch.save(model.state_dict(), \"weights.pt\")"
      )
    }
    // Made and read within one call: a pickle's objects are shared and not to be sent around.
    let file = try TorchFile(bytes)
    var walk = ModuleWalk(file)
    try walk.root(file.pickle.root)
    guard !walk.entries.isEmpty else {
      throw Diagnostic(
        "PYT011",
        "the file holds no tensors that belong to a network",
        remedy: "in Python: torch.save(model.state_dict(), \"weights.pt\")"
      )
    }
    entries = walk.entries
    facts = walk.facts
    classes = walk.classes.sorted()
    storages = file.storages
  }

  private static func legacy(_ what: String) -> Diagnostic {
    Diagnostic(
      "PYT010",
      "this is \(what)",
      remedy: "in Python, once: torch.save(torch.load(\"old.pth\", weights_only=True), \"new.pth\")"
    )
  }

  /// The elements of a tensor.
  ///
  /// - Throws: `Diagnostic` PYT005, PYT006, ZIP….
  public func tensor(_ entry: Entry) throws -> Tensor {
    try locating("tensor '\(entry.name)'") {
      try entry.layout.tensor(in: storages.read(entry.storage))
    }
  }
}

/// Collects the tensors of dictionaries and modules under their full names.
private struct ModuleWalk {
  /// Modules lie in one another at most so deep.
  private static let depth = 64
  /// Objects that are looked at: a file may share one module between many, and each share is a name.
  private static let budget = 1_000_000

  private let file: TorchFile
  private(set) var entries: [TorchCheckpoint.Entry] = []
  private(set) var facts: [(name: String, text: String)] = []
  private(set) var classes: Set<String> = []
  private var left = ModuleWalk.budget

  init(_ file: TorchFile) { self.file = file }

  mutating func root(_ object: PickledObject) throws {
    if isModule(object) { return try module(object, "", 0) }
    guard let pairs = object.entries else {
      throw Diagnostic("PYT011", "the file holds neither a dictionary nor a module")
    }
    collectFacts(pairs)
    // Trainers keep the weights beside the optimizer's state; the averaged ones are the ones to use.
    let wrapped = ["ema", "model", "state_dict", "model_state_dict", "network", "net", "params"]
    for name in wrapped {
      guard let value = pairs.first(where: { $0.key.string == name })?.value else { continue }
      if isModule(value) { return try module(value, "", 0) }
      if let inner = value.entries, inner.contains(where: { isTensor($0.value) }) {
        return try dictionary(inner)
      }
    }
    try dictionary(pairs)
  }

  private mutating func collectFacts(_ pairs: [(key: PickledObject, value: PickledObject)]) {
    let known: Set = ["license", "licence", "version", "date", "docs", "description", "author"]
    for (key, value) in pairs {
      guard let name = key.string, known.contains(name), let text = value.string, !text.isEmpty
      else { continue }
      facts.append((name, String(text.prefix(500))))
    }
  }

  private func isTensor(_ object: PickledObject) -> Bool {
    guard case .call(let function, _) = object.content else { return false }
    return function.globalName?.hasPrefix("torch._utils._rebuild_") == true
  }

  private func isModule(_ object: PickledObject) -> Bool {
    guard case .call = object.content, let state = object.state?.entries else { return false }
    return state.contains { $0.key.string == "_modules" || $0.key.string == "_parameters" }
  }

  private mutating func dictionary(_ pairs: [(key: PickledObject, value: PickledObject)]) throws {
    for (key, value) in pairs {
      guard let name = key.string, isTensor(value) else { continue }
      try add(name, value)
    }
  }

  private mutating func module(_ object: PickledObject, _ path: String, _ depth: Int) throws {
    try spend()
    guard depth < ModuleWalk.depth else {
      throw Diagnostic("PYT011", "modules lie more than \(ModuleWalk.depth) deep in one another")
    }
    if case .call(let function, let arguments) = object.content {
      // Of an instance the class is the function, or the first argument of what would make it.
      let name = function.globalName ?? ""
      let inner = arguments.elements?.first?.globalName
      let known = name.hasPrefix("copyreg.") || name.hasPrefix("copy_reg.") ? inner ?? name : name
      if classes.count < 1000 { classes.insert(known) }
    }
    let state = object.state?.entries ?? []
    for kind in ["_parameters", "_buffers"] {
      for (key, value) in state.first(where: { $0.key.string == kind })?.value.entries ?? [] {
        try spend()
        guard let name = key.string, isTensor(value) else { continue }
        try add(path + name, value)
      }
    }
    for (key, value) in state.first(where: { $0.key.string == "_modules" })?.value.entries ?? [] {
      guard let name = key.string, isModule(value) else { continue }
      guard path.utf8.count + name.utf8.count < 4096 else {
        throw Diagnostic("PYT011", "a module's name is longer than 4096 bytes")
      }
      try module(value, path + name + ".", depth + 1)
    }
  }

  private mutating func spend() throws {
    left -= 1
    guard left > 0 else {
      throw Diagnostic("PYT011", "the file names more than \(ModuleWalk.budget) objects of modules")
    }
  }

  private mutating func add(_ name: String, _ object: PickledObject) throws {
    try spend()
    let place = try locating("tensor '\(name)'") { try file.place(of: object, name: name) }
    entries.append(
      TorchCheckpoint.Entry(
        name: name,
        dtype: place.layout.dtype,
        shape: Shape(place.layout.sizes),
        storage: place.storage,
        layout: place.layout
      )
    )
  }
}
