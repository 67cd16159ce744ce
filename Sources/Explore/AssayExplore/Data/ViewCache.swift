import AssayBase
import AssayRate
import Synchronization

/// Answers that were computed, as long as the table is the same: what a page asks for first, every
/// visitor asks for.
final class ViewCache: Sendable {
  /// Answers that are kept; the one that was not asked for the longest goes first.
  static let limit = 48

  private struct Content {
    var generation = 0
    var answers: [String: [UInt8]] = [:]
    /// Keys, the last one asked for at the end.
    var order: [String] = []
  }

  private let content = Mutex(Content())

  /// The answer to a question, computed where it is not known.
  func answer(
    _ key: String,
    generation: Int,
    _ compute: () throws -> [UInt8]
  ) rethrows -> [UInt8] {
    let known: [UInt8]? = content.withLock { content in
      guard content.generation == generation, let known = content.answers[key] else { return nil }
      content.order.removeAll { $0 == key }
      content.order.append(key)
      return known
    }
    if let known { return known }
    let made = try compute()
    content.withLock { content in
      // A slow answer about an older table is of no use to anybody.
      guard content.generation <= generation else { return }
      if content.generation < generation {
        content = Content()
        content.generation = generation
      }
      if content.answers.updateValue(made, forKey: key) == nil { content.order.append(key) }
      if content.order.count > Self.limit {
        content.answers[content.order.removeFirst()] = nil
      }
    }
    return made
  }
}

extension Explorer {
  /// What the overview shows of a table for the arguments of an address.
  ///
  /// - Throws: `Diagnostic` EXP011 for arguments that name nothing, RAT… for what cannot be rated.
  public static func view(
    of table: ExplorerTable,
    query: [(name: String, value: String)],
    settings: ExplorerSettings = ExplorerSettings()
  ) throws -> JSON {
    var request = HTTPRequest.empty
    request.query = query
    let rated = try RatedTable(table, settings)
    return View(rated, try ViewQuery(request, table)).json
  }

  /// What the overview shows for a request.
  func view(_ request: HTTPRequest) throws -> [UInt8] {
    let (rated, generation) = state.withLock { ($0.rated, $0.generation) }
    let query = try ViewQuery(request, rated.table)
    let key = request.query.map { "\($0.name)=\($0.value)" }.sorted().joined(separator: "\u{0}")
    // Brushes are many and each is asked for once.
    if query.brush != nil { return Array(View(rated, query).json.text().utf8) }
    return views.answer(key, generation: generation) {
      Array(View(rated, query).json.text().utf8)
    }
  }

  /// Computes what a visitor asks for first.
  func prepareFirstView() {
    let table = rated.table
    guard table.count > 0 else { return }
    let axes = ViewQuery.usualAxes(table)
    var request = HTTPRequest.empty
    request.query = [
      (name: "x", value: table.properties[axes.x].meta.key),
      (name: "y", value: table.properties[axes.y].meta.key),
    ]
    _ = try? view(request)
  }
}
