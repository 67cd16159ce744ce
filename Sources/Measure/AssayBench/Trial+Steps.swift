import AssayBase
import AssayMachine
import AssayRecord

/// What a trial does beside its turns.
extension Trial {
  /// Binds the worker to the configuration's processors, before it loads anything.
  func bind(_ worker: any WorkerLink) throws {
    guard !configuration.processors.isEmpty else { return }
    let numbers = configuration.processors.map { JSON($0) }
    _ = try worker.ask(.object(["do": "bind", "processors": .array(numbers)]), seconds: patience)
    record.environment["boundTo"] = .string(ProcessorList.text(configuration.processors))
  }

  /// Measures starts of workers of their own, before that of the turns; a failure costs the starts.
  func measureStarts(
    _ count: Int,
    isElsewhere: Bool = false,
    _ make: () throws -> any WorkerLink
  ) {
    guard count > 0 else { return }
    withoutActuallyEscaping(make) { make in
      let measurement = StartMeasurement(
        configuration: configuration,
        patience: patience,
        isElsewhere: isElsewhere,
        make: make
      )
      do {
        let (phases, groupPeak) = try measurement.run(count)
        record.phases = phases
        var memory = Record.Memory()
        memory.groupPeak = groupPeak
        record.memory = memory
      } catch {
        note("BEN116", "starts could not be measured", error)
      }
    }
  }

  /// Runs a block under the counters; a failure costs the counters.
  func count(_ preset: Preset) {
    guard let worker, isAlive else { return }
    let limits = BlockLimits(
      minimumCount: 5,
      minimumNanoseconds: 100_000_000,
      maximumCount: 100_000,
      maximumNanoseconds: preset.block.maximumNanoseconds
    )
    var request = limits.request("count")
    request["rewarmNs"] = JSON(Int(preset.rewarmNanoseconds))
    do {
      let seconds = patience + Double(limits.maximumNanoseconds) / 1e9
      let answer = try worker.ask(request, seconds: seconds)
      record.counters = answer["counters"].flatMap(Record.Counters.init(json:))
    } catch {
      note("BEN117", "the block under counters failed", error)
    }
  }

  /// Measures the way of a picture; a failure costs the pipeline.
  func run(_ pipeline: PipelineRequest) {
    guard let worker, isAlive else { return }
    do {
      let answer = try worker.ask(pipeline.json, seconds: patience * 4)
      var phases = record.phases ?? Record.Phases()
      phases.pipeline = answer["pipeline"].flatMap(Record.Phases.Pipeline.init(json:))
      record.phases = phases
    } catch {
      note("BEN115", "the way of a picture could not be measured", error)
    }
  }

  private func note(_ code: String, _ text: String, _ error: any Error) {
    record.reasons.append(Diagnostic(code, text, cause: "\(error)", severity: .warning))
  }
}
