import AssayBase
import AssayCodec
import AssayTensor

/// The files of a `.pt2`: the program as JSON, and tensors by name.
struct PT2Archive {
  /// The exported program.
  let program: JSON
  private let zip: ZipArchive
  /// Parameters and persistent buffers.
  private let weights: TensorTable
  /// Constants and the other buffers.
  private let constants: TensorTable

  init(_ bytes: ByteView) throws {
    if Pickle.sniff(bytes) { throw Self.checkpoint }
    let zip = try ZipArchive(bytes)
    let names = zip.entries.map(\.name)
    let root = Self.root(names)
    self.zip = zip
    if let old = Self.find("serialized_exported_program.json", names) {
      let folder = String(old.dropLast("serialized_exported_program.json".count))
      program = try Self.json(old, zip)
      weights = try Self.pickled(folder + "serialized_state_dict", zip)
      constants = try Self.pickled(folder + "serialized_constants", zip)
      return
    }
    let models = names.filter { $0.hasPrefix(root + "models/") && $0.hasSuffix(".json") }
    guard let path = models.first(where: { $0 == root + "models/model.json" }) ?? models.first
    else {
      throw Self.refusal(names, root)
    }
    guard models.count == 1 || path.hasSuffix("/model.json") else {
      throw Diagnostic(
        "PYT003",
        "the archive holds \(models.count) networks",
        remedy: "save one network an archive"
      )
    }
    let model = String(path.dropFirst((root + "models/").count).dropLast(".json".count))
    program = try Self.json(path, zip)
    weights = try Self.table("weights", model, root, zip)
    constants = try Self.table("constants", model, root, zip)
  }

  /// A parameter, buffer or constant by its name in the module.
  ///
  /// - Throws: `Diagnostic` PYT005 when the archive does not have it.
  func tensor(_ name: String, isPersistent: Bool) throws -> Tensor {
    let (first, second) = isPersistent ? (weights, constants) : (constants, weights)
    guard let entry = first.entries[name] ?? second.entries[name] else {
      throw Diagnostic(
        "PYT005",
        "the archive does not hold the tensor '\(name)'",
        remedy: "save the program again with torch.export.save"
      )
    }
    return try entry.tensor { try read($0) }
  }

  private func read(_ path: String) throws -> ByteView { try Self.read(path, zip) }

  private static func read(_ path: String, _ zip: ZipArchive) throws -> ByteView {
    guard let entry = zip.entry(path) else {
      throw Diagnostic("PYT005", "the archive has no file '\(path)'")
    }
    return try zip.read(entry)
  }

  private static func json(_ path: String, _ zip: ZipArchive) throws -> JSON {
    let text = try read(path, zip)
    return try locating(path) { try JSON(parsing: text.array) }
  }

  /// The folder that everything lies in, with its slash; empty when there is none.
  private static func root(_ names: [String]) -> String {
    guard let first = names.first?.split(separator: "/").first.map({ "\($0)/" }),
      names.allSatisfy({ $0.hasPrefix(first) })
    else { return "" }
    return first
  }

  private static func find(_ name: String, _ names: [String]) -> String? {
    names.first { $0 == name || $0.hasSuffix("/" + name) }
  }

  /// The tensors of the older layout: one pickle for all.
  private static func pickled(_ stem: String, _ zip: ZipArchive) throws -> TensorTable {
    for suffix in [".pt", ".json"] {
      guard let entry = zip.entry(stem + suffix) else { continue }
      let bytes = try zip.read(entry)
      if bytes.count == 0 { break }
      return try locating(stem + suffix) { try TensorTable(torchFile: bytes) }
    }
    return TensorTable()
  }

  /// The tensors of the newer layout: files listed by a JSON, or one pickle for all.
  private static func table(
    _ kind: String,
    _ model: String,
    _ root: String,
    _ zip: ZipArchive
  ) throws -> TensorTable {
    let folder = "\(root)data/\(kind)/"
    for name in ["\(model)_\(kind)_config.json", "\(model)_config.json"] {
      guard zip.entry(folder + name) != nil else { continue }
      return try TensorTable(listing: json(folder + name, zip), folder: folder)
    }
    guard let entry = zip.entry("\(folder)\(model).pt") else { return TensorTable() }
    let bytes = try zip.read(entry)
    return bytes.count == 0
      ? TensorTable() : try locating(entry.name) { try TensorTable(torchFile: bytes) }
  }

  // MARK: Refusals

  /// Two lines of Python, for a network `model` and an example `x` of its input.
  private static let export =
    "program = torch.export.export(model.eval(), (x,)); torch.export.save(program, \"model.pt2\")"

  private static var checkpoint: Diagnostic {
    Diagnostic(
      "PYT001",
      "this is a pickled checkpoint: it holds weights or Python objects, and no network",
      remedy: "in Python, model = …; model.load_state_dict(torch.load(\"file\")) and then "
        + "\(export), with an example input x"
    )
  }

  /// What an archive without an exported program is.
  private static func refusal(_ names: [String], _ root: String) -> Diagnostic {
    let inner = names.map { $0.hasPrefix(root) ? String($0.dropFirst(root.count)) : $0 }
    if inner.contains("constants.pkl") || inner.contains(where: { $0.hasPrefix("code/") }) {
      return Diagnostic(
        "PYT002",
        "this is a TorchScript archive: its network is Python code",
        remedy: "in Python, with the module that it was made of (or model = "
          + "torch.jit.load(\"file\") where torch.export takes it) and an example input x: \(export)"
      )
    }
    if inner.contains("data.pkl") { return checkpoint }
    if inner.contains(where: { $0.hasPrefix("data/aotinductor/") }) {
      return Diagnostic(
        "PYT004",
        "this archive holds compiled code of one machine, and no network",
        remedy: "in Python: \(export)"
      )
    }
    return Diagnostic(
      "PYT003",
      "the archive holds no exported program",
      remedy: "in Python: \(export)"
    )
  }
}
