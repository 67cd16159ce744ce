import AssayBase
import AssayHost
import AssayTestSupport
import Synchronization
import Testing

@testable import AssayMeter

/// A monitor by its control protocol, with packets by script.
final class ScriptedMonitor: USBTransport, @unchecked Sendable {
  var values: [UInt16: UInt32] = [
    0x45: 2, 0xC0: 32, 0xC4: 0, 0x42: 7, 0x1A: 36500, 0x1B: 6400, 0x25: 15, 0x26: 15,
    0x88: 57344, 0x89: 51200,
  ]
  var packets: [[UInt8]] = []
  private(set) var sent: [(request: UInt8, value: UInt16, index: UInt16, data: [UInt8])] = []

  func send(request: UInt8, value: UInt16, index: UInt16, data: [UInt8]) throws {
    sent.append((request, value, index, data))
  }

  func receive(request: UInt8, value: UInt16, index: UInt16, length: Int) throws -> [UInt8] {
    let answer = values[index] ?? 0
    return (0..<length).map { UInt8(truncatingIfNeeded: answer >> (8 * UInt32($0))) }
  }

  func read(endpoint: UInt8, limit: Int, milliseconds: Int) throws -> [UInt8] {
    packets.isEmpty ? [] : packets.removeFirst()
  }

  /// A packet of 64 bytes.
  static func packet(
    lost: UInt16 = 0,
    _ observations: [(kind: UInt8, numbers: [UInt16])]
  ) -> [UInt8] {
    var bytes: [UInt8] = [
      UInt8(lost & 0xFF), UInt8(lost >> 8), 0, UInt8(observations.count),
    ]
    for (kind, numbers) in observations {
      for number in numbers { bytes += [UInt8(number >> 8), UInt8(number & 0xFF)] }
      bytes += [0, kind]
    }
    return bytes + [UInt8](repeating: 0, count: 64 - bytes.count)
  }
}

@Suite struct MonsoonTests {
  private func meter(_ monitor: ScriptedMonitor) -> MonsoonMeter { MonsoonMeter { monitor } }

  private static let zero: (kind: UInt8, numbers: [UInt16]) =
    (0x10, [3000, 2600, 0, 0, 0, 0, 0, 0])
  private static let reference: (kind: UInt8, numbers: [UInt16]) =
    (0x30, [25000, 52000, 0, 0, 0, 0, 0, 0])

