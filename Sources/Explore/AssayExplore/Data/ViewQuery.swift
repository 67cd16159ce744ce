import AssayBase
import AssayRate

/// What the overview asks of a table.
struct ViewQuery: Sendable {
  /// The most points that are drawn one by one; more become a grid of counts.
  static let pointLimit = 3000

  var x: Int
  var y: Int
  /// Numbers of values by facet; a facet that is absent is not filtered.
  var facets: [(facet: Int, codes: Set<UInt32>)] = []
  /// A range by property.
  var ranges: [(property: Int, range: ClosedRange<Double>)] = []
  /// Grades that are wanted; all when empty.
  var grades: Set<UInt8> = []
  /// The part of the drawing that is brushed, on x and y.
  var brush: (x: ClosedRange<Double>, y: ClosedRange<Double>)?
  /// The question "the best of `best` with `given` at least as good as `bound`".
  var goal: (best: Int, given: Int, bound: Double)?
  /// Rows of the table behind the chart.
  var rowLimit = 100
  /// Whether only what a brush changes is wanted.
  var isBrushOnly = false

  /// Reads arguments of an address.
  ///
  /// - Throws: `Diagnostic` EXP011 for what is no property, facet or number.
  init(_ request: HTTPRequest, _ table: ExplorerTable) throws {
    func property(_ name: String) throws -> Int? {
      guard let key = request[name], !key.isEmpty else { return nil }
      if let place = table.place(of: key) { return place }
      throw Diagnostic(
        "EXP011",
        "there is no property '\(Words.printable(key))'",
        at: [name],
        remedy: table.properties.map(\.meta.key).joined(separator: ", ")
      )
    }
    func range(_ text: String) throws -> ClosedRange<Double> {
      let ends = text.split(separator: "~", omittingEmptySubsequences: false).map { String($0) }
      let low = ends.first == "" ? -Double.infinity : Double(ends.first ?? "")
      let high = ends.last == "" ? Double.infinity : Double(ends.last ?? "")
      guard ends.count == 2, let low, let high, low <= high else {
        throw Diagnostic("EXP011", "a range is LOW~HIGH, not '\(Words.printable(text))'")
      }
      return low...high
    }
    let usual = Self.usualAxes(table)
    x = try property("x") ?? usual.x
    y = try property("y") ?? usual.y
    for (place, facet) in table.facets.enumerated() {
      let given = request.all(facet.key)
      if !given.isEmpty { facets.append((place, Set(given.compactMap { facet.number(of: $0) }))) }
    }
    for (name, text) in request.query where name.hasPrefix("range.") {
      guard let place = table.place(of: String(name.dropFirst(6))) else {
        throw Diagnostic("EXP011", "there is no property for '\(Words.printable(name))'")
      }
      ranges.append((place, try range(text)))
    }
    for text in request.all("grade") {
      guard let code = RatedTable.letters.firstIndex(of: text) else {
        throw Diagnostic("EXP011", "there is no grade '\(Words.printable(text))'")
      }
      grades.insert(UInt8(code))
    }
    if let onX = request["brush.x"], let onY = request["brush.y"] {
      brush = (try range(onX), try range(onY))
    }
    if let best = try property("best"), let given = try property("given") {
      guard let bound = request["bound"].flatMap(Double.init), bound.isFinite else {
        throw Diagnostic("EXP011", "'bound' is no number")
      }
      goal = (best, given, bound)
    }
    rowLimit = min(max(request["rows"].flatMap { Int($0) } ?? 100, 0), 1000)
    isBrushOnly = request["part"] == "brush"
  }

  /// The axes unless others are asked for: the property of resources that weighs most across, that of
  /// quality up.
  static func usualAxes(_ table: ExplorerTable) -> (x: Int, y: Int) {
    func heaviest(_ isQuality: Bool) -> Int? {
      let some = table.properties.indices.filter { place in
        let meta = table.properties[place].meta
        let isOfQuality = ["performance", "quality"].contains(meta.group.lowercased())
        return isOfQuality == isQuality && table.columns[place].contains { !$0.isNaN }
      }
      return some.max {
        let (one, other) = (table.properties[$0].meta, table.properties[$1].meta)
        return (one.weight ?? 0, -$0) < (other.weight ?? 0, -$1)
      }
    }
    let x = heaviest(false) ?? 0
    let y = heaviest(true) ?? min(table.properties.count - 1, x + 1)
    return (x, y)
  }
}
