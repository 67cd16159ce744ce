import AssayBase
import AssayBench
import AssayHost
import AssayQuantize
import AssayRecord
import AssayRemote
import AssayRuntime

/// Everything that is to be measured, and what cannot be.
struct TryConfigurations {
  var wanted: [Configuration] = []
  /// Impossible combinations: records that hold nothing but the reason.
  var impossible: [Record] = []

  init(_ variants: TryVariants, _ plan: TryPlan, _ data: TryData, folder: String) throws {
    for variant in variants.made {
      let files = try data.write(for: variant.graph, to: folder, name: variant.recipe.name)
      for runtime in plan.runtimes {
        guard let format = variant.formats[runtime.id], let path = variant.files[format] else {
          continue
        }
        let model = try Record.Model(file: path)
        for threads in plan.threads {
          let configuration = Configuration(
            model: model,
            artefact: format,
            variant: variant.recipe.name,
            runtime: runtime.id,
            provider: plan.provider,
            threads: threads,
            inputs: files.first,
            evaluation: files.all
          )
          if case .unavailable(let reason, let remedy) = runtime.probe() {
            impossible.append(
              refusal(
                configuration,
                Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
              )
            )
          } else if !runtime.formats.contains(format) {
            impossible.append(
              refusal(
                configuration,
                Diagnostic("RTM002", "\(runtime.id) does not read \(format) files")
              )
            )
          } else {
            wanted.append(configuration)
          }
        }
      }
    }
  }

  /// Has what a device can run measured there; the rest is told with the reason.
  mutating func place(on session: DeviceSession) {
    var here: [Configuration] = []
    for var configuration in wanted {
      configuration.device = session.name
      if let reason = session.refusal(of: configuration.runtime) {
        impossible.append(refusal(configuration, reason))
      } else {
        here.append(configuration)
      }
    }
    wanted = here
  }

  private func refusal(_ configuration: Configuration, _ reason: Diagnostic) -> Record {
    var record = Record(
      id: "refused-\(Host.wallNanoseconds())-\(impossible.count)",
      session: "refused",
      finishedAt: Host.wallNanoseconds(),
      model: configuration.model,
      artefact: configuration.artefact,
      variant: configuration.variant,
      runtime: configuration.runtime,
      version: "unknown",
      provider: configuration.provider.rawValue,
      device: configuration.device,
      threads: configuration.threads
    )
    record.reasons = [reason]
    return record
  }
}
