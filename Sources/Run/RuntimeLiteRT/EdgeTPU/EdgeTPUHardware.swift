import AssayBase
import AssayHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Edge TPUs that this system sees, whether or not a library is there to use them.
public struct EdgeTPUHardware: Sendable, Equatable {
  /// A stick on the USB.
  public struct Stick: Sendable, Equatable {
    /// Its folder, as `/sys/bus/usb/devices/2-1`: also libedgetpu's name for it.
    public var path: String
    /// Whether it has its firmware; without, the library sends it when it is used first.
    public var isBooted: Bool
    /// The link's speed, megabits a second: 480 for USB 2, 5000 for USB 3; `nil` when it is not told.
    public var megabits: Int?
    /// The greatest version of USB that it could speak, hundredths: 300 is USB 3.
    public var usbVersion: Int?
    /// The device file that it is opened by; `nil` when it is not told.
    public var node: String?

    /// The link in words, such as `USB 3 (5000 Mb/s)`.
    public var link: String {
      switch megabits {
      case nil: "USB, of unknown speed"
      case let speed? where speed >= 5000: "USB 3 (\(speed) Mb/s)"
      case 480?: "USB 2 (480 Mb/s)"
      case let speed?: "USB 1 (\(speed) Mb/s)"
      }
    }
  }

  /// A card on PCIe.
  public struct Card: Sendable, Equatable {
    /// Its folder below `/sys/bus/pci/devices`.
    public var path: String
    /// The device file of its driver, as `/dev/apex_0`; `nil` when no driver took it.
    public var node: String?
    /// Degrees Celsius; `nil` when the driver does not tell.
    public var celsius: Double?
  }

  /// Sticks in the order of their paths.
  public var sticks: [Stick]
  /// Cards in the order of their paths.
  public var cards: [Card]

  /// Numbers that a stick shows: before it has its firmware, and with it.
  public static let unbootedID = (vendor: "1a6e", product: "089a")
  public static let bootedID = (vendor: "18d1", product: "9302")
  /// The numbers of a card.
  public static let cardID = (vendor: "0x1ac1", product: "0x089a")

  /// Looks.
  ///
  /// - Parameter root: the folder that is taken for `/`: another one in tests.
  public init(root: String = "/") {
    let usb = Host.join(root, "sys/bus/usb/devices")
    sticks = ((try? Host.list(usb)) ?? []).sorted().compactMap { name in
      Self.stick(Host.join(usb, name), name: name, root: root)
    }
    let pci = Host.join(root, "sys/bus/pci/devices")
    let found = ((try? Host.list(pci)) ?? []).sorted().filter { name in
      let folder = Host.join(pci, name)
      return Self.word(folder, "vendor") == Self.cardID.vendor
        && Self.word(folder, "device") == Self.cardID.product
    }
    let nodes = ((try? Host.list(Host.join(root, "dev"))) ?? []).filter { $0.hasPrefix("apex_") }
      .sorted()
    cards = found.enumerated().map { index, name in
      let node = nodes.indices.contains(index) ? nodes[index] : nil
      return Card(
        path: "/sys/bus/pci/devices/" + name,
        node: node.map { "/dev/" + $0 },
        celsius: node.flatMap { Self.celsius(of: $0, root: root) }
      )
    }
  }

  /// What a driver of a card tells of its temperature, degrees Celsius.
  ///
  /// - Parameter node: the device's name, as `apex_0`.
  public static func celsius(of node: String, root: String = "/") -> Double? {
    let folder = Host.join(root, "sys/class/apex/" + Host.name(of: node))
    // The driver tells thousandths of a degree.
    return word(folder, "temp").flatMap { Int($0) }.map { Double($0) / 1000 }
  }

  /// Whether this user may open a device file for reading and writing, which a driver needs.
  public static func mayOpen(_ node: String) -> Bool { unsafe access(node, R_OK | W_OK) == 0 }

  private static func word(_ folder: String, _ name: String) -> String? {
    guard let text = Host.smallText(Host.join(folder, name)) else { return nil }
    return text.split(whereSeparator: \.isWhitespace).first.map { String($0) }
  }

  private static func stick(_ folder: String, name: String, root: String) -> Stick? {
    guard let vendor = word(folder, "idVendor"), let product = word(folder, "idProduct") else {
      return nil
    }
    let isBooted = vendor == bootedID.vendor && product == bootedID.product
    guard isBooted || vendor == unbootedID.vendor && product == unbootedID.product else {
      return nil
    }
    var node: String?
    if let bus = word(folder, "busnum").flatMap({ Int($0) }),
      let device = word(folder, "devnum").flatMap({ Int($0) })
    {
      func three(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 3 - String(number).count)) + String(number)
      }
      node = "/dev/bus/usb/\(three(bus))/\(three(device))"
    }
    return Stick(
      path: "/sys/bus/usb/devices/" + name,
      isBooted: isBooted,
      // Low-speed devices show 1.5, no whole number.
      megabits: word(folder, "speed").flatMap { Double($0) }.flatMap { Int(exactly: $0.rounded()) },
      usbVersion: word(folder, "version").flatMap { version(of: $0) },
      node: node
    )
  }

  /// A version such as `3.10` in hundredths.
  private static func version(of text: String) -> Int? {
    let parts = text.split(separator: ".")
    guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]),
      (0...99).contains(major), (0...99).contains(minor)
    else { return nil }
    return major * 100 + minor
  }
}
