import AssayBase
import AssayHost
import AssayRecord
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct PowerTests {
  @Test func everyMeterIsListedWithItsStateReasonAndRemedy() throws {
    try withFolder { folder in
      let run = try assay("power", "list", "--json", "-", in: folder)
      #expect(run.status == 0)
      let meters = try #require(try run.json()["meters"]?.array)
      let names = meters.compactMap { $0["name"]?.string }
      #expect(
        names == [
          "monsoon", "rapl", "nvml", "jetson", "hwmon", "rpi5", "battery", "command", "serial",
          "file", "virtual",
        ]
      )
      for meter in meters where meter["available"]?.bool == false {
        #expect(meter["reason"]?.string?.isEmpty == false)
        #expect(meter["remedy"]?.string?.isEmpty == false)
      }
    }
  }

  @Test func aCommandIsRecordedShownAndDrawn() throws {
    try withFolder { folder in
      let script = "i=0; while [ $i -lt 200 ]; do echo 2.5 W; i=$((i+1)); sleep 0.01; done"
      let run = try assay(
        "power",
        "record",
        "--meter",
        "command:" + script,
        "--seconds",
        "0.6",
        "-o",
        "t.csv",
        "--json",
        "-",
        in: folder
      )
      #expect(run.status == 0, "\(run.errors)")
      let facts = try run.json()
      #expect(facts["channels"]?.array?.first?["mean"]?.double.map { abs($0 - 2.5) < 1e-9 } == true)
      #expect(facts["clock"]?.string == "host")
      let shown = try assay("power", "show", "t.csv", "--plot", "t.svg", in: folder)
      #expect(shown.status == 0 && shown.output.hasPrefix("power: 2.50 W on average, "))
      #expect(Host.smallText(folder + "/t.svg")?.hasPrefix("<svg") == true)
      for name in ["t.png", "t.html"] {
        #expect(try assay("power", "show", "t.csv", "--plot", name, in: folder).status == 0)
        #expect((Host.byteCount(of: Host.join(folder, name)) ?? 0) > 500)
      }
    }
  }

  @Test func mistakesAreToldBeforeAnythingIsMeasured() throws {
    try withFolder { folder in
      func fails(_ words: [String], _ code: String, _ status: Int32) throws {
        let run = try assay(words, in: folder)
        #expect(run.status == status && run.errors.contains("[\(code)]"), "\(words): \(run.errors)")
      }
      try fails(["power", "record", "--meter", "rappl"], "MTR003", 3)
      try fails(["power", "record"], "CLI005", 2)
      try fails(["power", "record", "--meter", "command:cat", "-o", "x.txt"], "CLI006", 2)
      try fails(["power", "show", "missing.csv"], "FIL001", 1)
      try fails(["bench", "--runtime", "null", "--co2", "much"], "CLI006", 2)
      try fails(["bench", "--runtime", "null", "--estimate-power", "6V"], "CLI006", 2)
      // So many would leave no thread for any program of the machine.
      try fails(["bench", "--runtime", "null", "--threads", "100000"], "CLI006", 2)
      try fails(["try", "x.tflite", "--threads", "1,100000"], "CLI006", 2)
    }
  }

  @Test func benchRefusesWhatAMeterCannotTellAndMarksTheEstimate() throws {
    try withFolder { folder in
      // A session that does nothing is over before the meter has said anything.
      let script = "while :; do echo 4.0$((i=1-i)) W; sleep 0.005; done"
      let run = try assay(
        "bench",
        "--runtime",
        "null",
        "--preset",
        "quick",
        "--json",
        "-",
        "--meter",
        "command:i=0; \(script);gain=2%",
        "--estimate-power",
        "6W",
        in: folder
      )
      let record = try run.json()
      let energy = try #require(record["energy"]?.array)
      #expect(energy.map { $0["provenance"]?.string } == ["measured", "estimated"])
      #expect(
        energy[0]["perInferenceJ"]?["missing"]?.string?.hasPrefix("this meter needs ") == true
      )
      let codes = (record["reasons"]?.array ?? []).compactMap { $0["code"]?.string }
      #expect(codes.contains("MTR051"))
      let seconds = try #require(energy[1]["seconds"]?.double)
      let guess = try #require(energy[1]["domains"]?.array?.first?["totalJ"])
      #expect(abs((guess["value"]?.double ?? 0) / seconds - 6) < 1e-6 && guess["u95"] == nil)
    }
  }

  /// What was measured until ctrl-C is a record: half an hour of load is not lost in its last minute.
  @Test func whatWasMeasuredBeforeItWasStoppedIsTold() throws {
    try withFolder { folder in
      let output = folder + "/out.json"
      let process = try ChildProcess(
        "/bin/sh",
        [
          "-c",
          "cd '\(folder)' && exec '\(command)' bench --runtime null --sustained 10min --json '\(output)'",
        ]
      )
      // From the first worker on a signal is heeded; a window is a second: some are over then.
      let workers = "/proc/\(process.id)/task/\(process.id)/children"
      #expect(eventually { Host.smallText(workers)?.isEmpty == false })
      Host.sleep(nanoseconds: 4_000_000_000)
      _ = kill(process.id, SIGINT)
      _ = process.wait(until: Host.monotonicNanoseconds() + 120_000_000_000)
      let record = try JSON(parsing: MappedFile(path: output).view.array)
      let codes = (record["reasons"]?.array ?? []).compactMap { $0["code"]?.string }
      #expect(codes.contains("BEN145"))
      let hasSamples = record["samplesNs"]?.array?.isEmpty == false
      #expect(record["sustained"] != nil && (hasSamples || codes.contains("BEN101")))
    }
  }

  @Test func theSelftestHolds() throws {
    try withFolder { folder in
      let run = try assay("power", "selftest", "--trials", "20", in: folder)
      #expect(run.output.contains("gauge") && run.output.contains("readings"))
    }
  }

  @Test func aRecordingIsJoinedLongAfterwards() throws {
    try withFolder { folder in
      // A record of three rounds of 4 s, and a recording on a clock of its own that was begun 10 s before.
      let second: Int64 = 1_000_000_000
      var record = try Record(
        json: JSON(
          parsing: MappedFile(path: TestData.package + "/docs/schema/record-1.json").view.array
        )
      )
      record.energy = []
      record.sustained = nil
      record.powerMarks = Record.PowerMarks(
        rests: [.init(begin: 95 * second, end: 98 * second)],
        markers: []
      )
      record.windows = [0, 1, 2].map { round in
        Record.Window(begin: (100 + 5 * round) * second, end: (104 + 5 * round) * second)
      }
      try AtomicFile.write(record.json.text(), to: folder + "/record.json")
      var lines = "time_s,main_W\n"
      for sample in 0..<3000 {
        let time = Double(sample) / 100
        // Ten seconds into the recording is when the first round began.
        let since = time - 10
        let isBusy = since >= 0 && since < 14 && since.truncatingRemainder(dividingBy: 5) < 4
        lines += "\(time),\(isBusy ? 7 : 2)\n"
      }
      try AtomicFile.write(lines, to: folder + "/trace.csv")
      let refused = try assay("power", "join", "record.json", "trace.csv", in: folder)
      #expect(refused.status == 1 && refused.errors.contains("MTR056"), "\(refused.errors)")
      let run = try assay(
        ["power", "join", "record.json", "trace.csv", "--start", "10", "--start-error", "0.01"]
          + ["--gain", "1%", "--co2", "360g/kWh", "-o", "joined.json", "--json", "-"],
        in: folder
      )
      #expect(run.status == 0, "\(run.errors)")
      let json = try run.json()
      let domain = json["energy"]?["domains"]?.array?.first
      let total = try #require(domain?["totalJ"]?["value"]?.double)
      let net = try #require(domain?["netJ"]?["value"]?.double)
      // 12 s at 7 W, of which 5 W are above idle.
      #expect(abs(total - 84) < 0.5 && abs(net - 60) < 0.5, "\(total) J, \(net) J")
      #expect(json["energy"]?["join"]?["method"] == "given")
      let each = total / Double(record.samples.count)
      let grams = try #require(json["co2"]?["gramsPerInference"]?.double)
      #expect(abs(grams - each / 3.6e6 * 360) < 1e-12)
      #expect(json["co2"]?["provenance"] == "estimated")
      let joined = try Record(
        json: JSON(parsing: MappedFile(path: folder + "/joined.json").view.array)
      )
      #expect(joined.energy.count == 1 && joined.samples == record.samples)
    }
  }

  @Test func carbonDioxideIsEstimatedOnlyWhenAsked() throws {
    try withFolder { folder in
      let words = ["bench", "--runtime", "null", "--preset", "quick", "--estimate-power", "6W"]
      let plain = try assay(words, in: folder, home: folder)
      #expect(!plain.output.contains("CO2"))
      let asked = try assay(words + ["--co2", "0.38kg/kWh"], in: folder, home: folder)
      #expect(
        asked.output.contains("CO2e est. an inference, at 380 g/kWh as given"),
        "\(asked.output)"
      )
      let refused = try assay(words + ["--co2", "much"], in: folder, home: folder)
      #expect(refused.status == 2 || refused.status == 1)
      #expect(refused.errors.contains("CLI006"))
    }
  }
}