  @Test func theRecordingDecodesAsTheMakersProgramDoes() throws {
    guard let folder = TestData.sharedFile("fixtures/power/monsoon"),
      let text = Host.smallText(folder + "/hvpm_expected.json"),
      let csv = Host.smallText(folder + "/hvpm_expected.csv", limit: 1 << 24)
    else { return }
    let expected = try JSON(parsing: text)
    let bytes = try MappedFile(path: folder + "/hvpm_bulk_3s.bin").view.array
    let monitor = ScriptedMonitor()
    monitor.packets = stride(from: 0, to: bytes.count, by: 640).map {
      Array(bytes[$0..<min($0 + 640, bytes.count)])
    }
    let count = monitor.packets.count
    let trace = try rows(try meter(monitor).open(MeterOptions()), count)
    #expect(trace.count == expected["samples"]?.int)
    let amperes = trace.values[1]
    let mean = amperes.reduce(0, +) / Double(amperes.count) * 1e3
    // What is expected is what was put in; a step of the coarse range is 0.29 mA.
    #expect(abs(mean - (expected["mean_mA"]?.double ?? 0)) < 0.005)
    // The sum of volts times amperes at 5,000 a second.
    let joules = trace.values[0].reduce(0, +) / 5000
    #expect(
      abs(joules - (expected["energy_J_over_measured_samples"]?.double ?? 0)) < 5e-5
    )
    let rows = csv.split(separator: "\n").dropFirst()
    var (worst, worstVolts) = (0.0, 0.0)
    for (row, line) in rows.enumerated() {
      let cells = line.split(separator: ",")
      worst = max(worst, abs((Double(cells[1]) ?? 0) / 1e3 - amperes[row]))
      worstVolts = max(worstVolts, abs((Double(cells[2]) ?? 0) - trace.values[2][row]))
    }
    #expect(rows.count == trace.count && worst < 1.6e-4 && worstVolts < 1.3e-4)
    // It was started once and stopped at the end.
    #expect(monitor.sent.map(\.request) == [2, 3])
    #expect(monitor.sent[0].value == 1250 && monitor.sent[0].data == [255, 255, 255, 255])
  }

  @Test func nothingCountsBeforeItsCalibration() throws {
    let monitor = ScriptedMonitor()
    let sample: (kind: UInt8, numbers: [UInt16]) =
      (0x00, [4000, 30000, 0, 0, 0, 0, 16000, 0])
    monitor.packets = [ScriptedMonitor.packet([sample, Self.zero, Self.reference])]
    for _ in 0..<4 {
      monitor.packets.append(ScriptedMonitor.packet([Self.zero, Self.reference]))
    }
    monitor.packets.append(ScriptedMonitor.packet(lost: 9, [sample, (0x20, sample.numbers)]))
    let trace = try rows(try meter(monitor).open(MeterOptions()), 6)
    #expect(trace.count == 1 && trace.lostCount == 9)
    // Fine: (30000 - 2615) · 36500 µA / (52000 - 2615); 16000 steps of 250 µV.
    #expect(abs(trace.values[1][0] - 27385.0 * 36500 / 49385 / 1e6) < 1e-12)
    #expect(trace.values[2][0] == 4)
  }

  @Test func voltageIsSetOnlyWhenAskedForAndSafe() throws {
    let monitor = ScriptedMonitor()
    _ = try meter(monitor).open(MeterOptions(values: ["volts": "4.2", "amps": "8", "usb": "auto"]))
    let volts = UInt32((4.2 * 1_048_576).rounded())
    let set = try #require(monitor.sent.first { $0.index & 0xFF == 0x41 })
    #expect(set.value == UInt16(truncatingIfNeeded: volts))
    #expect(set.index >> 8 == UInt16(truncatingIfNeeded: volts >> 16))
    #expect(monitor.sent.contains { $0.index & 0xFF == 0x10 && $0.value == 2 })
    for volts in ["0.5", "14"] {
      #expect {
        try meter(ScriptedMonitor()).open(MeterOptions(values: ["volts": volts]))
      } throws: {
        ($0 as? Diagnostic)?.code == "MTR036"
      }
    }
    let uncalibrated = ScriptedMonitor()
    uncalibrated.values[0x88] = 0
    #expect { try meter(uncalibrated).open(MeterOptions(values: ["volts": "4"])) } throws: {
      ($0 as? Diagnostic)?.code == "MTR037"
    }
    #expect(uncalibrated.sent.isEmpty)
  }

  @Test func aMonitorInUseOrUnknownIsLeftAlone() throws {
    let busy = ScriptedMonitor()
    busy.values[0xC4] = 0x80
    #expect { try meter(busy).open(MeterOptions()) } throws: {
      ($0 as? Diagnostic)?.code == "MTR035"
    }
    let unknown = ScriptedMonitor()
    unknown.values[0x45] = 0
    #expect { try meter(unknown).open(MeterOptions()) } throws: {
      ($0 as? Diagnostic)?.code == "MTR034"
    }
    #expect(busy.sent.isEmpty && unknown.sent.isEmpty)
  }

  @Test func thePacketsOfTheOlderModelHaveItsScale() {
    var scale = MonsoonScale(lvpm: 0, 10)
    #expect(abs(scale.fineScale - 35946 * 0.05 / 0.051) < 1e-9)
    for _ in 0..<5 {
      _ = scale.advance(
        .init(kind: .zero, mainCoarse: 10, mainFine: 100, mainVoltage: 0)
      )
      _ = scale.advance(
        .init(kind: .reference, mainCoarse: 2010, mainFine: 20100, mainVoltage: 0)
      )
    }
    let fine = scale.advance(
      .init(kind: .sample, mainCoarse: 0, mainFine: 10100, mainVoltage: 8000)
    )
    #expect(abs((fine?.amperes ?? 0) - scale.fineScale / 2e6) < 1e-12)
    #expect(fine?.volts == 1)
    let coarse = scale.advance(
      .init(kind: .sample, mainCoarse: 1010, mainFine: 40000, mainVoltage: 8000)
    )
    #expect(abs((coarse?.amperes ?? 0) - scale.coarseScale / 2e3) < 1e-12)
  }

  @Test func brokenPacketsAreNone() {
    #expect(MonsoonPacket([0, 0, 0][...]) == nil)
    var bytes = ScriptedMonitor.packet([Self.zero])
    bytes[3] = 200
    #expect(MonsoonPacket(bytes[...]) == nil)
    bytes[3] = 1
    #expect(MonsoonPacket(bytes[...])?.observations.count == 1)
    #expect(MonsoonPacket(bytes[..<20]) == nil)
  }

  @Test func arrivalsTellTheClockThoughTheyComeLate() throws {
    var clock = ArrivalClock()
    var random = SeededRNG(seed: 5)
    // Observations of 200,000 ns and 40 ppm, ten a packet, each up to 4 ms late.
    for packet in 0..<6000 {
      let number = packet * 10
      let made = 1e9 + Double(number) * 200_000 * 1.00004
      let late = Double(random.uniform()) * Double(random.uniform()) * 4e6
      clock.add(number: number, arrival: UInt64(made + late))
    }
    let fit = try #require(clock.fit(nominalPeriod: 200_000))
    #expect(abs(fit.driftPPM - 40) < 5)
    for number in [0, 30_000, 59_990] {
      let made = 1e9 + Double(number) * 200_000 * 1.00004
      #expect(abs(Double(fit.time(of: number)) - made) < 3 * fit.uncertainty)
    }
    #expect(ArrivalClock().fit(nominalPeriod: 1) == nil)
  }
}
