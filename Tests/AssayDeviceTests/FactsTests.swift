import AssayBase
import AssayDevice
import AssayHost
import AssayMachine
import Testing

@Suite struct FactsTests {
  /// What a Raspberry Pi 5 with an Edge TPU would print.
  static let raspberry = """
    machine=aarch64
    kernel=6.6.20+rpt-rpi-2712
    system=Linux
    count=4
    glibc=glibc 2.36
    free=/dev/mmcblk0p2  59691088 5308320 51325696 10% /
    tool:vcgencmd=/usr/bin/vcgencmd
    throttled=0x50000
    rail=3V3_SYS_A
    rail=VDD_CORE_A
    end=1
    @files
    /proc/cpuinfo:processor\t: 0
    /proc/cpuinfo:CPU part\t: 0xd0b
    /proc/cpuinfo:Serial\t\t: 10000000abcdef01
    /proc/meminfo:MemTotal:        8245536 kB
    /proc/meminfo:MemAvailable:    7000000 kB
    /proc/sys/kernel/random/boot_id:5b0f4b52-1111
    /etc/os-release:PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
    /sys/devices/system/cpu/online:0-3
    /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor:ondemand
    /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq:2400000
    /sys/class/thermal/thermal_zone0/type:cpu-thermal
    /sys/class/thermal/thermal_zone0/temp:61700
    /sys/firmware/devicetree/base/model:Raspberry Pi 5 Model B Rev 1.0
    /sys/bus/usb/devices/2-1/idVendor:18d1
    /sys/bus/usb/devices/2-1/idProduct:9302
    /sys/bus/usb/devices/2-1/speed:5000
    """

  /// A kernel for another processor runs the device's programs through an emulator.
  @Test(arguments: [("x86_64", true), ("aarch64", false), ("arm64", false), ("riscv64", false)])
  func anEmulatorIsToldByItsKernel(kernel: String, isEmulated: Bool) {
    let line = "\n/proc/sys/kernel/arch:\(kernel)\n"
    let facts = DeviceFacts(transcript: FactsTests.raspberry + line)
    #expect((facts.emulator != nil) == isEmulated)
    #expect(facts.identity != DeviceFacts(transcript: FactsTests.raspberry).identity || !isEmulated)
  }

  @Test func aBoardIsKnownByWhatItPrints() {
    let facts = DeviceFacts(transcript: FactsTests.raspberry)
    #expect(facts.architecture == "aarch64")
    #expect(facts.model == "Raspberry Pi 5 Model B Rev 1.0")
    #expect(facts.processor == "Cortex-A76")
    #expect(facts.processorCount == 4)
    #expect(facts.memoryBytes == 8_245_536 * 1024)
    #expect(facts.library == "glibc 2.36")
    #expect(facts.freeBytes == 51_325_696 * 1024)
    #expect(facts.rails == ["3V3_SYS_A", "VDD_CORE_A"])
    #expect(facts.attachments.map(\.name) == ["Edge TPU (USB)"])
    #expect(facts.attachments.first?.evidence == "usb 18d1:9302 at 5000 Mbit/s")
    #expect(facts.emulator == nil)
    #expect(facts.individual?.count == 12)
    let conditions = facts.conditions
    #expect(conditions?.thermal.hottest?.temperature == 61_700)
    #expect(conditions?.thermal.raspberryFlags == 0x50000)
    #expect(conditions?.processors.first?.governor == "ondemand")
    #expect(conditions?.allowed == [0, 1, 2, 3])
  }

  @Test func bigAndLittleCoresAreTold() {
    var text = FactsTests.raspberry
    for number in 0..<4 {
      text +=
        "\n/sys/devices/system/cpu/cpu\(number)/cpu_capacity:\(number < 2 ? 446 : 1024)"
    }
    let facts = DeviceFacts(transcript: text)
    #expect(facts.clusters.map(\.processors) == [[0], [1], [2, 3]])
    #expect(facts.clusters.map(\.capacity) == [446, 446, 1024])
  }

  /// A program emulator shows the host's processor; the facts must not.
  @Test func anEmulatedArmIsNoHardware() {
    let facts = DeviceFacts(
      transcript: """
        machine=aarch64
        end=1
        @files
        /proc/cpuinfo:vendor_id\t: AuthenticAMD
        /proc/cpuinfo:model name\t: AMD EPYC
        """
    )
    #expect(facts.emulator != nil)
    #expect(facts.processor == "aarch64")
    #expect(facts.identity != DeviceFacts(transcript: "machine=aarch64").identity)
  }

  /// Nothing that a device prints is trusted.
  @Test(
    arguments: [
      "", "@files", "@files\n/../../etc/passwd:x", "count=99999999999999999999", "free=a b c d e",
      "free=x 1 2 9223372036854775807 x", "@files\n/proc/meminfo:MemTotal: 99999999999999999 kB",
      "@files\n:::\n/x", "end=1\n@files\n/../x:y\n/proc:z\n/proc/stat:cpu",
    ]
  )
  func oddTranscriptsGiveNoFigures(text: String) {
    let facts = DeviceFacts(transcript: text)
    #expect(facts.processorCount == nil)
    #expect(facts.memoryBytes == nil)
    _ = facts.json
  }

  @Test func thisMachineTellsOfItself() throws {
    let facts = try LocalDevice().probe()
    let machine = MachineInfo.current()
    #expect(facts.architecture == machine.architecture)
    #expect(facts.processorCount == machine.allowedProcessors.count)
    #expect((facts.memoryBytes ?? 0) > 0)
    #expect(facts.conditions != nil)
    #expect(facts.transport == "local")
  }
}
