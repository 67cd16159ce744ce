import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayData
import AssayGraph
import AssayHost
import AssayJobs
import AssayQuantize
import AssayRecord
import AssayRewrite
import AssayTensor

/// Makes what a sweep measures: the files of variants and the data that they are fed.
///
/// A file that an earlier run made from the same source by the same version is taken as it is.
final class SweepShop {
  /// A file to measure and what it is fed.
  struct Artefact {
    var model: Record.Model
    var format: String
    var inputs: String?
    var evaluation: String?
    /// SHA-256 of the data, or `zeros`.
    var data: String
  }

  private let plan: SweepPlan
  private let folder: String
  private let console: Console
  /// Models by name.
  private var models: [String: Source] = [:]
  private var made: [String: Result<Artefact, Diagnostic>] = [:]

  /// A source model with what belongs to it.
  final class Source {
    let imported: ImportedModel
    let sha256: String
    let data: TryData?
    lazy var canonical: Result<Graph, any Error> = Result { try canonicalized(imported.graph) }
    var maker: VariantMaker?

    init(_ imported: ImportedModel, sha256: String, _ data: TryData?) {
      self.imported = imported
      self.data = data
      self.sha256 = sha256
    }
  }

  init(_ plan: SweepPlan, folder: String, _ console: Console) {
    self.plan = plan
    self.folder = folder
    self.console = console
  }

  /// A path of the plan, below the plan's own folder unless it is absolute.
  func path(_ path: String) -> String {
    let base = Host.folder(of: plan.path)
    return base == "." ? path : Host.join(base, path)
  }

  /// The file of a model of the plan: of a network of the zoo, or below the plan's folder.
  private func file(of model: SweepPlan.Model) throws -> String {
    let file = try ZooModel.path(model.path, console)
    return file == model.path ? path(file) : file
  }

  /// The file of a combination in the format that its runtime gets.
  ///
  /// - Throws: `Diagnostic` with the reason why there is none.
  func artefact(_ cell: SweepCell, formats: [String]) throws -> Artefact {
    let runtime = try? Catalog.runtime(cell.runtime)
    let unlessTold = runtime.map { Catalog.preferredFormats(of: $0) } ?? formats
    let wanted = plan.formats[cell.runtime].map { [$0] } ?? unlessTold
    var artefact: Artefact?
    _ = try firstWritten(wanted) { artefact = try self.artefact(cell, in: $0, formats) }
    guard let artefact else { preconditionFailure("it was just made") }
    return artefact
  }

  private func artefact(
    _ cell: SweepCell,
    in wanted: String,
    _ formats: [String]
  ) throws -> Artefact {
    let key = "\(cell.model)|\(cell.recipe)|\(wanted)|\(cell.batch)"
    if let known = made[key] { return try known.get() }
    let result: Result<Artefact, Diagnostic>
    do {
      result = .success(try make(cell, wanted, formats))
    } catch let reason as Diagnostic {
      result = .failure(reason)
    } catch let several as Diagnostics {
      result = .failure(several.all.first ?? Diagnostic("JOB005", "the variant cannot be made"))
    }
    made[key] = result
    return try result.get()
  }

  /// The source of a model.
  func source(_ name: String) throws -> Source {
    if let known = models[name] { return known }
    guard let model = plan.models.first(where: { $0.name == name }) else {
      throw Diagnostic("JOB005", "the plan has no model '\(name)'")
    }
    console.progress("reading \(name)")
    let path = try file(of: model)
    let imported = try locating("line \(model.line)") { try importModel(path: path) }
    let source = Source(
      imported,
      sha256: try modelHash(modelFile(path)),
      try data(imported.graph)
    )
    models[name] = source
    return source
  }

  private func data(_ graph: Graph) throws -> TryData? {
    guard plan.data["representative"] != nil || plan.data["labels"] != nil else { return nil }
    var words: [String] = []
    for (key, value) in plan.data.sorted(by: { $0.key < $1.key }) {
      let isPath = ["representative", "labels", "label-names", "data"].contains(key)
      words += ["--\(key)", isPath ? path(value) : value]
    }
    return try TryData(graph, try Arguments(words, spec: tryCommand), console)
  }

