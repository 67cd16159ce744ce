import AssayBase
import AssayExplore
import AssayHost
import AssayStore

extension PageLedger {
  /// How often a detection may take its explorer along before it is given up.
  private static let losses = 3
  /// How long an explorer may be silent, nanoseconds; one that ended on this machine is known to have.
  private static let lease: Int64 = 3_600_000_000_000

  /// Writes a detection into the ledger.
  ///
  /// - Parameters:
  ///   - words: what `assay detect` could have been started with.
  ///   - files: the detector and the series, whose bytes are part of the trial's key.
  func enroll(
    _ request: JSON,
    title: String,
    detect words: [String],
    files: [String]
  ) throws -> String {
    let contents = try files.map { try Self.digest($0) }
    let specification = JSON.object([
      "schema": "assay.page-detection/1", "command": .array(words.map { .string($0) }),
      "files": .array(contents.map { .string($0) }), "device": .string(identity),
    ])
    return try enroll(
      request,
      title,
      LedgerTrial(
        key: sha256(specification.text()),
        device: "local-\(identity)",
        title: title,
        specification: specification
      )
    )
  }

  /// The SHA-256 of a file, or of what a folder's files are called and hold.
  private static func digest(_ path: String) throws -> String {
    guard Host.kind(of: path) == .folder else { return sha256(try MappedFile(path: path).view) }
    let lines = try Host.list(path).sorted().compactMap { name -> String? in
      let file = Host.join(path, name)
      guard Host.kind(of: file) == .file else { return nil }
      return "\(name) \(sha256(try MappedFile(path: file).view))"
    }
    return sha256(lines.joined(separator: "\n"))
  }

  /// Does a detection and keeps its answer in the ledger before anybody is told.
  ///
  /// - Parameters:
  ///   - isWanted: whether somebody still asks for it.
  ///   - detect: does it.
  /// - Returns: the answer, also one that another explorer was faster with.
  /// - Throws: what `detect` throws, which the ledger keeps too; JOB012 when nobody wants it any more.
  func detect(
    _ entry: String,
    isWanted: () -> Bool,
    _ detect: () throws -> JSON
  ) throws -> JSON {
    let store = try open()
    while true {
      if let answer = try store.events(sweep: entry, kinds: [.answered]).last?.detail {
        return answer
      }
      guard isWanted() else { throw Diagnostic("JOB012", "the trial was canceled") }
      let claim = try store.claim(
        sweep: entry,
        devices: try devices(store, entry),
        holder: Host.ProcessIdentity.current.text,
        lease: Self.lease,
        isGone: Self.isGone
      )
      guard let claim else {
        // Another explorer of this store has it.
        Host.sleep(nanoseconds: 500_000_000)
        continue
      }
      return try answer(claim, in: store, isWanted, detect)
    }
  }

  private func answer(
    _ claim: LedgerClaim,
    in store: any Store,
    _ isWanted: () -> Bool,
    _ detect: () throws -> JSON
  ) throws -> JSON {
    do {
      guard claim.losses < Self.losses else {
        throw Diagnostic(
          "JOB014",
          "the detection took its explorer along \(claim.losses) times, and is given up",
          remedy: "try it by assay detect, and take another runtime or detector"
        )
      }
      try store.start(claim)
      let answer = try detect()
      _ = try store.conclude(claim, answer: answer)
      return answer
    } catch {
      let faults = (error as? Diagnostics)?.all ?? [error as? Diagnostic].compactMap(\.self)
      if isWanted() {
        try? store.fail(claim, detail: .object(["faults": .array(faults.map(\.json))]))
      } else {
        try? store.release(claim)
      }
      throw error
    }
  }
}
