import AssayBase
import AssayHost

/// OpenVINO 2021.4.2, the last release on the Python package index that drives the Neural Compute Stick 2.
///
/// It has no C interface, and its packages are for Python 3.9 at most, so it is served by a worker process
/// in Python that answers the requests of Assay's own worker. Set-up installs it on request.
public struct OpenVINO2021: Sendable {
  /// How to get it.
  public static let remedy = "scripts/setup --ncs2 (needs a Python 3.9, see docs/vendor-tools.md)"

  /// The rule that gives users the right to use the stick.
  public static let udevRule = """
    SUBSYSTEM=="usb", ATTRS{idVendor}=="03e7", ATTRS{idProduct}=="2485", GROUP="plugdev", MODE="0660"
    SUBSYSTEM=="usb", ATTRS{idVendor}=="03e7", ATTRS{idProduct}=="f63b", GROUP="plugdev", MODE="0660"
    """

  /// The packages.
  public let tool: PythonTool

  /// The installed release.
  ///
  /// - Throws: `Diagnostic` VND020 with how to get it.
  public init() throws { tool = try PythonTool.find("openvino2021", remedy: OpenVINO2021.remedy) }

  /// The worker's program and arguments; it reads requests from standard input and answers on
  /// descriptor 3.
  ///
  /// - Parameter device: the plugin that requests mean unless they name another: `MYRIAD` or `CPU`.
  public func worker(device: String = "MYRIAD") -> (executable: String, arguments: [String]) {
    (tool.python, ["-I", "-c", OpenVINO2021.script, tool.folder, device])
  }

  private static let script = String(
    decoding: PackageResources.openvino2021_py,
    as: UTF8.self
  )

  /// Whether it is installed; whether a stick is there only starting it tells.
  public static func probe() -> Availability {
    do {
      let installed = try OpenVINO2021()
      let words =
        switch stick() {
        case .ready: "a stick is plugged in"
        case .booted: "a stick is in use"
        case .absent: "no stick is plugged in (per-layer support can be asked without)"
        case .forbidden: "a stick is plugged in, but you may not use it: see docs/vendor-tools.md"
        }
      return .available(version: "\(installed.tool.version), \(words)")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: "see docs/devices.md")
    }
  }

  /// What the system says of a stick on the USB.
  public enum Stick: Sendable, Equatable {
    /// Nothing with its ids is there.
    case absent
    /// It waits for its firmware.
    case ready
    /// It runs a program's firmware.
    case booted
    /// It is there and its device file may not be written by this user.
    case forbidden
  }

  /// Looks for the ids of a stick: 03e7:2485 before it has its firmware, 03e7:f63b after.
  ///
  /// - Parameter root: the system's folder of USB devices.
  public static func stick(root: String = "/sys/bus/usb/devices") -> Stick {
    func word(_ name: String, _ file: String) -> String? {
      Host.smallText(Host.join(Host.join(root, name), file)).map { String($0.trimmed) }
    }
    for name in (try? Host.list(root)) ?? [] where word(name, "idVendor") == "03e7" {
      guard let product = word(name, "idProduct"), ["2485", "f63b"].contains(product) else {
        continue
      }
      if let bus = word(name, "busnum").flatMap({ Int($0) }),
        let device = word(name, "devnum").flatMap({ Int($0) })
      {
        func three(_ value: Int) -> String {
          String(repeating: "0", count: max(0, 3 - "\(value)".count)) + "\(value)"
        }
        let file = "/dev/bus/usb/\(three(bus))/\(three(device))"
        // Nothing is written: opening it tells whether this user may use it.
        if Host.exists(file), (try? Host.append([UInt8](), to: file)) == nil { return .forbidden }
      }
      return product == "2485" ? .ready : .booted
    }
    return .absent
  }
}
