import AssayBase
import AssayBench
import AssayCodec
import AssayData
import AssayExplore
import AssayFetch
import AssayFigures
import AssayFormat
import AssayJobs
import AssayRecord
import AssayRemote
import AssayRuntime
import AssayStore
import VendorTools

extension Catalog {
  /// One plug-in's state.
  public struct Probe: Sendable {
    /// What it is called.
    public var name: String
    /// Its state.
    public var availability: Availability

    /// Makes a row.
    public init(name: String, availability: Availability) {
      self.name = name
      self.availability = availability
    }

    /// The state as a JSON object.
    public var json: JSON {
      switch availability {
      case .available(let version):
        .object(["name": .string(name), "available": true, "version": .string(version)])
      case .unavailable(let reason, let remedy):
        .object([
          "name": .string(name), "available": false, "reason": .string(reason),
          "remedy": .string(remedy),
        ])
      }
    }
  }

  /// Plug-ins of one kind.
  public struct ProbeGroup: Sendable {
    /// The kind, in the plural.
    public var title: String
    /// Each plug-in.
    public var rows: [Probe]

    /// Makes a group.
    public init(title: String, rows: [Probe]) {
      self.title = title
      self.rows = rows
    }
  }

  /// Importers that are programs of the user's; a file of programs that cannot be read says why.
  private static func programProbes() -> [Probe] {
    do {
      return try ProgramBook().importers.map { Probe(name: $0.id, availability: $0.probe()) }
    } catch {
      return [
        Probe(
          name: ProgramBook.fileName,
          availability: Availability(unavailableBecauseOf: error, remedy: "mend it")
        )
      ]
    }
  }

  /// The state of every plug-in and library.
  public static func probes() -> [ProbeGroup] {
    let importers = programProbes()
    let formats = Catalog.formats.map { format in
      let verbs = format.canExport ? "read and written" : "read"
      let names = format.extensions.map { ".\($0)" }.joined(separator: " ")
      return Probe(name: format.id, availability: .available(version: "\(names), \(verbs)"))
    }
    return [
      ProbeGroup(
        title: "runtimes",
        rows: runtimes.map { Probe(name: $0.id, availability: $0.probe()) }
      ),
      ProbeGroup(title: "formats", rows: formats + importers),
      ProbeGroup(
        title: "stores",
        rows: [
          Probe(name: "sqlite", availability: StoreProbe.sqlite()),
          Probe(name: "postgres", availability: StoreProbe.postgres()),
        ]
      ),
      ProbeGroup(
        title: "libraries",
        rows: ImageCodec.allCases.map { Probe(name: $0.title, availability: $0.probe()) }
          + [
            Probe(name: "yaml", availability: YAML.probe()),
            Probe(name: "microhttpd", availability: Explorer.probe()),
            Probe(name: "plotly", availability: Explorer.probeCharts()),
            Probe(name: "curl", availability: Curl.probe()),
          ]
          + DrawingLibrary.allCases.map { Probe(name: $0.rawValue, availability: $0.probe()) }
      ),
      ProbeGroup(title: "measuring", rows: machineProbes()),
      ProbeGroup(
        title: "scenarios",
        rows: Record.Scenario.Kind.allCases.map {
          Probe(name: $0.rawValue, availability: $0.probe())
        }
      ),
      ProbeGroup(
        title: "executors of sweeps",
        rows: [
          Probe(name: "local", availability: .available(version: "worker processes here")),
          Probe(name: "slurm", availability: SlurmProbe.probe()),
        ]
      ),
      ProbeGroup(
        title: "vendors' tools",
        rows: [
          Probe(name: "trtexec", availability: TRTExec.probe()),
          Probe(name: "vela (Ethos-U)", availability: Vela.probe()),
          Probe(name: "openvino 2021.4 (NCS2)", availability: OpenVINO2021.probe()),
        ]
      ),
      ProbeGroup(title: "power meters", rows: meterProbes().map(\.probe)),
      ProbeGroup(title: "ways to devices", rows: deviceProbes().map(\.probe)),
      ProbeGroup(
        title: "what is brought to devices",
        rows: ["x86_64", "aarch64"].map {
          Probe(name: $0, availability: RunnerBundle.probe($0))
        }
      ),
      ProbeGroup(title: "accelerators", rows: edgeTPUProbes()),
    ]
  }
}
