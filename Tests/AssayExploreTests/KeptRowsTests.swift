import AssayBase
import AssayHost
import AssayRate
import AssayRecord
import AssayStore
import Testing

@testable import AssayExplore

/// Stores that are read bit by bit, and the rows that are kept of them.
@Suite struct KeptRowsTests {
  /// Record `number` of a session of four: variants of one network on two thread counts.
  private func record(_ number: Int) -> Record {
    let variant = ["static_int8", "float32", "float16", "static_int8"][number % 4]
    var record = Record(
      id: "s\(number / 4)-\(number)",
      session: "s\(number / 4)",
      finishedAt: Int64(number),
      model: .init(
        path: "/models/net-\(variant).tflite",
        sha256: "\(number)",
        byteCount: 1000 + number % 7 * 100
      ),
      artefact: "tflite",
      variant: variant,
      runtime: "litert",
      version: "1",
      provider: "cpu",
      device: "local",
      threads: 1 + number / 4 % 2
    )
    record.samples = (0..<60).map { Int64(1_000_000 + number % 13 * 40_000 + $0 * 300) }
    record.rounds = [20, 20, 20]
    record.verdict = number % 11 == 5 ? .invalid : .valid
    record.accuracy = .value(0.8 + Double(number % 5) / 50)
    record.accuracyCount = 500
    return record
  }

  private func withStore(
    _ numbers: Range<Int>,
    _ body: (_ store: any Store, _ folder: String) throws -> Void
  ) throws {
    let folder = try Host.makeTemporaryFolder("rows")
    defer { try? Host.remove(folder) }
    let store = try openStore(Host.join(folder, "store.sqlite"))
    try store.append(numbers.map { record($0) })
    try body(store, folder)
  }

  /// What a page would show of every row.
  private func shown(_ rated: RatedTable) throws -> [String] {
    let view = View(rated, try ViewQuery(.empty, rated.table))
    return (0..<rated.table.count).map { view.row($0).text() }
  }

  @Test func rowsReadBitByBitAreThoseReadAtOnce() throws {
    try withStore(0..<400) { store, _ in
      let whole = try Explorer(.store(store))
      var options = Explorer.Options()
      options.readFirst = 1
      let slow = try Explorer(.store(store), options: options)
      slow.refresh()
      #expect(try shown(slow.rated) == shown(whole.rated) && slow.rowCount == 400)
      #expect(slow.tableJSON()["unread"] == 0)
      // What comes later is rated as if it had been there: the original of record 400 is record 401.
      try store.append([record(400)])
      slow.refresh()
      #expect(slow.rated.index[400].isNaN)
      try store.append([record(401), record(402)])
      slow.refresh()
      #expect(!slow.rated.index[400].isNaN)
      #expect(try shown(slow.rated) == shown(Explorer(.store(store)).rated))
    }
  }

  @Test func keptRowsAreThoseOfTheStore() throws {
    try withStore(0..<400) { store, folder in
      var options = Explorer.Options()
      options.keepsRowsIn = Host.join(folder, "kept")
      options.leastKept = 100
      options.readFirst = 10
      let first = try Explorer(.store(store), options: options)
      #expect(try Host.list(folder) == ["store.sqlite"] || !Host.exists(folder + "/kept"))
      try store.append([record(400)])
      first.refresh()
      let settings = first.rated.settings
      let kept = KeptRows(folder: Host.join(folder, "kept"), store.url, settings)
      let read = try #require(kept.read(of: store))
      #expect(try read.mark.count == 401 && shown(read.rated) == shown(first.rated))
      #expect(read.rated.grades == first.rated.grades && read.rated.index.count == 401)
      // The next start reads what is new only, and rates old rows anew whose original came.
      try store.append([record(401)])
      let next = try Explorer(.store(store), options: options)
      next.refresh()
      #expect(try shown(next.rated) == shown(Explorer(.store(store)).rated))
      // Rows of other settings, of another store, and damaged ones are not taken.
      var other = settings
      other.method.weights = ["latency": 3]
      #expect(KeptRows(folder: Host.join(folder, "kept"), store.url, other).read(of: store) == nil)
      let another = try openStore(Host.join(folder, "another.sqlite"))
      try another.append((1000..<1410).map { record($0) })
      #expect(kept.read(of: another) == nil)
      var bytes = try MappedFile(path: kept.path).view.array
      for place in [3, bytes.count / 2, bytes.count - 1] {
        bytes[place] ^= 0x40
        try AtomicFile.write([ByteView(bytes)], to: kept.path)
        #expect(kept.read(of: store) == nil, "byte \(place)")
        bytes[place] ^= 0x40
      }
      try AtomicFile.write([ByteView(Array(bytes.prefix(bytes.count / 3)))], to: kept.path)
      #expect(kept.read(of: store) == nil)
      #expect(try Explorer(.store(store), options: options).rowCount > 0)
    }
  }
}
