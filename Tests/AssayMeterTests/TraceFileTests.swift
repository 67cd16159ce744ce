import AssayBase
import AssayCodec
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayMeter

@Suite struct TraceFileTests {
  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return (error as? Diagnostic)?.code }
  }

  @Test func ourOwnTraceSurvivesWriting() throws {
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "rapl", name: "CPU, 2 cores", serial: "7", version: "6.1"),
      channels: [
        MeterChannel(
          "core",
          .energy,
          .core,
          accuracy: MeterAccuracy(gain: nil, source: "none")
        ),
        MeterChannel(
          "package-0",
          .energy,
          .package,
          isPrimary: true,
          accuracy: MeterAccuracy(
            gain: 0.05,
            offsetWatts: 0.25,
            resolution: 61e-6,
            latencyNanoseconds: 1_000_000,
            isIntegrating: true,
            isSpecified: true,
            source: "a maker's word"
          )
        ),
      ],
      clock: .host,
      period: 10_000_000
    )
    for row in 0..<20 {
      trace.append(
        5_120_000_000_123 + Int64(row) * 10_000_000,
        [Double(row) / 3, row == 4 ? .nan : Double(row) * 1.1],
        marker: UInt8(row % 4)
      )
    }
    let again = try TraceCSV.read(TraceCSV.write(trace), name: "x.csv")
    #expect(again.times == trace.times && again.markers == trace.markers)
    #expect(again.identity == trace.identity && again.clock == .host)
    #expect(again.channels == trace.channels)
    #expect(again.values[0] == trace.values[0])
    #expect(again.values[1][4].isNaN && again.values[1][5] == trace.values[1][5])
    #expect(again.period == 10_000_000)
  }

  @Test(arguments: [
    ("Time(ms),Main(mA),Main Voltage(V)\n0,500,4\n1,250,4\n", [2.0, 1.0], 1_000_000),
    ("Timestamp(ms),Current(uA),D0\n0.00,1000000,0\n0.01,500000,1\n", [3.7, 1.85], 10_000),
    ("time_s;power [mW]\n0;1500\n0.5;2500\n", [1.5, 2.5], 500_000_000),
    ("\u{FEFF}t_us\tpackage_W\r\n10\t7\r\n20\t8\r\n", [7, 8], 10_000),
    (
      "# made by hand\ntime,current,power,marker\n0,349,1585,1\n0.0002,355,1614,0\n",
      [1.585, 1.614], 200_000
    ),
  ])
  func othersFilesAreReadByTheirHeadings(_ text: String, _ watts: [Double], _ step: Int64) throws {
    let trace = try TraceCSV.read(text, name: "x.csv", volts: 3.7)
    let primary = try #require(trace.primary)
    #expect(zip(trace.values[primary], watts).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(trace.times[1] - trace.times[0] == step)
    #expect(trace.clock == .own && trace.channels[primary].accuracy.gain == nil)
  }

  @Test func whatIsNoTraceSaysWhy() {
    #expect(code { _ = try TraceCSV.read("", name: "x") } == "MTR060")
    #expect(code { _ = try TraceCSV.read("a,b\n1,2\n", name: "x") } == "MTR060")
    #expect(code { _ = try TraceCSV.read("time_s,temp_C\n1,2\n2,3\n", name: "x") } == "MTR061")
    #expect(code { _ = try TraceCSV.read("time_s,i_mA\n1,2\n2,3\n", name: "x") } == "MTR061")
    #expect(code { _ = try TraceCSV.read("time_s,p_W\n1,2\n", name: "x") } == "MTR062")
    #expect(code { _ = try TraceCSV.read("time_s,p_W\n2,2\n1,2\n", name: "x") } == "MTR062")
    let junk = "time_s,p_W\n" + String(repeating: "x,y\n", count: 50) + "1,2\n2,3\n"
    #expect(code { _ = try TraceCSV.read(junk, name: "x") } == "MTR062")
    #expect(code { _ = try TraceCSV.read("time_s,p_W\n1e300,2\n1e301,2\n", name: "x") } == "MTR062")
  }

  @Test func powerToolsRecordingsAreReadAsOthersReadThem() throws {
    guard let folder = TestData.sharedFile("fixtures/power/monsoon"),
      let text = Host.smallText(folder + "/pt4_expected.json"),
      let real = TestData.sharedFile("fixtures/thirdparty_data/monsoon_sample.pt4"),
      let csv = TestData.sharedFile("fixtures/thirdparty_data/monsoon_sample_first2000.csv"),
      let lines = Host.smallText(csv)?.split(separator: "\n").dropFirst()
    else { return }
    let trace = try TraceFile.read(path: folder + "/sample.pt4")
    let facts = try JSON(parsing: text)
    let expected = try #require(facts.array)
    #expect(trace.count == expected.last?["count"]?.int)
    let missing = try #require(expected.last?["missing"]?.ints)
    #expect(missing.allSatisfy { trace.values[0][$0].isNaN } && trace.lostCount == missing.count)
    // Milliamperes, volts and marker of the first samples.
    for (row, element) in expected.prefix(3).enumerated() {
      let numbers = (element.array ?? []).compactMap(\.double)
      try #require(numbers.count == 3)
      #expect(abs(trace.values[1][row] * 1e3 - numbers[0]) < 1e-9)
      #expect(abs(trace.values[2][row] - numbers[1]) < 1e-9)
      #expect(Double(trace.markers[row]) == numbers[2])
    }
    #expect(trace.values[1].contains { abs($0 - 0.41) < 1e-9 })
    let recorded = try TraceFile.read(path: real)
    #expect(recorded.count == 63_665)
    for (row, line) in lines.enumerated() {
      let cells = line.split(separator: ",").map { $0.drop { $0 == " " } }
      #expect(abs(recorded.values[1][row] * 1e3 - (Double(cells[1]) ?? -1)) < 0.051)
      #expect(abs(recorded.values[0][row] * 1e3 - (Double(cells[2]) ?? -1)) < 0.51)
    }
  }

  @Test func aCutPowerToolRecordingIsRefusedOrShorter() throws {
    guard let path = TestData.sharedFile("fixtures/power/monsoon/sample.pt4") else { return }
    let bytes = try MappedFile(path: path).view.array
    for count in [0, 4, 1023, 1024, 1027] {
      #expect(code { _ = try PT4.read(ByteView(bytes[..<count]), name: "x") } == "MTR063")
    }
    #expect(try PT4.read(ByteView(bytes[..<1044]), name: "x").count == 5)
    var other = bytes
    other[150] = 6
    #expect(code { _ = try PT4.read(ByteView(other), name: "x") } == "MTR063")
  }

  @Test func nordicsRecordingsNeedAVoltage() throws {
    var raw: [UInt8] = []
    for sample in 0..<100 {
      let current = Float(1000 + sample)
      let bits: UInt16 = sample >= 50 ? 0b1010_1010_1010_1010 : 0b0101_0101_0101_0110
      for shift in stride(from: 0, to: 32, by: 8) {
        raw.append(UInt8(truncatingIfNeeded: current.bitPattern >> UInt32(shift)))
      }
      raw += [UInt8(bits & 0xFF), UInt8(bits >> 8)]
    }
    var writer = ZipWriter()
    try writer.add(
      "metadata.json",
      [ByteView(Array(#"{"metadata":{"samplesPerSecond":100000},"formatVersion":2}"#.utf8))]
    )
    try writer.add("session.raw", [ByteView(raw)], deflated: true)
    let file = ByteView(writer.finish().flatMap(\.array))
    let trace = try PPK2.read(file, name: "x.ppk2", volts: 3)
    #expect(trace.count == 100 && trace.period == 10_000)
    #expect(abs(trace.values[0][10] - 3 * 1010e-6) < 1e-9)
    #expect(trace.markers[0] == 1 && trace.markers[60] == 255)
    #expect(code { _ = try PPK2.read(file, name: "x", volts: nil) } == "MTR061")
    var empty = ZipWriter()
    try empty.add("other", [ByteView([1])])
    let other = ByteView(empty.finish().flatMap(\.array))
    #expect(code { _ = try PPK2.read(other, name: "x", volts: 3) } == "MTR064")
  }

  @Test func aTraceGoesToNumPy() throws {
    let trace = try TraceCSV.read("time_s,p_W,marker\n1,2,0\n1.5,3,1\n", name: "x")
    let bytes = ByteView(try TraceNPZ.write(trace).flatMap(\.array))
    let arrays = try NPZ.read(bytes)
    #expect(arrays.map(\.name) == ["time_s", "time_ns", "p_W", "marker"])
    #expect(arrays[0].tensor.elements(as: Double.self) == [0, 0.5])
    #expect(arrays[1].tensor.elements(as: Int64.self) == [1_000_000_000, 1_500_000_000])
    #expect(arrays[2].tensor.elements(as: Double.self) == [2, 3])
  }

  @Test func aTriggerKeepsWhatIsAbove() throws {
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "test", name: "test"),
      channels: [
        MeterChannel("main", .power, .supply, accuracy: MeterAccuracy(gain: nil, source: "")),
        MeterChannel("i", .current, .supply, accuracy: MeterAccuracy(gain: nil, source: "")),
      ],
      clock: .host,
      period: 1_000_000
    )
    for row in 0..<1000 {
      // A lone spike is no run.
      let amperes = (300..<700).contains(row) || row == 50 ? 0.8 : 0.1
      trace.append(Int64(row) * 1_000_000, [amperes * 5, amperes])
    }
    let current = try TriggerLevel(parsing: "500mA")
    let bare = try TriggerLevel(parsing: "500")
    #expect(bare.value == current.value && bare.quantity == .current)
    #expect(current.spans(in: trace) == [300..<700])
    #expect(try TriggerLevel(parsing: "2W").spans(in: trace) == [300..<700])
    #expect(try TriggerLevel(parsing: "9W").spans(in: trace).isEmpty)
    #expect(
      current.isAbove([4, 0.8], trace.channels) && !current.isAbove([4, 0.1], trace.channels)
    )
    for text in ["", "-2W", "3 apples", "2V"] {
      #expect(code { _ = try TriggerLevel(parsing: text) } == "MTR071")
    }
  }

  @Test func specsNameDriversAndWhatTheyNeed() throws {
    let specs = try MeterSpec.list("rapl:rate=50,nvml,command:a, b; c=d;gain=2%")
    #expect(specs.map(\.driver) == ["rapl", "nvml", "command"])
    #expect(specs[0].options.rate == 50)
    #expect(specs[2].options.values == ["argument": "a, b; c=d", "gain": "2%"])
    let file = try MeterSpec(parsing: "file:/a/b=c.csv;volts=3.7")
    #expect(file.options.values == ["argument": "/a/b=c.csv", "volts": "3.7"])
    for text in ["", ":", "rapl:rate=0", "rapl:rate=x", "monsoon:volts=four", "x:gain=-1"] {
      #expect(code { _ = try MeterSpec.list(text) } == "MTR002")
    }
    #expect(MeterSpec.watts("15mW") == 0.015 && MeterSpec.watts("2") == 2)
    #expect(MeterSpec.watts("2V") == nil && MeterSpec.fraction("1%") == 0.01)
  }
}
