import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayFormat
import AssayHost
import AssayJobs
import AssayMeter
import AssayPhone
import AssayQuantize
import AssayRemote
import AssayRuntime

/// A plan laid out: its trials with their files, on this machine.
struct SweepLayout {
  let plan: SweepPlan
  let schedule: SweepSchedule
  /// This kind of machine.
  let identity: String

  /// What plans may name here.
  static var vocabulary: SweepVocabulary {
    SweepVocabulary(
      runtimes: Catalog.runtimes.map(\.id),
      providers: Provider.allCases.map(\.rawValue),
      presets: Preset.all.map(\.name),
      formats: Catalog.formats.filter(\.canExport).map(\.id),
      dataOptions: [
        "representative", "labels", "label-names", "data", "preprocess", "limit",
        "calibration-limit",
      ],
      scenarioFault: { scenario in
        do {
          _ = try SweepScenario.options(scenario)
          return nil
        } catch let fault as Diagnostic {
          return fault
        } catch {
          return (error as? Diagnostics)?.all.first
            ?? Diagnostic("JOB003", "the scenario cannot be read")
        }
      },
      recipeFault: { name in
        do {
          try Quantizing.recipe(named: name).refuseTraining()
          return nil
        } catch {
          return error as? Diagnostic ?? Diagnostic("JOB004", "there is no recipe '\(name)'")
        }
      },
      meterFault: { words in
        do {
          // Whether a device has meters of its own shows on the device.
          let own = ["board"] + PhoneMeter.Source.allCases.map { "phone-\($0.rawValue)" }
          for spec in try MeterSpec.list(words) where !own.contains(spec.driver) {
            _ = try Catalog.meter(spec.driver)
          }
          return nil
        } catch {
          return error as? Diagnostic ?? Diagnostic("MTR002", "'\(words)' names no meter")
        }
      }
    )
  }

  /// Makes the files of every combination and orders the trials.
  ///
  /// - Parameter boards: the devices that are driven from here; each is asked what it is.
  init(_ plan: SweepPlan, _ shop: SweepShop, _ boards: SweepBoards) throws {
    self.plan = plan
    let identity = MachineInfo.current().identity
    self.identity = identity
    var firsts: [TrialSpecification] = []
    var omissions: [SweepSchedule.Omission] = []
    for cell in plan.cells {
      do {
        let runtime = try Catalog.runtime(cell.runtime)
        let board = try boards.board(cell.device)
        if let reason = board?.refusal(of: runtime.id) { throw reason }
        let version = try board?.version(of: runtime.id) ?? SweepLayout.version(runtime)
        // Another device's meters are seen by the machine that stands for it.
        if cell.device == "local" { try Self.checkMeter(cell.meter) }
        let artefact = try shop.artefact(cell, formats: runtime.formats)
        firsts.append(
          TrialSpecification(
            cell: cell,
            artefact: artefact.model,
            format: artefact.format,
            library: version,
            preset: plan.preset,
            inputs: artefact.inputs,
            evaluation: artefact.evaluation,
            data: artefact.data,
            deviceIdentity: board?.facts.identity
              ?? (cell.device == "local" ? identity : "named " + cell.device),
            campaign: plan.campaign
          )
        )
      } catch let reason as Diagnostic where reason.location.first?.hasPrefix("line ") == true {
        // The model itself is at fault: no other combination of it would do better.
        throw reason.inside(plan.path)
      } catch let reason as Diagnostic {
        omissions.append(SweepSchedule.Omission(cell: cell, reason: reason))
      }
    }
    schedule = SweepSchedule(
      firsts,
      repetitions: plan.repetitions,
      seed: plan.seed,
      omissions: omissions
    )
  }

  /// Refuses meters that cannot be read here.
  private static func checkMeter(_ words: String) throws {
    guard words != "none" else { return }
    for (meter, _) in try namedMeters(words) {
      if case .unavailable(let reason, let remedy) = meter.probe() {
        throw Diagnostic("MTR001", "\(meter.id) cannot be used: \(reason)", remedy: remedy)
      }
    }
  }

  private static func version(_ runtime: any InferenceRuntime) throws -> String {
    switch runtime.probe() {
    case .available(let version): return version
    case .unavailable(let reason, let remedy):
      throw Diagnostic("HST030", "\(runtime.id) cannot be used: \(reason)", remedy: remedy)
    }
  }

  /// The devices of the ledger that this machine stands for.
  ///
  /// - Parameter name: the device of the plan that it is.
  func devices(_ name: String) throws -> [String] {
    guard plan.devices.contains(where: { $0.name == name }) else {
      throw Diagnostic(
        "JOB007",
        "the plan has no device '\(name)'",
        at: [plan.path],
        remedy: "devices: \(plan.devices.map(\.name).joined(separator: ", "))"
      )
    }
    return [name == "local" ? "local-\(identity)" : name]
  }
}
