import AssayBase
import AssayHost
import Synchronization

/// Jobs that the page asked for, done one after the other on a thread of their own.
///
/// One at a time, because measurements beside each other would measure each other. Each is in the
/// ledger before it waits here: a job outlives the process, and whoever else works from the
/// ledger sees it. Every change is published to the viewers.
final class JobQueue: Sendable {
  /// Jobs that may wait.
  static let waitingLimit = 50
  /// Finished jobs that are remembered.
  static let memory = 100

  enum State: String { case waiting, running, done, failed, canceled }

  struct Job {
    var id: Int
    var title: String
    var request: JSON
    /// What the ledger calls it.
    var entry: String
    var state = State.waiting
    var progress: JobProgress?
    var result: JSON?
    var faults: [Diagnostic] = []
    var isCanceled = false

    var json: JSON {
      .object([
        "id": JSON(id), "title": .string(title), "state": .string(state.rawValue),
        "kind": request["kind"] ?? .null, "ledger": .string(entry),
        "progress": progress?.json ?? .null,
        "result": result ?? .null, "error": .array(faults.map(\.json)),
      ])
    }
  }

  private struct Content {
    var jobs: [Job] = []
    var next = 1
    var isEnding = false
    var isEnded = true
    var thread: BackgroundThread?

    var waitingCount: Int { jobs.count { $0.state == .waiting } }
  }

  private let bench: any ExplorerBench
  private let hub: EventHub
  private let content = Mutex(Content())
  private let changed: @Sendable () -> Void

  /// - Parameter changed: called after a job that may have made records.
  init(bench: any ExplorerBench, hub: EventHub, changed: @escaping @Sendable () -> Void) {
    self.bench = bench
    self.hub = hub
    self.changed = changed
  }

  /// Puts a job at the queue's end.
  ///
  /// - Returns: the job's number.
  /// - Throws: `Diagnostic` EXP007 when too many wait, or why it cannot be done.
  func add(_ request: JSON) throws -> Int {
    let title = try bench.title(request)
    guard content.withLock({ $0.waitingCount }) < Self.waitingLimit else {
      throw Diagnostic(
        "EXP007",
        "\(Self.waitingLimit) jobs are waiting already",
        remedy: "wait for some of them, or cancel them"
      )
    }
    let job = append(title, request, try bench.enroll(request, title: title))
    try startIfIdle()
    return job.id
  }

  /// Takes up what an earlier explorer left undone.
  func resume() throws {
    let jobs = bench.leftOver()
    for job in jobs { _ = append(job.title, job.request, job.entry) }
    if !jobs.isEmpty { try startIfIdle() }
  }

  private func append(_ title: String, _ request: JSON, _ entry: String) -> Job {
    let job = content.withLock { content in
      let job = Job(id: content.next, title: title, request: request, entry: entry)
      content.next += 1
      content.jobs.append(job)
      let surplus = content.jobs.count - Self.memory
      if surplus > 0 {
        // Those that wait or run are among the last.
        content.jobs.removeFirst(surplus)
      }
      return job
    }
    hub.publish("job", job.json)
    return job
  }

  /// Gives a job up: at once when it waits, at its next step when it runs.
  ///
  /// - Returns: whether there is such a job that has not ended.
  func cancel(_ id: Int) -> Bool {
    let job: Job? = content.withLock { content in
      guard
        let place = content.jobs.firstIndex(where: {
          $0.id == id && ($0.state == .waiting || $0.state == .running)
        })
      else { return nil }
      content.jobs[place].isCanceled = true
      if content.jobs[place].state == .waiting { content.jobs[place].state = .canceled }
      return content.jobs[place]
    }
    if let job {
      if job.state == .canceled { bench.withdraw(job.entry) }
      hub.publish("job", job.json)
    }
    return job != nil
  }

  /// Every job that is remembered, the oldest first.
  var json: JSON { .array(content.withLock { $0.jobs }.map(\.json)) }

  /// Gives every job up and waits for the one that runs; the ledger keeps those that waited.
  func end() {
    content.withLock { content in
      content.isEnding = true
      for place in content.jobs.indices { content.jobs[place].isCanceled = true }
    }
    content.withLock { $0.thread }?.join()
  }

  // MARK: The thread

  private func startIfIdle() throws {
    try content.withLock { content in
      guard content.isEnded, !content.isEnding else { return }
      // The last one has taken its last look at the queue and ends by itself.
      content.thread?.join()
      content.thread = try BackgroundThread { self.work() }
      content.isEnded = false
    }
  }

  private func work() {
    while let job = takeNext() {
      update(job.id) { _ in }
      do {
        var last: UInt64 = 0
        let result = try bench.run(
          job.request,
          entry: job.entry,
          isWanted: { [weak self] in self?.isWanted(job.id) ?? false }
        ) { step in
          try check(job.id)
          // A viewer cannot follow more, and a short job has thousands of steps.
          let now = Host.monotonicNanoseconds()
          let isLast = step.done + 1 >= step.total
          guard isLast || now &- last > 100_000_000 else { return }
          last = now
          update(job.id) { $0.progress = step }
        }
        update(job.id) {
          $0.state = .done
          $0.result = result
        }
      } catch is Canceled {
        update(job.id) { $0.state = .canceled }
      } catch let fault as Diagnostic where fault.code == "JOB012" {
        update(job.id) { $0.state = .canceled }
      } catch {
        update(job.id) {
          $0.state = .failed
          $0.faults =
            (error as? Diagnostics)?.all
            ?? [error as? Diagnostic ?? Diagnostic("EXP009", "the job failed", cause: "\(error)")]
        }
      }
      changed()
    }
  }

  private func takeNext() -> Job? {
    content.withLock { content in
      guard !content.isEnding,
        let place = content.jobs.firstIndex(where: { $0.state == .waiting })
      else {
        content.isEnded = true
        return nil
      }
      content.jobs[place].state = .running
      return content.jobs[place]
    }
  }

  private func update(_ id: Int, _ change: (inout Job) -> Void) {
    let job: Job? = content.withLock { content in
      guard let place = content.jobs.firstIndex(where: { $0.id == id }) else { return nil }
      change(&content.jobs[place])
      return content.jobs[place]
    }
    if let job { hub.publish("job", job.json) }
  }

  private func isWanted(_ id: Int) -> Bool {
    content.withLock { content in content.jobs.first { $0.id == id }?.isCanceled == false }
  }

  private func check(_ id: Int) throws { if !isWanted(id) { throw Canceled() } }

  private struct Canceled: Error {}
}
