import AssayBase
import AssayHost
import AssayMachine

extension DeviceFacts {
  /// Small files of a Linux or Android system that tell of it, as patterns of a shell.
  ///
  /// They are mirrored into a folder of this machine, so that remote devices are judged by the same
  /// code as the machine itself.
  static let files = [
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/vmstat",
    "/proc/self/status", "/proc/sys/kernel/arch", "/proc/sys/kernel/random/boot_id",
    "/etc/os-release", "/etc/machine-id",
    "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/isolated",
    "/sys/devices/system/cpu/cpufreq/boost", "/sys/devices/system/cpu/smt/active",
    "/sys/devices/system/cpu/cpu[0-9]*/cpu_capacity",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_*",
    "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/base_frequency",
    "/sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list",
    "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count",
    "/sys/class/thermal/thermal_zone[0-9]*/type", "/sys/class/thermal/thermal_zone[0-9]*/temp",
    "/sys/class/thermal/thermal_zone[0-9]*/trip_point_*",
    "/sys/class/thermal/cooling_device[0-9]*/type",
    "/sys/class/thermal/cooling_device[0-9]*/cur_state",
    "/sys/class/hwmon/hwmon[0-9]*/name", "/sys/class/hwmon/hwmon[0-9]*/temp1_*",
    "/sys/class/hwmon/hwmon[0-9]*/in[0-9]*_label", "/sys/class/hwmon/hwmon[0-9]*/power[0-9]*_label",
    "/sys/class/power_supply/*/type", "/sys/class/power_supply/*/online",
    "/sys/class/power_supply/*/status", "/sys/class/power_supply/*/capacity",
    "/sys/class/power_supply/*/scope",
    "/sys/devices/platform/soc/soc:firmware/get_throttled",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
    "/sys/firmware/devicetree/base/model", "/sys/firmware/devicetree/base/serial-number",
    "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor", "/sys/hypervisor/type",
    "/sys/bus/usb/devices/*/idVendor", "/sys/bus/usb/devices/*/idProduct",
    "/sys/bus/usb/devices/*/speed",
  ]

  /// The programs whose presence matters.
  static let programs = [
    "trtexec", "benchmark_app", "edgetpu_compiler", "vcgencmd", "nvidia-smi", "tegrastats",
    "taskset", "python3",
  ]

  /// The script by which a device's `sh` tells of itself; it changes nothing there.
  ///
  /// Lines `key=value` come first, then, behind `@files`, those of the files as `PATH:LINE`.
  public static func script(root: String) -> String {
    """
    export LC_ALL=C
    say() { echo "$1=$2"; }
    say machine "$(uname -m 2>/dev/null)"
    say kernel "$(uname -r 2>/dev/null)"
    say system "$(uname -s 2>/dev/null)"
    say count "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null)"
    say user "$(id -u 2>/dev/null)"
    say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
    for f in /lib/ld-musl-*; do [ -e "$f" ] && say musl "$f"; done
    [ -e /system/bin/linker64 ] && say bionic 64
    [ -e /system/bin/linker64 ] || { [ -e /system/bin/linker ] && say bionic 32; }
    say free "$(df -Pk '\(root)' 2>/dev/null | tail -n 1)"
    for f in /dev/apex_*; do [ -e "$f" ] && say apex "$f"; done
    for p in \(programs.joined(separator: " ")); do
      w=$(command -v "$p" 2>/dev/null) && say "tool:$p" "$w"
    done
    [ -e /usr/src/tensorrt/bin/trtexec ] && say tool:trtexec /usr/src/tensorrt/bin/trtexec
    t=$(vcgencmd get_throttled 2>/dev/null) && say throttled "${t#*=}"
    vcgencmd pmic_read_adc 2>/dev/null | while read -r a b; do say rail "$a"; done
    nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null \
    | while read -r l; do say gpu "$l"; done
    [ -r /etc/nv_tegra_release ] && say tegra "$(head -n 1 /etc/nv_tegra_release)"
    case "$(readlink "/proc/$$/exe" 2>/dev/null)" in *qemu*) say emulator "qemu user mode";; esac
    say end 1
    echo @files
    grep -H -s '' \(files.joined(separator: " ")) 2>/dev/null | tr -d '\\000'
    exit 0
    """
  }

