import AssayBase
import AssayHost
import AssayTestSupport
import Testing

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
      try fails(["bench", "--runtime", "null", "--marker"], "CLI006", 2)
      try fails(["bench", "--runtime", "null", "--estimate-power", "6V"], "CLI006", 2)
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

  @Test func theSelftestHolds() throws {
    try withFolder { folder in
      let run = try assay("power", "selftest", "--trials", "20", in: folder)
      #expect(run.output.contains("gauge") && run.output.contains("readings"))
    }
  }
}