  private func make(
    _ cell: SweepCell,
    _ wanted: String,
    _ formats: [String]
  ) throws -> Artefact {
    let source = try source(cell.model)
    if cell.recipe == "original" {
      let format = source.imported.format
      guard formats.contains(format) else {
        throw Diagnostic(
          "RTM002",
          "\(cell.runtime) does not read \(format) files as they are",
          remedy: "name a recipe, such as float32"
        )
      }
      guard cell.batch == 1 else {
        throw Diagnostic(
          "JOB006",
          "a file is measured as it is only with the batch size that it has",
          remedy: "name a recipe, such as float32"
        )
      }
      guard let model = plan.models.first(where: { $0.name == cell.model }) else {
        throw Diagnostic("JOB005", "the plan has no model '\(cell.model)'")
      }
      return try complete(
        Record.Model(file: modelFile(file(of: model))),
        format,
        source.imported.graph,
        source,
        cell
      )
    }
    guard formats.contains(wanted) else {
      throw Diagnostic("RTM002", "\(cell.runtime) does not read \(wanted) files")
    }
    let batch = cell.batch == 1 ? "" : "-b\(cell.batch)"
    let file = Host.join(
      Host.join(folder, "models"),
      Catalog.file(
        "\(SweepShop.plain(cell.model))-\(SweepShop.plain(cell.recipe))\(batch)",
        format: wanted
      )
    )
    let recipe = try Quantizing.recipe(named: cell.recipe)
    let origin = origin(source, recipe, wanted, cell.batch)
    if let kept = keptFile(file, origin) {
      return try complete(kept, wanted, try importModel(path: file).graph, source, cell)
    }
    console.progress("making \(cell.recipe) of \(cell.model)")
    // Calibrated with single samples, then made wider.
    let single = try variant(recipe, source)
    let graph = cell.batch == 1 ? single : try single.batched(cell.batch)
    try Host.makeFolders(Host.folder(of: file))
    // The version is left out of the file: the same network made by two versions is the same file.
    _ = try exportModel(graph, to: file, description: "assay \(recipe.name)")
    let model = try Record.Model(file: file)
    var note = origin
    note["sha256"] = .string(model.sha256)
    try AtomicFile.write(note.text(pretty: true) + "\n", to: file + ".origin.json")
    return try complete(model, wanted, graph, source, cell)
  }

  private func variant(_ recipe: Recipe, _ source: Source) throws -> Graph {
    if source.maker == nil {
      let data = source.data?.representative
      let console = console
      source.maker = VariantMaker(
        try source.canonical.get(),
        threads: Host.processorCount,
        feed: data.map { data in { try Quantizing.feed($0, data, console) } }
      )
    }
    guard let maker = source.maker else { preconditionFailure("it was just made") }
    return try maker.make(recipe).graph
  }

  /// What a file was made of; another origin means another file.
  private func origin(
    _ source: Source,
    _ recipe: Recipe,
    _ format: String,
    _ batch: Int
  ) -> JSON {
    .object([
      "source": .string(source.sha256), "recipe": recipe.json, "format": .string(format),
      "batch": JSON(batch), "version": .string(assayVersion),
      "data": .array(
        plan.data.sorted { $0.key < $1.key }.map { .string("\($0.key)=\($0.value)") }
          + [JSON(source.data?.representative?.count ?? 0)]
      ),
    ])
  }

  private func keptFile(_ file: String, _ origin: JSON) -> Record.Model? {
    guard Host.exists(file), let text = Host.smallText(file + ".origin.json"),
      let note = try? JSON(parsing: text), let model = try? Record.Model(file: file),
      note["sha256"]?.string == model.sha256
    else { return nil }
    for (key, value) in origin.pairs ?? [] where note[key] != value { return nil }
    return model
  }

  /// Adds what the file is fed.
  private func complete(
    _ model: Record.Model,
    _ format: String,
    _ graph: Graph,
    _ source: Source,
    _ cell: SweepCell
  ) throws -> Artefact {
    var artefact = Artefact(
      model: model,
      format: format,
      inputs: nil,
      evaluation: nil,
      data: "zeros"
    )
    // Samples are single; larger batches are fed zeros.
    guard let data = source.data, cell.batch == 1 else { return artefact }
    let folder = Host.join(folder, "data")
    try Host.makeFolders(folder)
    let name = "\(SweepShop.plain(cell.model))-\(SweepShop.plain(cell.recipe))-\(format)"
    let files = try data.write(for: graph, to: folder, name: name)
    artefact.inputs = files.first
    artefact.evaluation = files.all
    artefact.data = sha256([
      try MappedFile(path: files.first).view, try MappedFile(path: files.all).view,
    ])
    return artefact
  }

  /// A name as part of a file's name.
  private static func plain(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
  }
}
