import AssayBase
import AssayHost
import CUSB

/// A device on the bus, as far as meters need it.
///
/// Belongs to one thread.
public protocol USBTransport: AnyObject {
  /// A control transfer to the device.
  ///
  /// - Throws: `Diagnostic` MTR030 when it fails.
  func send(request: UInt8, value: UInt16, index: UInt16, data: [UInt8]) throws
  /// A control transfer from the device; gives what came, at most `length` bytes.
  ///
  /// - Throws: `Diagnostic` MTR030 when it fails.
  func receive(request: UInt8, value: UInt16, index: UInt16, length: Int) throws -> [UInt8]
  /// What comes from a bulk endpoint; empty when nothing came in time.
  ///
  /// - Throws: `Diagnostic` MTR030 when it fails.
  func read(endpoint: UInt8, limit: Int, milliseconds: Int) throws -> [UInt8]
}

/// What the bus tells of a device before it is opened.
public struct USBAddress: Sendable, Equatable {
  /// The maker's number.
  public var vendor: UInt16
  /// The maker's number of the product.
  public var product: UInt16
  /// Makes an address.
  public init(vendor: UInt16, product: UInt16) {
    self.vendor = vendor
    self.product = product
  }
}

/// libusb 1.0, loaded on first use.
@safe final class USBLibrary {
  private let library: SharedLibrary
  fileprivate let table: CUSBTable
  private let context: OpaquePointer?

  /// Loads and starts the library.
  ///
  /// - Throws: `Diagnostic` MTR031 with a remedy when there is none.
  init(path: String? = nil) throws {
    let names = path.map { [$0] } ?? ["libusb-1.0.so.0", "libusb-1.0.dylib"]
    guard let library = names.lazy.compactMap({ try? SharedLibrary(path: $0) }).first else {
      throw Diagnostic(
        "MTR031",
        "libusb is not installed",
        remedy: "install Debian's libusb-1.0-0 (make setup)"
      )
    }
    var table = CUSBTable()
    let missing = unsafe library.fill(&table, names: cusb_names())
    guard missing.isEmpty else {
      throw Diagnostic(
        "MTR031",
        "this libusb has no \(missing.joined(separator: ", "))",
        remedy: "install libusb 1.0.16 or later"
      )
    }
    var context: OpaquePointer?
    let status = unsafe table.libusb_init(&context)
    guard status == 0 else {
      throw Diagnostic("MTR031", "libusb cannot be started", cause: "status \(status)")
    }
    self.library = library
    self.table = table
    unsafe self.context = context
  }

  deinit { unsafe table.libusb_exit(context) }

  /// Calls `body` with each device on the bus until it gives something.
  private func first<T>(_ body: (OpaquePointer, CUSBDescriptor) throws -> T?) rethrows -> T? {
    var list: UnsafeMutablePointer<OpaquePointer?>?
    let count = unsafe table.libusb_get_device_list(context, &list)
    guard count >= 0, let list = unsafe list else { return nil }
    defer { unsafe table.libusb_free_device_list(list, 1) }
    for index in 0..<count {
      guard let device = unsafe list[index] else { continue }
      var descriptor = CUSBDescriptor()
      guard unsafe table.libusb_get_device_descriptor(device, &descriptor) == 0 else { continue }
      if let found = try unsafe body(device, descriptor) { return found }
    }
    return nil
  }

  /// Whether a device is on the bus.
  func has(_ address: USBAddress) -> Bool {
    unsafe first { _, descriptor in
      descriptor.vendor == address.vendor && descriptor.product == address.product ? true : nil
    } ?? false
  }

  /// Opens the first device with this address and takes its first interface.
  ///
  /// - Throws: `Diagnostic` MTR032 there is none, MTR033 it may not be opened.
  func open(_ address: USBAddress) throws -> USBDevice {
    let opened = try unsafe first { device, descriptor -> USBDevice? in
      guard descriptor.vendor == address.vendor, descriptor.product == address.product else {
        return nil
      }
      var handle: OpaquePointer?
      let status = unsafe table.libusb_open(device, &handle)
      guard status == 0, let handle = unsafe handle else {
        throw Diagnostic(
          "MTR033",
          "the device may not be opened",
          remedy: status == Int32(CUSB_ERROR_ACCESS)
            ? "as root: echo 'SUBSYSTEM==\"usb\", ATTR{idVendor}==\"2ab9\", MODE=\"0666\"'"
              + " > /etc/udev/rules.d/60-monsoon.rules, then udevadm control --reload and plug it"
              + " in again"
            : "unplug it and plug it in again",
          cause: words(status)
        )
      }
      unsafe _ = table.libusb_set_auto_detach_kernel_driver(handle, 1)
      let claimed = unsafe table.libusb_claim_interface(handle, 0)
      guard claimed == 0 else {
        unsafe table.libusb_close(handle)
        throw Diagnostic(
          "MTR033",
          "the device is in use",
          remedy: "end the other program that reads it",
          cause: words(claimed)
        )
      }
      return unsafe USBDevice(self, handle)
    }
    guard let opened else {
      throw Diagnostic(
        "MTR032",
        "no such device is on the bus",
        remedy: "plug it in and switch it on"
      )
    }
    return opened
  }

  fileprivate func words(_ status: Int32) -> String {
    unsafe table.libusb_error_name(status).map { unsafe String(cString: $0) }
      ?? "status \(status)"
  }
}

/// An open device; given back with the object.
@safe final class USBDevice: USBTransport {
  private let library: USBLibrary
  private let handle: OpaquePointer
  private let patience: UInt32 = 2000

  fileprivate init(_ library: USBLibrary, _ handle: OpaquePointer) {
    self.library = library
    unsafe self.handle = handle
  }

  deinit {
    unsafe _ = library.table.libusb_release_interface(handle, 0)
    unsafe library.table.libusb_close(handle)
  }

  private func fault(_ status: Int32, _ what: String) -> Diagnostic {
    Diagnostic(
      "MTR030",
      "\(what) failed",
      remedy: "unplug the device and plug it in again",
      cause: library.words(status)
    )
  }

  func send(request: UInt8, value: UInt16, index: UInt16, data: [UInt8]) throws {
    var bytes = data
    let count = UInt16(clamping: bytes.count)
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe library.table.libusb_control_transfer(
        handle,
        0x40,
        request,
        value,
        index,
        $0.baseAddress,
        count,
        patience
      )
    }
    guard status >= 0 else { throw fault(status, "a request to the device") }
  }

  func receive(request: UInt8, value: UInt16, index: UInt16, length: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe library.table.libusb_control_transfer(
        handle,
        0xC0,
        request,
        value,
        index,
        $0.baseAddress,
        UInt16(clamping: length),
        patience
      )
    }
    guard status >= 0 else { throw fault(status, "a question to the device") }
    return Array(bytes.prefix(Int(status)))
  }

  func read(endpoint: UInt8, limit: Int, milliseconds: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    var moved: Int32 = 0
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe library.table.libusb_bulk_transfer(
        handle,
        endpoint,
        $0.baseAddress,
        Int32(clamping: limit),
        &moved,
        UInt32(clamping: max(milliseconds, 1))
      )
    }
    guard status == 0 || status == Int32(CUSB_ERROR_TIMEOUT) else {
      throw fault(status, "reading from the device")
    }
    return Array(bytes.prefix(Int(max(moved, 0))))
  }
}
