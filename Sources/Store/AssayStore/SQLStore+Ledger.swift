import AssayBase
import AssayHost
import AssayRecord

extension SQLStore {
  func enroll(_ sweep: LedgerSweep, _ trials: [LedgerTrial]) throws -> Int {
    try withDatabase { database in
      try database.transaction {
        let now = try database.now()
        if try database.run("SELECT 1 FROM sweeps WHERE id = $1", [.text(sweep.id)]).isEmpty {
          try database.run(
            "INSERT INTO sweeps (id, name, made_at, plan) VALUES ($1, $2, $3, $4)",
            [.text(sweep.id), .text(sweep.name), .integer(now), .text(sweep.plan.text())]
          )
        }
        var reused = 0
        for (position, trial) in trials.enumerated() {
          let known = try database.run(
            "SELECT state FROM trials WHERE sweep = $1 AND key = $2",
            [.text(sweep.id), .text(trial.key)]
          )
          guard known.isEmpty else { continue }
          let record = try database.record(ofTrial: trial.key)
          try database.run(
            """
            INSERT INTO trials (sweep, key, position, device, title, specification, state, attempt,
              failures, losses, holder, lease_until, record)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, NULL, NULL, $8)
            """,
            [
              .text(sweep.id), .text(trial.key), .integer(Int64(position)), .text(trial.device),
              .text(trial.title), .text(trial.specification.text()),
              .text(record == nil ? "waiting" : "finished"), SQLValue(record),
            ]
          )
          if record != nil {
            reused += 1
            try database.note(.reused, sweep.id, trial.key, 0, "", now, .emptyObject)
          }
        }
        return reused
      }
    }
  }

  func claim(
    sweep: String,
    devices: [String],
    holder: String,
    lease: Int64,
    isGone: (String) -> Bool
  ) throws -> LedgerClaim? {
    guard !devices.isEmpty else { return nil }
    return try withDatabase { database in
      try database.transaction {
        let now = try database.now()
        try database.expire(sweep, now, isGone)
        while let row = try database.nextTrial(sweep, devices) {
          let claim = LedgerClaim(
            sweep: sweep,
            trial: row.trial,
            holder: holder,
            attempt: row.attempt + 1,
            failures: row.failures,
            losses: row.losses
          )
          if let record = try database.record(ofTrial: claim.trial.key) {
            try database.run(
              "UPDATE trials SET state = 'finished', record = $1 WHERE sweep = $2 AND key = $3",
              [.text(record), .text(sweep), .text(claim.trial.key)]
            )
            try database.note(
              .reused,
              sweep,
              claim.trial.key,
              claim.attempt,
              holder,
              now,
              .emptyObject
            )
            continue
          }
          try database.run(
            """
            UPDATE trials SET state = 'claimed', holder = $1, lease_until = $2, attempt = $3
            WHERE sweep = $4 AND key = $5
            """,
            [
              .text(holder), .integer(now &+ lease), .integer(Int64(claim.attempt)), .text(sweep),
              .text(claim.trial.key),
            ]
          )
          try database.note(.claimed, claim, now, .emptyObject)
          return claim
        }
        return nil
      }
    }
  }

  func start(_ claim: LedgerClaim) throws {
    try withDatabase { database in
      try database.transaction {
        try database.note(.started, claim, try database.now(), .emptyObject)
      }
    }
  }

  func renew(_ claim: LedgerClaim, lease: Int64) throws -> Bool {
    try withDatabase { database in
      try database.transaction {
        try database.change(claim, "lease_until = $1", [.integer(try database.now() &+ lease)])
      }
    }
  }

  func finish(
    _ claim: LedgerClaim,
    _ record: Record,
    detail: JSON,
    isClosing: Bool
  ) throws -> Bool {
    do {
      return try withDatabase { database in
        try database.transaction {
          let now = try database.now()
          let other = try database.record(ofTrial: claim.trial.key)
          let isStored = other == nil
          guard
            try database.change(
              claim,
              "state = $1, record = $2, holder = NULL, lease_until = NULL",
              [
                .text(isClosing && isStored ? "closed" : "finished"), .text(other ?? record.id),
              ]
            )
          else { return false }
          if isStored {
            let trial = isClosing ? nil : claim.trial.key
            try StoreLayout.insert(StoreLayout.row(of: record), trial: trial, into: database)
          }
          let kind: LedgerEventKind = !isStored ? .reused : isClosing ? .closed : .finished
          try database.note(kind, claim, now, detail)
          return isStored
        }
      }
    } catch let error as Diagnostic where error.code == "STO006" {
      // Another sweep stored the same trial's record in this very moment; the next look sees it.
      return try withDatabase { database in
        guard let other = try database.record(ofTrial: claim.trial.key) else { throw error }
        return try database.transaction {
          guard
            try database.change(
              claim,
              "state = 'finished', record = $1, holder = NULL, lease_until = NULL",
              [.text(other)]
            )
          else { return false }
          try database.note(.reused, claim, try database.now(), detail)
          return false
        }
      }
    }
  }

