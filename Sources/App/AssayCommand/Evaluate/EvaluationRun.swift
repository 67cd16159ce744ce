import AssayBase
import AssayHost
import AssaySets

/// Runs an evaluation's shares in processes of their own, so that a runtime that crashes is a row with
/// its reason.
struct EvaluationRun {
  let executable: String
  let workers: Int
  /// The share of this machine, where several share the work: `nil` for all.
  let shard: (index: Int, count: Int)?
  let console: Console

  /// Evaluates what is not known yet.
  func run(
    _ plan: EvaluationPlan,
    _ set: LabelledSet,
    stateRoot: String?
  ) throws -> EvaluationResult {
    let state = try EvaluationState(plan, below: stateRoot)
    let before = try state.outcomes().count
    let start = Host.monotonicNanoseconds()
    var result = EvaluationResult(
      plan: plan,
      task: set.task,
      classCount: set.classes.count,
      outcomes: [:]
    )
    if before < set.items.count { result.fault = try process(plan, set, state, before, start) }
    let seconds = Double(Host.monotonicNanoseconds() - start) / 1e9
    result.outcomes = try state.outcomes().filter { set.items.indices.contains($0.key) }
    let made = result.outcomes.count - before
    if made > 0, seconds > 0 { result.rate = Double(made) / seconds }
    return result
  }

  private func process(
    _ plan: EvaluationPlan,
    _ set: LabelledSet,
    _ state: EvaluationState,
    _ before: Int,
    _ start: UInt64
  ) throws -> [Diagnostic] {
    let total = workers * (shard?.count ?? 1)
    let shares = (0..<workers).map { ($0 * (shard?.count ?? 1)) + (shard?.index ?? 0) }
    for share in shares { try? Host.remove(state.fault(share, of: total)) }
    let children = try shares.map { share in
      try ChildProcess(
        executable,
        ["evaluate-worker", state.folder, "\(share)/\(total)", "--quiet"],
        descriptors: [2: 2]
      )
    }
    while children.contains(where: { $0.poll() == nil }) {
      Host.sleep(nanoseconds: 20_000_000)
      guard Console.isTerminal else { continue }
      let done = state.count()
      let elapsed = Double(Host.monotonicNanoseconds() - start)
      let left =
        done > before ? elapsed / Double(done - before) * Double(set.items.count - done) : 0
      console.progress(
        "\(plan.runtime): \(done)/\(set.items.count)"
          + (left > 0 ? ", \(Text.duration(left)) left" : "")
      )
    }
    console.endProgress()
    return try zip(children, shares).flatMap { child, share -> [Diagnostic] in
      let end = child.wait()
      if end == .exited(0) { return [] }
      let path = state.fault(share, of: total)
      if Host.kind(of: path) == .file,
        let faults = try JSON(parsing: MappedFile(path: path).view.array).array?
          .compactMap({ Diagnostic(json: $0) }), !faults.isEmpty
      {
        return faults
      }
      return [
        Diagnostic(
          "EVA020",
          "the worker of \(plan.runtime) ended with \(end.text)",
          at: [plan.model],
          remedy: "run it again: what was evaluated is kept"
        )
      ]
    }
  }
}
