import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayMeter

/// Drivers against stand-ins of the libraries that they load.
@Suite(.serialized) struct LibraryMeterTests {
  @Test func nvmlReadsCountersOrPower() throws {
    let tree = try Tree()
    guard let library = try CLibrary.build("fake_nvml", in: tree.path) else { return }
    PlainFile.setVariable("FAKE_NVML", "2,1,0")
    let meter = NVMLMeter(library: library)
    #expect(meter.probe().version == "driver 550.54: Fake GPU 1, Fake GPU 2")
    let trace = try rows(try meter.open(MeterOptions()), 2)
    #expect(
      trace.channels.map(\.name) == [
        "gpu-0", "gpu-0 power", "gpu-1", "gpu-1 power", "all cards",
      ]
    )
    #expect(trace.values[1] == [50, 50] && trace.values[3] == [100, 100])
    // Each reading of a counter moves it by half a joule.
    #expect(trace.values[0][1] - trace.values[0][0] == 1)
    #expect(trace.values[4][1] - trace.values[4][0] == 2)
    #expect(trace.channels.filter(\.isPrimary).map(\.name) == ["all cards"])

    PlainFile.setVariable("FAKE_NVML", "1,0,0")
    #expect(meter.probe().version == "driver 550.54: Fake GPU 1 (power only)")
    let power = try rows(try meter.open(MeterOptions()), 1)
    #expect(power.channels.map(\.quantity) == [.power] && power.channels[0].isPrimary)
    #expect(power.identity.serial == "GPU-0001")

    PlainFile.setVariable("FAKE_NVML", "0,1,0")
    #expect(meter.probe().reason?.contains("no card") == true)
    PlainFile.setVariable("FAKE_NVML", "1,1,9")
    #expect(meter.probe().remedy == "load the kernel's module: modprobe nvidia")
    PlainFile.setVariable("FAKE_NVML", "1,1,0")
  }

  @Test func nvmlThatIsMissingOrTooOldSaysSo() throws {
    #expect(NVMLMeter(library: "/nowhere/libnvidia-ml.so").probe().isAvailable == false)
    let tree = try Tree()
    guard let other = try CLibrary.build("fake_usb", in: tree.path) else { return }
    #expect(NVMLMeter(library: other).probe().reason?.contains("too old") == true)
    #expect { try NVMLMeter(library: other).open(MeterOptions()) } throws: {
      ($0 as? Diagnostic)?.code == "MTR021"
    }
  }

  @Test func theMonitorIsReadThroughLibusb() throws {
    let tree = try Tree()
    guard let library = try CLibrary.build("fake_usb", in: tree.path),
      let packets = TestData.sharedFile("fixtures/power/monsoon/hvpm_bulk_3s.bin")
    else { return }
    PlainFile.setVariable("FAKE_USB", "1,0")
    PlainFile.setVariable("FAKE_USB_PACKETS", packets)
    let meter = MonsoonMeter(library: library)
    #expect(meter.probe().isAvailable)
    let reader = try meter.open(MeterOptions(values: ["volts": "4.0"]))
    #expect(reader.identity.name == "Monsoon HVPM" && reader.identity.serial == "20042")
    let trace = try rows(reader, 400)
    #expect(trace.count == 14856)
    PlainFile.setVariable("FAKE_USB", "0,0")
    #expect(meter.probe().reason == "none is on the bus (2ab9:0001)")
    #expect { try meter.open(MeterOptions()) } throws: { ($0 as? Diagnostic)?.code == "MTR032" }
    PlainFile.setVariable("FAKE_USB", "1,-3")
    #expect { try meter.open(MeterOptions()) } throws: {
      ($0 as? Diagnostic)?.remedy?.contains("udev") == true
    }
    PlainFile.setVariable("FAKE_USB", "1,0")
    #expect(MonsoonMeter(library: "/nowhere/libusb.so").probe().remedy?.contains("libusb") == true)
  }
}
