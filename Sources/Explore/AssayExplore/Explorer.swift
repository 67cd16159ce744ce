import AssayBase
import AssayHost
import AssayRate
import AssayRecord
import AssayStore
import Synchronization

/// The explorer: measurements on a page that is served from this machine.
public final class Explorer: Sendable {
  /// Where the measurements come from.
  public enum Source: Sendable {
    /// An imported table, which does not change.
    case table(ExplorerTable, name: String)
    /// The records of a store, also those that are appended later.
    case store(any RecordStore)
  }

  /// How it is served.
  public struct Options: Sendable {
    /// A numeric address; only this machine can reach 127.0.0.1.
    public var address = "127.0.0.1"
    /// The port; 0 for any that is free.
    public var port = 8888
    /// The word without which nothing is answered; needed for addresses that others can reach.
    public var token: String?
    /// Where `plotly.min.js` is; `nil` when it is not installed.
    public var plotly: String?
    /// Bytes of a file that may be dropped on the page.
    public var uploadLimit = 1 << 30
    /// Seconds after which a silent connection is closed.
    public var timeout = 30
    /// The program's version, for the page.
    public var version = ""
    /// Records that are read before the page is served; the rest is read while it is looked at.
    public var readFirst = Int.max
    /// Where rows of large stores are kept, so that the next start need not read all records; `nil` for
    /// nowhere.
    public var keepsRowsIn: String?
    /// Records of a store whose rows are worth keeping.
    public var leastKept = 20_000
    /// Makes options.
    public init() {}
  }

  let source: Source
  let options: Options
  let bench: (any ExplorerBench)?
  let hub = EventHub()
  let views = ViewCache()
  let queue: JobQueue?
  let state: Mutex<State>
  private let server = Mutex<HTTPServer?>(nil)
  private let ticker = Mutex<BackgroundThread?>(nil)
  private let isEnding = Atomic(false)
  private let lastLedger = Mutex("")
  private let isReading = Atomic(false)
  /// Where rows are kept for the next start, and how many records they are of.
  private let kept: KeptRows?
  private let keptCount: Mutex<Int>

  /// What the page shows now.
  struct State: Sendable {
    var rated: RatedTable
    /// How far the store has been read.
    var mark = StoreMark()
    /// The records that were in the store when it was looked at last.
    var storedCount = 0
    /// The number of the table's state; it changes with rows and settings.
    var generation = 1
  }

  /// Reads the source and rates it.
  ///
  /// - Parameters:
  ///   - settings: how to rate; `nil` for the scale that comes with Assay, where it can rate the source.
  ///   - bench: what runs models; `nil` for a page that only shows.
  /// - Throws: `Diagnostic` EXP003 for an address that needs a token, STO… and RAT… from the source.
  public init(
    _ source: Source,
    settings: ExplorerSettings? = nil,
    bench: (any ExplorerBench)? = nil,
    options: Options = Options()
  ) throws {
    guard options.token != nil || Self.isLocal(options.address) else {
      throw Diagnostic(
        "EXP003",
        "\(options.address) can be reached by other machines, and there is no token",
        remedy: "give one with --token, or serve this machine only (--address 127.0.0.1)"
      )
    }
    self.source = source
    self.options = options
    self.bench = bench
    var rowsAreKeptIn: KeptRows?
    var keptRecords = 0
    switch source {
    case .table(let table, _):
      state = Mutex(State(rated: try RatedTable(table, settings ?? .usual(for: table))))
    case .store(let store):
      let table = ExplorerTable.ofRecords
      let settings = settings ?? .usual(for: table)
      rowsAreKeptIn = options.keepsRowsIn.map { KeptRows(folder: $0, store.url, settings) }
      var reader = StoreReader(store, table, settings)
      if let (rated, mark) = rowsAreKeptIn?.read(of: store) {
        reader = StoreReader(store, rated, mark)
        keptRecords = mark.count
      }
      let count = try store.count()
      while reader.mark.count < options.readFirst, try reader.readPage() {}
      let rated = try reader.rated()
      state = Mutex(State(rated: rated, mark: reader.mark, storedCount: count))
    }
    kept = rowsAreKeptIn
    keptCount = Mutex(keptRecords)
    let hub = hub
    queue = bench.map { JobQueue(bench: $0, hub: hub) { hub.publish("records", .null) } }
  }

  /// Whether the explorer can be served here.
  public static func probe() -> Availability { HTTPLibrary.probe() }

  /// Whether an address can be reached from this machine only.
  public static func isLocal(_ address: String) -> Bool {
    address.hasPrefix("127.") || address == "::1"
  }

