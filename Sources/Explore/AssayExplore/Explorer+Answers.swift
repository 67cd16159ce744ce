import AssayBase
import AssayRate
import AssayRecord
import AssayReport
import AssayStore
import Synchronization

extension Explorer {
  /// Models that the page offers for a comparison; others can be written out.
  static let listedModels = 500

  /// Whether rows have records behind them.
  private var hasRecords: Bool {
    if case .store = source { true } else { false }
  }

  /// What the page needs to know before it asks for a view.
  func tableJSON(isStatic: Bool = false) -> JSON {
    let (rated, generation, mark, stored) = state.withLock {
      ($0.rated, $0.generation, $0.mark, $0.storedCount)
    }
    let table = rated.table
    let axes = ViewQuery.usualAxes(table)
    let name: String
    switch source {
    case .table(_, let given): name = given
    case .store(let store): name = store.url.split(separator: "/").last.map { String($0) } ?? ""
    }
    return .object([
      "schema": "assay.explorer/1", "version": .string(options.version), "source": .string(name),
      "generation": JSON(generation), "count": JSON(table.count),
      // Records that are yet to be read; a few new ones are read before anybody asks.
      "unread": JSON(isStatic ? 0 : max(stored - mark.count, 0)), "isStatic": .bool(isStatic),
      "canRun": .bool(!isStatic && bench != nil), "hasRecords": .bool(hasRecords && !isStatic),
      "models": .array(table.facets[0].values.prefix(Self.listedModels).map { .string($0) }),
      "hasCharts": .bool(options.plotly != nil),
      "properties": .array(
        table.properties.enumerated().map { place, property in
          .object([
            "key": .string(property.meta.key), "name": .string(property.meta.name),
            "unit": .string(property.meta.unit), "group": .string(property.meta.group),
            "weight": property.meta.weight.map { JSON($0) } ?? .null,
            "isMaximized": .bool(property.meta.isMaximized), "source": .string(property.source),
            "hasValues": .bool(table.columns[place].contains { !$0.isNaN }),
          ])
        }
      ),
      "facets": .array(
        table.facets.map { facet in
          .object([
            "key": .string(facet.key), "name": .string(facet.name),
            "count": JSON(facet.values.count),
          ])
        }
      ),
      "axes": .object([
        "x": .string(table.properties[axes.x].meta.key),
        "y": .string(table.properties[axes.y].meta.key),
      ]),
      "settings": rated.settings.json, "references": references(rated),
      "boundaries": rated.boundaries.json,
      "methods": .array(
        (table.facts == nil ? [] : [ExplorerSettings.scaleMethod])
          .map { .string($0) } + RatingMethod.Kind.allCases.map { .string($0.rawValue) }
      ),
      "scales": .array(Scale.builtIn.map { .string($0.name) }),
      "indices": .array(RatingMethod.Index.allCases.map { .string($0.rawValue) }),
      "modes": .array(RatingMethod.Mode.allCases.map { .string($0.rawValue) }),
    ])
  }

  private func references(_ rated: RatedTable) -> JSON {
    var members = JSON.Members()
    for (key, model) in rated.references.sorted(by: { $0.key < $1.key }) {
      members[key] = .string(model)
    }
    return .members(members)
  }

  /// All rows of a model.
  func modelJSON(_ name: String) throws -> JSON {
    // A record may be newer than the last look at the store.
    if self.rated.table.facets[0].number(of: name) == nil { refresh() }
    let rated = rated
    let facet = rated.table.facets[0]
    guard let code = facet.number(of: name) else {
      throw Diagnostic("EXP005", "there is no model '\(Words.printable(name))'")
    }
    let rows = facet.codes.indices.filter { facet.codes[$0] == code }
    var query = try ViewQuery(HTTPRequest.empty, rated.table)
    query.facets = [(0, [code])]
    let view = View(rated, query)
    return .object([
      "model": .string(name), "count": JSON(rows.count),
      "rows": .array(rows.suffix(500).map { view.row($0) }),
    ])
  }

  /// One record, whole, with what its samples say.
  func recordJSON(_ id: String) throws -> JSON {
    guard let record = try record(id) else {
      throw Diagnostic("EXP005", "there is no record '\(Words.printable(id))'")
    }
    return recordJSON(record)
  }

  func recordJSON(_ record: Record) -> JSON {
    .object([
      "record": Self.publicJSON(record), "summary": record.summary.json,
      "command": .string(Words.shell(record.command)),
    ])
  }

  /// A record without the names of the machine and its instruments.
  static func publicJSON(_ record: Record) -> JSON {
    var record = record
    for place in record.energy.indices { record.energy[place].serial = nil }
    var json = record.json
    if var environment = json["environment"] {
      for key in ["host", "hostname", "user", "serial"] { environment[key] = nil }
      json["environment"] = environment
    }
    return json
  }

  /// A record as it leaves the machine: files without the folders that they lie in.
  static func withoutFolders(_ record: Record) -> Record {
    func name(_ path: String) -> String {
      path.split(separator: "/").last.map { String($0) } ?? path
    }
    var record = record
    record.model.path = name(record.model.path)
    record.command = record.command.map { $0.contains("/") ? name($0) : $0 }
    return record
  }

  /// The filtered rows as a CSV with a header, in the form that `assay rate` reads.
  func csv(_ query: ViewQuery) -> String {
    let rated = rated
    let table = rated.table
    var text =
      (table.facets.map(\.key) + table.properties.map(\.meta.key)
      + ["compound_index", "compound_rating", "record"]).joined(separator: ",") + "\n"
    for row in View(rated, query).chosen.map({ Int($0) }) {
      let cells =
        table.facets.map { csvField($0[row]) }
        + table.columns.map { $0[row].isNaN ? "" : "\($0[row])" }
        + [
          "\(rated.index[row])", RatedTable.letters[Int(rated.grades[row])],
          csvField(table.ids[row]),
        ]
      text += cells.joined(separator: ",") + "\n"
    }
    return text
  }
}

extension HTTPRequest {
  /// A request without anything.
  static let empty = HTTPRequest(method: "GET", path: "/", query: [], headers: [:])
}
