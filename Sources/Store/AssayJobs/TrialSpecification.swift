import AssayBase
import AssayBench
import AssayHost
import AssayRecord
import AssayRuntime

/// Everything that one trial needs, so that any machine which sees the files can run it.
public struct TrialSpecification: Sendable, Equatable {
  /// The combination of the plan.
  public var cell: SweepCell
  /// The file that is measured.
  public var artefact: Record.Model
  /// The id of its format.
  public var format: String
  /// The runtime's version as the plan was laid out.
  public var library: String
  /// The preset's name.
  public var preset: String
  /// An .npz with the inputs of one inference; `nil` for zeros.
  public var inputs: String?
  /// An .npz with stacked inputs whose outputs are judged; `nil` for none.
  public var evaluation: String?
  /// SHA-256 of the data, or `zeros`.
  public var data: String
  /// What stands for the device in the key: the kind of machine, or the device's name.
  public var deviceIdentity: String
  /// The plan's campaign.
  public var campaign: String?
  /// Which of the repetitions, from 1.
  public var repetition: Int

  /// Makes a specification.
  public init(
    cell: SweepCell,
    artefact: Record.Model,
    format: String,
    library: String,
    preset: String,
    inputs: String? = nil,
    evaluation: String? = nil,
    data: String = "zeros",
    deviceIdentity: String,
    campaign: String? = nil,
    repetition: Int = 1
  ) {
    self.cell = cell
    self.artefact = artefact
    self.format = format
    self.library = library
    self.preset = preset
    self.inputs = inputs
    self.evaluation = evaluation
    self.data = data
    self.deviceIdentity = deviceIdentity
    self.campaign = campaign
    self.repetition = repetition
  }

  /// What AssayBench measures.
  public var configuration: Configuration {
    Configuration(
      model: artefact,
      artefact: format,
      variant: cell.recipe,
      runtime: cell.runtime,
      provider: Provider(rawValue: cell.provider) ?? .cpu,
      threads: cell.threads,
      inputs: inputs,
      evaluation: evaluation
    )
  }

  /// A record of the trial without any figure: for those that could not be measured.
  public func emptyRecord(id: String, session: String) -> Record {
    Record(
      id: id,
      session: session,
      finishedAt: Host.wallNanoseconds(),
      model: artefact,
      artefact: format,
      variant: cell.recipe,
      runtime: cell.runtime,
      version: library,
      provider: cell.provider,
      device: cell.device,
      threads: cell.threads
    )
  }

  /// The trial in a few words.
  public var title: String { "\(cell.title) (\(repetition))" }
}

extension TrialSpecification {
  /// The key of the trial: SHA-256 of what its figures depend on, as hexadecimal digits.
  ///
  /// That is the artefact's bytes, the configuration, the data, the kind of device, the runtime's
  /// library, the record's schema and the number of the repetition. Names, paths and assay's own
  /// version are provenance: they are in the record and not in the key.
  public var key: String { sha256(subject(repetition).text()) }

  /// The key without the repetition: what repetitions of one combination share.
  public var group: String { sha256(subject(nil).text()) }

  private func subject(_ repetition: Int?) -> JSON {
    var configuration = JSON.object([
      "runtime": .string(cell.runtime), "provider": .string(cell.provider),
      "threads": JSON(cell.threads), "batch": JSON(cell.batch),
      "scenario": TrialSpecification.sorted(cell.scenario), "preset": .string(preset),
    ])
    // Without a meter the key is that of plans that know no meters.
    if cell.meter != "none" { configuration["meter"] = .string(cell.meter) }
    var subject = JSON.object([
      "artefact": .string(artefact.sha256), "configuration": configuration,
      "data": .string(data),
      "device": .string(deviceIdentity),
      "library": .string("\(cell.runtime) \(library)"),
      "record": .string(recordSchema),
    ])
    if let campaign { subject["campaign"] = .string(campaign) }
    if let repetition { subject["repetition"] = JSON(repetition) }
    return subject
  }

  /// The same value however its members were ordered.
  private static func sorted(_ value: JSON) -> JSON {
    if let elements = value.array { return .array(elements.map(sorted)) }
    guard let pairs = value.pairs else { return value }
    var members = JSON.Members()
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { members[key] = sorted(value) }
    return .members(members)
  }
}

extension TrialSpecification {
  /// The specification as the ledger keeps it.
  public var json: JSON {
    .object([
      "model": .string(cell.model), "recipe": .string(cell.recipe),
      "runtime": .string(cell.runtime), "provider": .string(cell.provider),
      "threads": JSON(cell.threads), "batch": JSON(cell.batch), "device": .string(cell.device),
      "scenario": cell.scenario, "path": .string(artefact.path),
      "sha256": .string(artefact.sha256), "bytes": JSON(artefact.byteCount),
      "deflatedBytes": artefact.deflatedByteCount.json, "format": .string(format),
      "library": .string(library), "preset": .string(preset), "inputs": JSON(inputs),
      "evaluation": JSON(evaluation), "data": .string(data),
      "deviceIdentity": .string(deviceIdentity), "campaign": JSON(campaign),
      "repetition": JSON(repetition), "meter": .string(cell.meter),
    ])
  }

  /// Reads what `json` gives.
  ///
  /// - Throws: `Diagnostic` JOB030 for what is no specification.
  public init(json: JSON) throws {
    func text(_ key: String) throws -> String {
      guard let value = json[key]?.string else {
        throw Diagnostic("JOB030", "a trial in the ledger has no '\(key)'")
      }
      return value
    }
    func number(_ key: String) throws -> Int {
      guard let value = json[key]?.int else {
        throw Diagnostic("JOB030", "a trial in the ledger has no '\(key)'")
      }
      return value
    }
    self.init(
      cell: SweepCell(
        model: try text("model"),
        recipe: try text("recipe"),
        runtime: try text("runtime"),
        provider: try text("provider"),
        threads: try number("threads"),
        batch: try number("batch"),
        device: try text("device"),
        scenario: json["scenario"] ?? .null,
        meter: json["meter"]?.string ?? "none"
      ),
      artefact: Record.Model(
        path: try text("path"),
        sha256: try text("sha256"),
        byteCount: try number("bytes"),
        deflatedByteCount: json["deflatedBytes"]?.int.map { .value($0) }
          ?? .missing(reason: "not computed")
      ),
      format: try text("format"),
      library: try text("library"),
      preset: try text("preset"),
      inputs: json["inputs"]?.string,
      evaluation: json["evaluation"]?.string,
      data: try text("data"),
      deviceIdentity: try text("deviceIdentity"),
      campaign: json["campaign"]?.string,
      repetition: try number("repetition")
    )
  }
}
