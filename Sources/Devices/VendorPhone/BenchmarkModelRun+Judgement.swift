import AssayBase

extension BenchmarkModelRun {
  /// How the tool's process ended.
  public enum End: Sendable, Equatable {
    /// With this status.
    case exited(Int32)
    /// By a signal, by its number.
    case signaled(Int32)
    /// Nobody knows, as of an app or of a file.
    case unknown

    /// The end that a shell's status tells: 128 and more is a signal.
    public init(status: Int32) {
      self = status > 128 && status < 160 ? .signaled(status - 128) : .exited(status)
    }
  }

  /// Why the figures cannot be taken for what was asked for, and remarks beside them.
  ///
  /// A reason of severity `error` makes a record INVALID: BMK010 it did not finish, BMK011 nothing was
  /// invoked, BMK012 flags were ignored, BMK013 another path ran wholly or in part, BMK014 figures
  /// contradict each other, BMK015 it crashed, BMK017 the profile is not whole.
  public func findings(_ request: BenchmarkModelRequest, end: End = .unknown) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    let words = (errors + (isFailed ? ["Benchmarking failed."] : [])).joined(separator: "\n")
    let cause = words.isEmpty ? nil : words
    if !isFinished {
      findings.append(unfinished(request, end, cause))
    } else if case .exited(let status) = end, status != 0 {
      findings.append(
        Diagnostic("BMK010", "benchmark_model ended with status \(status)", cause: cause)
      )
    } else if case .signaled(let signal) = end {
      findings.append(
        Diagnostic("BMK015", "benchmark_model ended by signal \(signal)", cause: cause)
      )
    }
    if isDry || (isFinished && (measured?.count ?? 1) == 0) {
      findings.append(
        Diagnostic(
          "BMK011",
          "nothing was invoked: the figures are of a dry run",
          remedy: "leave out --dry_run"
        )
      )
    }
    if !unknownFlags.isEmpty {
      findings.append(
        Diagnostic(
          "BMK012",
          "this benchmark_model does not know \(unknownFlags.joined(separator: " ")), and measured "
            + "without",
          remedy: "use a build that knows it, or leave it out: assay tools list"
        )
      )
    }
    if isFinished { findings += placementFindings(request) }
    if !contradictions.isEmpty {
      findings.append(
        Diagnostic(
          "BMK014",
          "what benchmark_model printed contradicts itself",
          remedy: "measure again; part of the output may have been lost",
          cause: contradictions.joined(separator: "\n")
        )
      )
    }
    if request.isProfiling, isFinished {
      findings += profileFindings()
    }
    if request.provider == .nnapi {
      findings.append(
        Diagnostic(
          "BMK018",
          "NNAPI is deprecated since Android 15: later phones run it on the processor, or not at all",
          remedy: "ship the GPU delegate or LiteRT's NPU path instead",
          severity: .note
        )
      )
    }
    return findings
  }

  private func unfinished(
    _ request: BenchmarkModelRequest,
    _ end: End,
    _ cause: String?
  ) -> Diagnostic {
    switch end {
    case .signaled(let signal):
      let isDelegate = request.provider != .cpu || delegates.contains { $0.coverage == .created }
      return Diagnostic(
        "BMK015",
        isDelegate
          ? "benchmark_model crashed (signal \(signal)) while a delegate was applied"
          : "benchmark_model crashed (signal \(signal))",
        remedy: isDelegate
          ? "the phone may lack this accelerator or its driver; measure with --provider cpu to tell"
          : "try another build of it: assay tools list",
        cause: cause
      )
    case .exited(let status):
      return Diagnostic(
        "BMK010",
        "benchmark_model ended with status \(status) and without a result",
        remedy: errors.contains { $0.contains("Could not open") }
          ? "the model is not where it was pushed to" : nil,
        cause: cause
      )
    case .unknown:
      return Diagnostic(
        "BMK010",
        "benchmark_model gives no result",
        remedy: "the line 'Inference timings in us' is missing: it was stopped, or the log was cut",
        cause: cause
      )
    }
  }

  private func profileFindings() -> [Diagnostic] {
    guard let table = profile.operators else {
      return [
        Diagnostic(
          "BMK017",
          "operators were to be profiled, and no table of them was printed",
          severity: .warning
        )
      ]
    }
    guard table.unreadable == 0 else {
      return [
        Diagnostic(
          "BMK017",
          "\(table.unreadable) of \(table.rows.count + table.unreadable) rows of operators cannot be "
            + "read",
          severity: .warning
        )
      ]
    }
    return []
  }

  // MARK: - What ran where

  /// The delegate that was asked for, as far as the log tells of it.
  func delegate(for provider: BenchmarkModelRequest.Provider) -> Delegate? {
    delegates.last { delegate in
      let name = delegate.name.lowercased()
      return provider.delegateWords.contains { name.contains($0) }
    }
  }

  /// What really executed, in the form of a record's `placement`.
  public func placement(_ request: BenchmarkModelRequest) -> JSON {
    var notes: [String] = []
    for delegate in delegates {
      let words: String? =
        switch delegate.coverage {
        case .created: "made"
        case .whole: "all of the model"
        case .part(let kernels):
          "a part of the model" + (kernels.map { ", in \($0) kernels" } ?? "")
        case .nothing: "nothing of the model"
        case .failed: "could not be applied"
        }
      notes.append("\(delegate.name): \(words ?? "")")
    }
    let applied = delegates.last { delegate in
      if case .part = delegate.coverage { return true }
      return delegate.coverage == .whole
    }
    var placement = JSON.object(["provider": .string(applied?.name ?? "CPU")])
    if let placed = applied?.placed, let total = applied?.total {
      placement["placed"] = JSON(placed)
      placement["total"] = JSON(total)
    }
    placement["notes"] = .array(notes.map { .string($0) })
    if !accelerators.isEmpty {
      placement["accelerators"] = .array(accelerators.map { .string($0) })
    }
    return placement
  }

  private func placementFindings(_ request: BenchmarkModelRequest) -> [Diagnostic] {
    func fault(_ summary: String, cause: String? = nil) -> Diagnostic {
      Diagnostic(
        "BMK013",
        "\(request.provider) was asked for, but \(summary)",
        remedy:
          "the figures are not those of \(request.provider): convert the model so that it takes "
          + "all of it, use another build, or measure with --provider cpu",
        cause: cause ?? (errors.isEmpty ? nil : errors.joined(separator: "\n"))
      )
    }
    if request.provider == .cpu {
      // XNNPACK is the processor's too; everything else is not.
      let others = delegates.filter { delegate in
        if case .part = delegate.coverage { return !delegate.name.contains("XNNPACK") }
        return delegate.coverage == .whole && !delegate.name.contains("XNNPACK")
      }
      return others.first.map { [fault("\($0.name) ran")] } ?? []
    }
    guard let delegate = delegate(for: request.provider) else {
      return [fault("the tool never says that it applied it: the processor ran")]
    }
    switch delegate.coverage {
    case .whole: return []
    case .nothing: return [fault("\(delegate.name) took nothing of the model: the processor ran")]
    case .failed: return [fault("\(delegate.name) could not be applied")]
    case .created:
      return [fault("nothing tells that \(delegate.name) took any of the model")]
    case .part(let kernels):
      if let placed = delegate.placed, let total = delegate.total, total > 0 {
        let share = Words.percent(Double(total - placed) / Double(total), 0)
        return [
          fault(
            "\(total - placed) of \(total) operators (\(share)) ran elsewhere than on \(delegate.name)"
          )
        ]
      }
      return [
        fault(
          "\(delegate.name) took only a part of the model"
            + (kernels.map { ", in \($0) kernel\($0 == 1 ? "" : "s")" } ?? "")
        )
      ]
    }
  }

  /// What the tool was asked for, as far as its own output tells: for outputs of others.
  public var impliedRequest: BenchmarkModelRequest {
    var request = BenchmarkModelRequest()
    let flags = (arguments ?? "").split(separator: " ").map { String($0) } + unknownFlags
    func isOn(_ parameter: String, _ flag: String) -> Bool {
      let told = parameters.last { $0.name.lowercased().trimmed == parameter }?.value
      return told == "1" || flags.contains("--\(flag)=true") || flags.contains("--\(flag)=1")
    }
    if isOn("use gpu", "use_gpu") {
      request.provider = .gpu
    } else if isOn("use nnapi", "use_nnapi") {
      request.provider = .nnapi
    } else if isOn("use hexagon", "use_hexagon") {
      request.provider = .hexagon
    } else if isOn("use xnnpack", "use_xnnpack") {
      request.provider = .xnnpack
    }
    request.threads = parameter("Num threads").flatMap { Int($0) } ?? 1
    request.isProfiling = parameter("Enable op profiling") == "1"
    return request
  }

  // MARK: - Figures

  /// One figure with our name for it and the unit in which it was printed.
  public typealias Stated = (name: String, figure: Printed, unit: String)

  /// Every figure that a record keeps, in a fixed order.
  ///
  /// Names are those of imported records: `latency.mean`, `latency.median`, `latency.min`,
  /// `latency.max`, `latency.deviation`, `latency.p5`, `latency.p95`, `latency.first`,
  /// `warmup.mean`, `initialization`, `memory.initialization`, `memory.overall`, `memory.peak`.
  public var stated: [Stated] {
    var all: [Stated] = []
    func add(_ name: String, _ figure: Printed?, _ unit: String) {
      if let figure { all.append((name, figure, unit)) }
    }
    if let measured, measured.count > 0, !isDry {
      add("latency.mean", measured.mean ?? timings?.inference, "us")
      add("latency.median", measured.median, "us")
      add("latency.min", measured.minimum, "us")
      add("latency.max", measured.maximum, "us")
      add("latency.deviation", measured.deviation, "us")
      add("latency.p5", measured.p5, "us")
      add("latency.p95", measured.p95, "us")
    } else if measured == nil, !isDry {
      add("latency.mean", timings?.inference, "us")
    }
    if !isDry {
      add("latency.first", timings?.first ?? warmup?.first, "us")
      add("warmup.mean", timings?.warmup ?? warmup?.mean, "us")
    }
    add("initialization", timings?.initialization, "us")
    add("memory.initialization", memory.initialization, "MiB")
    add("memory.overall", memory.overall, "MiB")
    add("memory.peak", memory.monitoredPeak, "MiB")
    return all
  }
}