  func conclude(_ claim: LedgerClaim, answer: JSON) throws -> Bool {
    try withDatabase { database in
      try database.transaction {
        let isOurs = try database.change(
          claim,
          "state = 'finished', holder = NULL, lease_until = NULL",
          []
        )
        if isOurs { try database.note(.answered, claim, try database.now(), answer) }
        return isOurs
      }
    }
  }

  func fail(_ claim: LedgerClaim, detail: JSON) throws {
    try giveBack(claim, .failed, "failures = failures + 1", detail)
  }

  func release(_ claim: LedgerClaim) throws {
    try giveBack(claim, .released, "attempt = attempt - 1", .emptyObject)
  }

  private func giveBack(
    _ claim: LedgerClaim,
    _ kind: LedgerEventKind,
    _ change: String,
    _ detail: JSON
  ) throws {
    try withDatabase { database in
      try database.transaction {
        let isOurs = try database.change(
          claim,
          "state = 'waiting', holder = NULL, lease_until = NULL, \(change)",
          []
        )
        if isOurs { try database.note(kind, claim, try database.now(), detail) }
      }
    }
  }

  func reopen(sweep: String) throws -> Int {
    try withDatabase { database in
      try database.transaction {
        let now = try database.now()
        let closed = try database.run(
          """
          UPDATE trials SET state = 'waiting', failures = 0, losses = 0, record = NULL
          WHERE sweep = $1 AND state = 'closed' RETURNING key, attempt
          """,
          [.text(sweep)]
        )
        for row in closed {
          try database.note(
            .reopened,
            sweep,
            row[0].text ?? "",
            Int(row[1].integer ?? 0),
            "",
            now,
            .emptyObject
          )
        }
        return closed.count
      }
    }
  }

  func progress(sweep: String, devices: [String]?) throws -> LedgerProgress {
    let rows = try withDatabase {
      try $0.run(
        "SELECT state, device, count(*) FROM trials WHERE sweep = $1 GROUP BY state, device",
        [.text(sweep)]
      )
    }
    var progress = LedgerProgress()
    for row in rows where devices?.contains(row[1].text ?? "") ?? true {
      let count = Int(row[2].integer ?? 0)
      switch row[0].text {
      case "waiting": progress.waiting += count
      case "claimed": progress.claimed += count
      case "finished": progress.finished += count
      default: progress.closed += count
      }
    }
    return progress
  }

  func trials(sweep: String) throws -> [(trial: LedgerTrial, state: String)] {
    try withDatabase { database in
      try database.run(
        """
        SELECT key, device, title, specification, state FROM trials WHERE sweep = $1
        ORDER BY position, key
        """,
        [.text(sweep)]
      ).map { (try LedgerTrial(row: $0), $0[4].text ?? "") }
    }
  }

  func events(sweep: String, kinds: [LedgerEventKind]?) throws -> [LedgerEvent] {
    let given = kinds ?? []
    let places = given.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
    let filter = kinds == nil ? "" : " AND kind IN (\(places))"
    return try withDatabase { database in
      try database.run(
        """
        SELECT seq, trial, kind, attempt, holder, at, detail FROM trial_events WHERE sweep = $1\(filter)
        ORDER BY seq
        """,
        [.text(sweep)] + given.map { .text($0.rawValue) }
      ).map { row in
        guard let kind = row[2].text.flatMap(LedgerEventKind.init) else {
          throw Diagnostic("STO009", "the ledger has an event of an unknown kind", at: [url])
        }
        return LedgerEvent(
          sequence: row[0].integer ?? 0,
          trial: row[1].text ?? "",
          kind: kind,
          attempt: Int(row[3].integer ?? 0),
          holder: row[4].text ?? "",
          at: row[5].integer ?? 0,
          detail: (try? JSON(parsing: row[6].text ?? "")) ?? .null
        )
      }
    }
  }

  func sweeps() throws -> [LedgerSweep] {
    try withDatabase { database in
      try database.run(
        "SELECT id, name, plan FROM sweeps WHERE id <> $1 ORDER BY seq",
        [.text(leaseSweep)]
      ).map { row in
        LedgerSweep(
          id: row[0].text ?? "",
          name: row[1].text ?? "",
          plan: (try? JSON(parsing: row[2].text ?? "")) ?? .null
        )
      }
    }
  }

  func records(ofSweep sweep: String) throws -> [Record] {
    try withDatabase { database in
      try database.run(
        """
        SELECT r.json FROM trials t JOIN records r ON r.id = t.record WHERE t.sweep = $1
        ORDER BY t.position, t.key
        """,
        [.text(sweep)]
      ).map { try Record(json: JSON(parsing: $0[0].text ?? "")) }
    }
  }

