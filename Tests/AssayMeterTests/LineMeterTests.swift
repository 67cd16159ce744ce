import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayMeter

@Suite struct LineMeterTests {
  @Test(arguments: [
    ("2.14", [LineParser.Figure(name: "", quantity: .power, value: 2.14)]),
    (
      "power: 350 mW", [LineParser.Figure(name: "power", quantity: .power, value: 0.35)]
    ),
    (
      "core=1.5W uncore=20mW",
      [
        LineParser.Figure(name: "core", quantity: .power, value: 1.5),
        LineParser.Figure(name: "uncore", quantity: .power, value: 0.02),
      ]
    ),
    (
      "4.98 V 0.5 A",
      [
        LineParser.Figure(name: "", quantity: .power, value: 2.49),
        LineParser.Figure(name: "", quantity: .voltage, value: 4.98),
        LineParser.Figure(name: "", quantity: .current, value: 0.5),
      ]
    ),
    ("total 1.2e3 J", [LineParser.Figure(name: "total", quantity: .energy, value: 1200)]),
    ("RAM 1503/3964MB CPU 45C", []), ("", []), ("- W", []), ("1e999 W", []), ("nan", []),
  ])
  func figuresOfALine(_ line: String, _ figures: [LineParser.Figure]) {
    let found = LineParser().figures(line)
    #expect(found.map(\.name) == figures.map(\.name))
    #expect(found.map(\.quantity) == figures.map(\.quantity))
    #expect(zip(found, figures).allSatisfy { abs($0.value - $1.value) < 1e-9 })
  }

  @Test func tegrastatsTellsItsRails() throws {
    guard let path = TestData.sharedFile("fixtures/power/jetson/tegrastats_jp5.txt"),
      let text = Host.smallText(path)
    else { return }
    let figures = LineParser().figures(text)
    #expect(figures.map(\.name) == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"])
    #expect(zip(figures, [6.321, 2.01, 1.452]).allSatisfy { abs($0.value - $1) < 1e-12 })
  }

  @Test func aCommandsLinesBecomeATrace() throws {
    let options = MeterOptions(values: [
      "argument": "for i in 1 2 3 4 5; do echo \"VIN 2.$i W\"; sleep 0.01; done; exec sleep 90",
      "gain": "2%",
    ])
    let reader = try LineMeter(.command).open(options)
    var trace = PowerTrace(
      identity: reader.identity,
      channels: reader.channels,
      clock: .host,
      period: reader.period
    )
    _ = try eventually {
      try reader.read(into: &trace, until: Host.monotonicNanoseconds() + 100_000_000)
      return trace.count >= 5
    }
    #expect(trace.values == [[2.1, 2.2, 2.3, 2.4, 2.5]])
    #expect(trace.channels[0].name == "VIN" && trace.channels[0].accuracy.gain == 0.02)
    #expect(zip(trace.times, trace.times.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func aCommandThatEndsOrTellsNothingSaysWhy() throws {
    let ended = MeterOptions(values: ["argument": "echo 'no such device' >&2; exit 3"])
    #expect { try LineMeter(.command).open(ended) } throws: { error in
      let finding = error as? Diagnostic
      return finding?.code == "MTR010" && finding?.cause?.contains("no such device") == true
    }
    #expect { try LineMeter(.command).open(MeterOptions()) } throws: {
      ($0 as? Diagnostic)?.code == "MTR002"
    }
    final class Talk: LineSource {
      func next(until deadline: UInt64) throws -> String? {
        Host.monotonicNanoseconds() < deadline ? "hello" : nil
      }
    }
    #expect {
      try LineReader(
        Talk(),
        identity: MeterIdentity(driver: "command", name: "talk"),
        options: MeterOptions(),
        patience: 0.05
      )
    } throws: { ($0 as? Diagnostic)?.cause == "the last line: hello" }
  }

  @Test func aSerialLineIsReadOverAPseudoTerminal() throws {
    let (near, path) = try PlainFile.pseudoTerminal()
    defer { PlainFile.close(near) }
    let writer = try OwnThread { _ in
      for index in 0..<20 {
        PlainFile.write(near, "1.\(index % 10) W 5.0 V\r\n")
        Host.sleep(nanoseconds: 10_000_000)
      }
    }
    let meter = LineMeter(.serial)
    let reader = try meter.open(MeterOptions(values: ["argument": path, "baud": "9600"]))
    var trace = PowerTrace(
      identity: reader.identity,
      channels: reader.channels,
      clock: .host,
      period: reader.period
    )
    _ = try eventually {
      try reader.read(into: &trace, until: Host.monotonicNanoseconds() + 50_000_000)
      return trace.count >= 12
    }
    writer.join()
    #expect(trace.count >= 12 && trace.values[0].allSatisfy { (1..<2).contains($0) })
    #expect(trace.channels.map(\.quantity) == [.power, .voltage])
    #expect { try meter.open(MeterOptions(values: ["argument": "/dev/null"])) } throws: {
      ($0 as? Diagnostic)?.code == "HST051"
    }
    #expect {
      try meter.open(MeterOptions(values: ["argument": path, "baud": "1234"]))
    } throws: { ($0 as? Diagnostic)?.code == "HST051" }
  }

  @Test func railsOfTheRaspberryPiPairByName() throws {
    guard let folder = TestData.sharedFile("fixtures/power/rpi5"),
      let text = Host.smallText(folder + "/pmic_read_adc.txt"),
      let facts = Host.smallText(folder + "/expected.json")
    else { return }
    let reading = try PMICReading(text)
    let expected = try JSON(parsing: facts)
    #expect(reading.rails.count == expected["rails"]?.int)
    let sum = reading.rails.reduce(0) { $0 + $1.watts }
    #expect(abs(sum - (expected["sum_watts"]?.double ?? 0)) < 1e-9)
    #expect(Set(reading.unpaired) == Set(expected["unpaired"]?.array?.compactMap(\.string) ?? []))
    #expect(throws: Diagnostic.self) {
      try PMICReading("error=1 error_msg=\"Command not registered\"")
    }
  }

  @Test func theToolOfTheRaspberryPiIsAsked() throws {
    let tree = try Tree([
      "vcgencmd": """
      #!/bin/sh
      [ "$1" = pmic_read_adc ] || exit 1
      echo " VDD_CORE_A current(7)=2.00000000A"
      echo " VDD_CORE_V volt(15)=0.80000000V"
      echo " EXT5V_V volt(24)=5.10000000V"
      """
    ])
    let tool = Host.join(tree.path, "vcgencmd")
    try Host.makeProgram(tool)
    let meter = RaspberryPiMeter(tool: tool)
    #expect(meter.probe().version == "VDD_CORE")
    let trace = try rows(try meter.open(MeterOptions()), 2)
    #expect(trace.values.map { $0[0] } == [1.6, 1.6])
    #expect(trace.channels.map(\.name) == ["all rails", "VDD_CORE"])
    try tree.write("vcgencmd", "#!/bin/sh\nexit 1\n")
    try Host.makeProgram(tool)
    #expect(meter.probe().isAvailable == false)
    #expect(RaspberryPiMeter(tool: "/nowhere").probe().isAvailable == false)
  }
}
