import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayCommand

/// A plan for the runtime that is always there.
private func plan(_ folder: String, repetitions: Int = 2, more: String = "") throws -> String {
  let path = folder + "/plan.yaml"
  try AtomicFile.write(
    """
    name: digits
    models: \(digits)/model.h5
    recipes: [float32, float16]
    runtimes: reference
    repetitions: \(repetitions)
    preset: quick
    \(more)
    """,
    to: path
  )
  return path
}

@Suite struct SweepTests {
  @Test func metersAreAnAxis() throws {
    try withFolder { folder in
      let path = try plan(
        folder,
        repetitions: 1,
        more: """
          exclude: {recipe: float16}
          meters: [none, "virtual:rate=100", "rapl:rate=1", "nvml"]
          """
      )
      let run = try assay(
        ["sweep", path, "--store", folder + "/store.sqlite", "--json", "-"],
        in: folder
      )
      let json = try run.json()
      let rows = json["combinations"]?.array ?? []
      let virtual = try #require(rows.first { $0["meter"]?.string?.hasPrefix("virtual") == true })
      #expect(virtual["joules"]?.array?.count == 1, "\(run.output) \(run.errors)")
      #expect(rows.first { $0["meter"] == "none" }?["joules"]?.array?.isEmpty == true)
      // A meter that is not here is a combination that is left out, with its reason.
      let omitted = json["omitted"]?.array ?? []
      #expect(rows.count + omitted.count == 4)
      for omission in omitted {
        #expect(omission["reason"]?["code"] == "MTR001" && omission["reason"]?["remedy"] != nil)
      }
    }
  }

  /// Killed in the middle, the same command goes on and measures what is left, nothing twice.
  @Test func aKilledSweepIsGoneOnWith() throws {
    try withFolder { folder in
      let path = try plan(folder)
      let store = folder + "/store.sqlite"
      let dry = try assay("sweep", path, "--dry-run", "--store", store, "--json", "-", in: folder)
      #expect(dry.status == 0)
      let outlook = try dry.json()
      #expect(outlook["trials"] == 4 && outlook["done"] == 0)
      #expect(outlook["combinations"]?.array?.first?["basis"] == "nominal")
      let words = ["sweep", path, "--store", store, "--quiet"]
      let first = try assay(words + ["--most", "1"], in: folder)
      #expect(first.status == 1)
      #expect(first.output.contains("1 of 4 trials are done"))
      #expect(first.output.contains("go on with: assay sweep"))
      // Killed while the second trial is under way.
      let process = try ChildProcess(
        "/bin/sh",
        ["-c", "cd '\(folder)' && exec '\(command)' sweep '\(path)' --store '\(store)'"]
      )
      var started = 1
      let deadline = Host.monotonicNanoseconds() + 30_000_000_000
      while started < 2, process.poll() == nil, Host.monotonicNanoseconds() < deadline {
        Host.sleep(nanoseconds: 20_000_000)
        let shown = try assay(
          "store",
          "show",
          outlook["sweep"]?.string ?? "",
          "--store",
          store,
          "--json",
          "-",
          in: folder
        )
        let events = try shown.json()["events"]?.array ?? []
        started = events.filter { $0["kind"] == "started" }.count
      }
      process.kill()
      let last = try assay(words + ["--json", "-"], in: folder)
      let result = try last.json()
      #expect(last.status == 0)
      #expect(result["end"] == "complete")
      #expect(result["trials"]?["finished"] == 4 && result["trials"]?["waiting"] == 0)
      let records = (result["combinations"]?.array ?? []).flatMap { $0["records"]?.array ?? [] }
      #expect(records.count == 4)
      // A second plan with the same trials finds them done.
      let again = try assay("sweep", path, "--store", store, "--dry-run", "--json", "-", in: folder)
      #expect(try again.json()["done"] == 4)
    }
  }

  @Test func faultsOfAPlanAreToldWithTheirLines() throws {
    try withFolder { folder in
      let path = try plan(folder, more: "thraeds: 1\nscenarios: fast\nrecipes2: x")
      let run = try assay("sweep", path, in: folder)
      #expect(run.status == 1)
      #expect(run.errors.contains("line 7") && run.errors.contains("did you mean 'threads'?"))
      #expect(run.errors.contains("line 8") && run.errors.contains("line 9"))
    }
  }

  @Test func whatAStoreHoldsIsShownAndExchanged() throws {
    try withFolder { folder in
      let path = try plan(folder, repetitions: 1)
      let store = folder + "/store.sqlite"
      let run = try assay(
        "sweep",
        path,
        "--store",
        store,
        "--most",
        "1",
        "--json",
        "-",
        in: folder
      ).json()
      let records = (run["combinations"]?.array ?? []).flatMap { $0["records"]?.array ?? [] }
      let list = try assay("store", "list", "--store", store, "--json", "-", in: folder).json()
      // A sweep's records are one comparison: the sweep.
      #expect(list["sessions"] == [])
      let ids = [
        records.first?.string, list["sweeps"]?.array?.first?["id"]?.string,
        list["models"]?.array?.first?["sha256"]?.string,
      ]
      for id in ids.map({ $0 ?? "" }) {
        let shown = try assay("store", "show", id, "--store", store, in: folder)
        #expect(shown.status == 0 && !shown.output.isEmpty, "\(shown.errors)")
      }
      #expect(try assay("store", "show", "nothing", "--store", store, in: folder).status == 3)
      for format in ["jsonl", "csv"] {
        let file = "\(folder)/records.\(format)"
        let export = try assay(
          "store",
          "export",
          "--store",
          store,
          "--format",
          format,
          "--redact",
          "-o",
          file,
          in: folder
        )
        #expect(export.status == 0, "\(export.errors)")
        let text = try MappedFile(path: file).view.utf8 ?? ""
        #expect(!text.contains(folder))
        let other = folder + "/\(format).sqlite"
        let dry = try assay(
          "store",
          "import",
          file,
          "--store",
          other,
          "--dry-run",
          "--json",
          "-",
          in: folder
        )
        #expect(try dry.json()["added"] == 1)
        #expect(try assay("store", "import", file, "--store", other, in: folder).status == 0)
        let again = try assay("store", "import", file, "--store", other, "--json", "-", in: folder)
        #expect(try again.json()["known"] == 1)
      }
      let copy = try assay(
        "store",
        "copy",
        store,
        folder + "/copy.sqlite",
        "--json",
        "-",
        in: folder
      )
      #expect(try copy.json()["added"] == 1 && copy.json()["sweeps"] == 1)
      let migrate = try assay("store", "migrate", "--store", store, in: folder)
      #expect(migrate.output.contains("layout 3"))
    }
  }

  @Test(arguments: [
    (0, "1970-01-01 00:00"), (951_782_400, "2000-02-29 00:00"), (1_795_246_678, "2026-11-21 07:37"),
    (-60, "1969-12-31 23:59"), (4_107_542_399, "2100-02-28 23:59"),
  ])
  func moments(seconds: Int, text: String) {
    #expect(Text.moment(Int64(seconds) * 1_000_000_000) == text)
  }
}