  /// Reads what the script printed.
  ///
  /// Nothing of it is trusted: what is absent or odd is not known.
  public init(transcript: String) {
    self.init()
    let mirror = SystemMirror(transcript)
    func fact(_ key: String) -> String? { mirror.facts[key]?.first }
    architecture = fact("machine")
    kernel = fact("kernel")
    processorCount = fact("count").flatMap { Int($0) }.flatMap {
      (1...4096).contains($0) ? $0 : nil
    }
    readLibrary(mirror)
    let release = mirror.text("/etc/os-release") ?? ""
    system =
      release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
      .map { String($0.dropFirst(12)).filter { $0 != "\"" } } ?? fact("system")
    let information = mirror.text("/proc/cpuinfo") ?? ""
    processor =
      SystemMirror.value("model name", in: information)
      ?? SystemMirror.value("Hardware", in: information)
    // An emulator of programs runs on another machine's kernel, whose processor it then shows.
    if let architecture, architecture.hasPrefix("aarch") || architecture.hasPrefix("arm"),
      information.contains("vendor_id")
    {
      emulator = "qemu user mode: /proc/cpuinfo is another machine's"
      processor = nil
    }
    if processor == nil, let architecture {
      processor = SystemMirror.armName(information) ?? architecture
    }
    model =
      mirror.line("/sys/firmware/devicetree/base/model") ?? mirror.line(
        "/sys/class/dmi/id/product_name"
      )
      ?? SystemMirror.value("Model", in: information)
    // Since Linux 6.1 the kernel tells what it was built for, whatever its programs are told.
    if let architecture, let kernel = mirror.line("/proc/sys/kernel/arch"),
      !DeviceFacts.runs(architecture, onKernel: kernel)
    {
      emulator = "qemu user mode: the kernel is \(kernel)"
    }
    if information.contains("VirtualApple") { emulator = "Rosetta" }
    if let word = fact("emulator") { emulator = word }
    if let vendor = mirror.line("/sys/class/dmi/id/sys_vendor"), vendor == "QEMU", emulator == nil,
      architecture != "x86_64"
    {
      emulator = "qemu system"
    }
    memoryBytes = SystemMirror.value("MemTotal", in: mirror.text("/proc/meminfo") ?? "")
      .flatMap { Int($0.split(separator: " ").first ?? "") }
      .flatMap { $0 > 0 && $0 < 1 << 40 ? $0 &* 1024 : nil }
    freeBytes = fact("free").flatMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 4, let kilobytes = Int(words[3]), kilobytes >= 0, kilobytes < 1 << 50
      else { return nil }
      return kilobytes &* 1024
    }
    boot = mirror.line("/proc/sys/kernel/random/boot_id").map { String(sha256($0).prefix(8)) }
    let serial =
      mirror.line("/sys/firmware/devicetree/base/serial-number")
      ?? SystemMirror.value("Serial", in: information) ?? mirror.line("/etc/machine-id")
    individual = serial.map { String(sha256("assay device " + $0).prefix(12)) }
    for name in DeviceFacts.programs { tools[name] = mirror.facts["tool:" + name]?.last }
    rails = mirror.facts["rail"] ?? []
    for (path, text) in mirror.paths(below: "/sys/class/hwmon/") where path.hasSuffix("_label") {
      rails.append(text)
    }
    readAttachments(mirror)
    if let flags = fact("throttled") {
      further["throttled"] = flags
      mirror.add("/sys/devices/platform/soc/soc:firmware/get_throttled", flags)
    }
    further["tegra"] = fact("tegra")
    if mirror.facts["end"] != nil { conditions = mirror.conditions(processorCount) }
    readClusters()
  }

  /// Whether a kernel runs programs of an instruction set by itself.
  static func runs(_ architecture: String, onKernel kernel: String) -> Bool {
    let families = [
      ["aarch64", "arm64", "armv8l", "armv8b", "armv7l", "armv6l", "arm"],
      ["x86_64", "amd64", "i686", "i586", "i386", "x86"],
    ]
    guard let family = families.first(where: { $0.contains(architecture) }),
      let other = families.first(where: { $0.contains(kernel) })
    else { return true }
    return family == other
  }

  private mutating func readLibrary(_ mirror: SystemMirror) {
    if let text = mirror.facts["glibc"]?.first, !text.isEmpty { library = text }
    if library == nil, mirror.facts["musl"] != nil { library = "musl" }
    if library == nil, let bits = mirror.facts["bionic"]?.first { library = "bionic, \(bits) bit" }
  }

  private mutating func readAttachments(_ mirror: SystemMirror) {
    let kinds = [
      "1a6e:089a": "Edge TPU (USB, before its firmware)", "18d1:9302": "Edge TPU (USB)",
      "03e7:2485": "Neural Compute Stick 2", "03e7:2150": "Neural Compute Stick",
      "03e7:f63b": "Neural Compute Stick 2 (booted)",
    ]
    for (path, vendor) in mirror.paths(below: "/sys/bus/usb/devices/")
    where path.hasSuffix("/idVendor") {
      let folder = path.dropLast("/idVendor".count)
      let product = mirror.line(folder + "/idProduct") ?? ""
      guard let name = kinds["\(vendor):\(product)"] else { continue }
      let speed = mirror.line(folder + "/speed").map { " at \($0) Mbit/s" } ?? ""
      attachments.append(
        Attachment(name: name, evidence: "usb \(vendor):\(product)" + speed)
      )
    }
    for path in mirror.facts["apex"] ?? [] {
      attachments.append(Attachment(name: "Edge TPU (PCIe)", evidence: path))
    }
    for line in mirror.facts["gpu"] ?? [] {
      attachments.append(Attachment(name: "NVIDIA GPU", evidence: line))
    }
  }

  private mutating func readClusters() {
    guard let processors = conditions?.processors, !processors.isEmpty else { return }
    var groups: [Cluster] = []
    for state in processors {
      if let index = groups.firstIndex(where: {
        $0.capacity == state.capacity && $0.maximumFrequency == state.maximumFrequency
      }) {
        groups[index].processors.append(state.number)
      } else {
        groups.append(
          Cluster(
            processors: [state.number],
            capacity: state.capacity,
            maximumFrequency: state.maximumFrequency
          )
        )
      }
    }
    if groups.count > 1 { clusters = groups }
  }
}