  func hasRecord(ofTrial key: String) throws -> Bool {
    try withDatabase { try $0.record(ofTrial: key) != nil }
  }

  func finishedDetails(limit: Int) throws -> [JSON] {
    try withDatabase { database in
      try database.run(
        """
        SELECT detail FROM trial_events WHERE kind = 'finished'
        ORDER BY seq DESC LIMIT \(max(limit, 0))
        """
      ).compactMap { try? JSON(parsing: $0[0].text ?? "") }
    }
  }
}

extension LedgerTrial {
  fileprivate init(row: [SQLValue]) throws {
    self.init(
      key: row[0].text ?? "",
      device: row[1].text ?? "",
      title: row[2].text ?? "",
      specification: try JSON(parsing: row[3].text ?? "")
    )
  }
}

/// The steps of the ledger, inside a transaction.
extension SQLDatabase {
  /// The time by the clock that all who share the database share.
  fileprivate func now() throws -> Int64 {
    switch dialect {
    case .sqlite: return Host.wallNanoseconds()
    case .postgres:
      let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
      return (try run(sql).first?.first?.integer ?? 0) &* 1000
    }
  }

  /// The id of the record that answers a trial.
  fileprivate func record(ofTrial key: String) throws -> String? {
    try run("SELECT id FROM records WHERE \(StoreLayout.answers("$1"))", [.text(key)])
      .first?.first?.text
  }

  /// Makes trials wait again whose holder is gone or was silent for too long.
  fileprivate func expire(_ sweep: String, _ now: Int64, _ isGone: (String) -> Bool) throws {
    let taken = try run(
      """
      SELECT key, holder, attempt, lease_until FROM trials WHERE sweep = $1 AND state = 'claimed'\
      \(dialect.takingRow)
      """,
      [.text(sweep)]
    )
    for row in taken {
      let holder = row[1].text ?? ""
      guard (row[3].integer ?? 0) <= now || isGone(holder) else { continue }
      try run(
        """
        UPDATE trials SET state = 'waiting', holder = NULL, lease_until = NULL, losses = losses + 1
        WHERE sweep = $1 AND key = $2
        """,
        [.text(sweep), row[0]]
      )
      try note(
        .lost,
        sweep,
        row[0].text ?? "",
        Int(row[2].integer ?? 0),
        holder,
        now,
        .emptyObject
      )
    }
  }

  /// The first trial that waits.
  fileprivate func nextTrial(
    _ sweep: String,
    _ devices: [String]
  ) throws -> (trial: LedgerTrial, attempt: Int, failures: Int, losses: Int)? {
    let places = devices.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
    let rows = try run(
      """
      SELECT key, device, title, specification, attempt, failures, losses FROM trials
      WHERE sweep = $1 AND state = 'waiting' AND device IN (\(places))
      ORDER BY losses, failures, position LIMIT 1\(dialect.takingRow)
      """,
      [.text(sweep)] + devices.map { .text($0) }
    )
    guard let row = rows.first else { return nil }
    return (
      try LedgerTrial(row: row), Int(row[4].integer ?? 0), Int(row[5].integer ?? 0),
      Int(row[6].integer ?? 0)
    )
  }

  /// Changes a trial that is still its holder's.
  ///
  /// - Returns: whether it was.
  fileprivate func change(
    _ claim: LedgerClaim,
    _ changes: String,
    _ values: [SQLValue]
  ) throws -> Bool {
    let next = values.count + 1
    let rows = try run(
      """
      UPDATE trials SET \(changes) WHERE sweep = $\(next) AND key = $\(next + 1)
        AND state = 'claimed' AND holder = $\(next + 2) AND attempt = $\(next + 3) RETURNING key
      """,
      values + [
        .text(claim.sweep), .text(claim.trial.key), .text(claim.holder),
        .integer(Int64(claim.attempt)),
      ]
    )
    return !rows.isEmpty
  }

  fileprivate func note(
    _ kind: LedgerEventKind,
    _ claim: LedgerClaim,
    _ now: Int64,
    _ detail: JSON
  ) throws {
    try note(kind, claim.sweep, claim.trial.key, claim.attempt, claim.holder, now, detail)
  }

  /// Adds a line to the ledger.
  fileprivate func note(
    _ kind: LedgerEventKind,
    _ sweep: String,
    _ trial: String,
    _ attempt: Int,
    _ holder: String,
    _ now: Int64,
    _ detail: JSON
  ) throws {
    try run(
      """
      INSERT INTO trial_events (sweep, trial, kind, attempt, holder, at, detail)
      VALUES ($1, $2, $3, $4, $5, $6, $7)
      """,
      [
        .text(sweep), .text(trial), .text(kind.rawValue), .integer(Int64(attempt)), .text(holder),
        .integer(now), .text(detail.text()),
      ]
    )
  }
}