  /// Starts to serve.
  ///
  /// - Returns: the page's address.
  /// - Throws: `Diagnostic` EXP001, EXP002.
  public func start() throws -> String {
    var limits = HTTPServer.Limits()
    limits.timeout = options.timeout
    let started = try HTTPServer(
      address: options.address,
      port: options.port,
      limits: limits,
      hubs: [hub],
      handler: ExplorerRoutes(self)
    )
    server.withLock { $0 = started }
    try queue?.resume()
    try ticker.withLock { ticker in
      ticker = try BackgroundThread { [weak self] in
        var ticks = 0
        self?.prepareFirstView()
        self?.refresh()
        while let self, !self.isEnding.load(ordering: .relaxed) {
          Host.sleep(nanoseconds: 100_000_000)
          ticks += 1
          if ticks % 150 == 0 { self.hub.beat() }
          if ticks % 20 == 0 {
            self.refresh()
            self.tellLedger()
          }
        }
      }
    }
    var url = "http://\(Self.isLocal(options.address) ? "localhost" : options.address)"
    url += ":\(started.port)/"
    if let token = options.token { url += "?token=\(token)" }
    return url
  }

  /// The port that it is served on; 0 before `start`.
  public var port: Int { server.withLock { $0?.port ?? 0 } }

  /// Ends jobs, streams and the server.
  public func stop() {
    isEnding.store(true, ordering: .relaxed)
    queue?.end()
    ticker.withLock { $0 }?.join()
    server.withLock { server in
      server?.stop()
      server = nil
    }
  }

  // MARK: The table

  /// The number of rows that are shown.
  public var rowCount: Int { rated.table.count }

  var rated: RatedTable { state.withLock { $0.rated } }

  /// Rates by other settings; the page of every viewer follows.
  func apply(_ settings: ExplorerSettings) throws {
    let table = rated.table
    let made = try RatedTable(table, settings)
    let generation = state.withLock { state in
      state.rated = made
      state.generation += 1
      return state.generation
    }
    hub.publish("table", JSON(generation))
  }

  /// Reads the records that were appended since, and shows them: very many bit by bit.
  ///
  /// Nothing is done while somebody else reads.
  func refresh() {
    guard case .store(let store) = source,
      isReading.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return }
    defer { isReading.store(false, ordering: .releasing) }
    let (mark, old) = state.withLock { ($0.mark, $0.rated) }
    // A store that cannot be read now is read at the next look.
    guard let last = try? store.lastPlace(), last > mark.place, let count = try? store.count()
    else { return }
    state.withLock { $0.storedCount = count }
    var reader = StoreReader(store, old, mark)
    var shown = old.table.count
    while !isEnding.load(ordering: .relaxed), (try? reader.readPage()) == true {
      // Each time half as many more: showing them costs as much as there are.
      guard reader.table.count > shown + shown / 2 + 20_000 else { continue }
      shown = reader.table.count
      show(&reader)
    }
    if !store.isInOrder, reader.mark.place >= last, reader.mark.count < count {
      // Somebody was slower to commit than others who came later.
      reader = StoreReader(store, .ofRecords, rated.settings)
      while !isEnding.load(ordering: .relaxed), (try? reader.readPage()) == true {}
    }
    if reader.mark != state.withLock({ $0.mark }) { show(&reader) }
    keepRows()
  }

  /// Shows what was read.
  private func show(_ reader: inout StoreReader) {
    while true {
      // A viewer may have changed the settings meanwhile.
      reader.settings = rated.settings
      guard let made = try? reader.rated() else { return }
      let read = reader.mark
      let generation: Int? = state.withLock { state in
        guard state.rated.settings == made.settings else { return nil }
        state.rated = made
        state.mark = read
        state.storedCount = max(state.storedCount, read.count)
        state.generation += 1
        return state.generation
      }
      guard let generation else { continue }
      prepareFirstView()
      hub.publish("table", JSON(generation))
      return
    }
  }

  /// Keeps the rows for the next start, where many were read since they were kept.
  private func keepRows() {
    guard let kept, case .store(let store) = source else { return }
    let (mark, rated) = state.withLock { ($0.mark, $0.rated) }
    let isMuch = keptCount.withLock { $0 + max($0 / 10, options.leastKept) <= mark.count }
    // Without a cache the next start takes longer, and nothing else.
    guard isMuch, (try? kept.write(rated, mark, of: store)) != nil else { return }
    keptCount.withLock { $0 = mark.count }
  }

  /// Tells viewers what the ledger's sweeps do, where that has changed.
  private func tellLedger() {
    // Nobody is told when nobody looks on: the ledger is then left alone.
    guard let bench, hub.count > 0 else { return }
    let now = bench.ledger()
    let text = now.text()
    let isNew = lastLedger.withLock { last in
      defer { last = text }
      return last != text
    }
    if isNew { hub.publish("ledger", now) }
  }

  /// The record of a row, from its store.
  func record(_ id: String) throws -> Record? {
    guard case .store(let store) = source, !id.isEmpty else { return nil }
    // An id begins with its comparison's, by which the store finds it.
    let session = id.lastIndex(of: "-").map { String(id[..<$0]) }
    return try store.records(RecordQuery(session: session)).first { $0.id == id }
  }
}
