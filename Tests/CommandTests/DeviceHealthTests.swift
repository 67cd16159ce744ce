import AssayBase
import AssayHost
import AssayRuntime
import AssayTestSupport
import Testing

@testable import AssayCommand

private let runner: String? = {
  let folder = Host.join(Host.folder(of: Host.executablePath ?? ""), "../../runner")
  let path = Host.join(folder, MachineInfo.current().architecture + "/assay-runner")
  return Host.exists(path) ? path : nil
}()

private let libraryFolder: String? = RuntimeLibrary.candidates(
  id: "litert",
  variable: "ASSAY_LITERT_LIB",
  stem: "libLiteRt.so"
).first { Host.exists($0.path) }.map { Host.folder(of: $0.path) }

@Suite("the health of devices") struct DeviceHealthTests {
  private func finding(_ before: Double, _ after: Double, isRight: Bool = true) -> Diagnostic? {
    DeviceHealth.finding(
      "pi",
      before: .init(isRight: true, median: before),
      after: .init(isRight: isRight, median: after)
    )
  }

  @Test("a tenth is no drift, more is, and wrong numbers are worse")
  func limits() {
    #expect(finding(100_000, 109_900) == nil)
    #expect(finding(100_000, 90_100) == nil)
    #expect(finding(100_000, .nan) == nil)
    let slower = finding(100_000, 125_000)
    #expect(slower?.code == "DEV031" && slower?.severity == .warning)
    #expect(slower?.summary.contains("25 % slower") == true)
    #expect(slower?.cause?.contains("125 µs") == true)
    #expect(finding(100_000, 50_000)?.summary.contains("50 % faster") == true)
    #expect(finding(100_000, 100_000, isRight: false)?.code == "DEV032")
  }

  /// A device that is the real runner behind a script, which plants a fault from its second start on.
  private func sweep(_ fault: String, in folder: String) throws -> CommandRun {
    let home = folder + "/home"
    try Host.makeFolders(home)
    let script = folder + "/device"
    try AtomicFile.write(
      """
      #!/bin/sh
      read -r line
      case "$line" in *'"probe"'*)
        echo '{"ok": true, "facts": {"model": "planted", "processor": "one"}}'; exit 0;;
      esac
      plant=cat
      [ -e "$0.started" ] && plant="awk -f $0.awk"
      : >"$0.started"
      { printf '%s\\n' "$line"; cat; } | LD_LIBRARY_PATH='\(libraryFolder ?? "")' '\(runner ?? "")' |
        while IFS= read -r answer; do printf '%s\\n' "$answer" | $plant; done

      """,
      to: script
    )
    try AtomicFile.write(fault, to: script + ".awk")
    let devices = JSON.object([
      "devices": .object([
        "board": .object(["program": .array(["/bin/sh", .string(script)])])
      ])
    ])
    try AtomicFile.write(devices.text(), to: home + "/devices.json")
    let plan = folder + "/plan.yaml"
    try AtomicFile.write(
      """
      name: planted
      models: \(digits)/model.h5
      recipes: float32
      runtimes: litert
      devices: board
      repetitions: 1
      preset: quick

      """,
      to: plan
    )
    return try assay(
      ["sweep", plan, "--store", folder + "/store.sqlite", "--json", "-"],
      in: folder,
      home: home
    )
  }

  @Test(
    "drift between the beginning and the end of a batch is reported",
    .enabled(if: runner != nil, "the runner is not built"),
    .enabled(if: libraryFolder != nil, "LiteRT is not installed: run `make setup`")
  )
  func drift() throws {
    try withFolder { folder in
      // Every latency grows by half.
      let run = try sweep(
        """
        { if (match($0, /"samples":\\[[0-9,]*\\]/)) {
            n = split(substr($0, RSTART + 11, RLENGTH - 12), s, ","); t = "";
            for (i = 1; i <= n; i++) t = t (i > 1 ? "," : "") int(s[i] * 1.5);
            $0 = substr($0, 1, RSTART + 10) t substr($0, RSTART + RLENGTH - 1)
          } print }
        """,
        in: folder
      )
      let json = try run.json()
      let health = try #require(json["health"]?.array?.first, "\(run.output) \(run.errors)")
      let (before, after) = (
        try #require(health["beforeNs"]?.double), try #require(health["afterNs"]?.double)
      )
      #expect(health["isRight"] == true)
      #expect(after > 1.2 * before)
      #expect(run.errors.contains("DEV031") || run.output.contains("DEV031"), "\(run.errors)")
    }
  }

  @Test(
    "a device that begins to compute something else is put into quarantine",
    .enabled(if: runner != nil, "the runner is not built"),
    .enabled(if: libraryFolder != nil, "LiteRT is not installed: run `make setup`")
  )
  func wrongNumbers() throws {
    try withFolder { folder in
      let run = try sweep(
        #"{ gsub(/"inline":"......../, "\"inline\":\"AAAAAAAA"); print }"#,
        in: folder
      )
      let health = try #require(try run.json()["health"]?.array?.first, "\(run.errors)")
      #expect(health["isRight"] == false)
      #expect(run.errors.contains("DEV032") || run.output.contains("DEV032"), "\(run.errors)")
      let notes = try Host.list(folder + "/home/devices/quarantine")
      #expect(notes.count == 1)
    }
  }
}
