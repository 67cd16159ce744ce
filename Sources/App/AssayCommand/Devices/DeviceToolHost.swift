import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost
import AssayJobs
import Synchronization
import VendorTools

/// A device with a shell, as a place where a vendor's tool runs.
///
/// Networks and what a tool makes of them are kept below `~/.cache/assay` there, since building an engine
/// again can take an hour.
struct DeviceToolHost: ToolHost {
  private let device: any ShellDevice
  private let home: String
  /// Says that the device is still used; called before each step.
  private let renew: @Sendable () -> Void

  var name: String { device.address.description }

  /// A device that tools can run on.
  ///
  /// - Throws: `Diagnostic` VND024 when it has no shell, DEV… when it cannot be reached.
  init(_ device: any Device, renew: @escaping @Sendable () -> Void = {}) throws {
    self.renew = renew
    guard let device = device as? any ShellDevice else {
      throw Diagnostic(
        "VND024",
        "a tool needs a device with a shell",
        at: [device.address.description],
        remedy: "name an ssh: or adb: device"
      )
    }
    self.device = device
    let told = try device.run("echo \"${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}\"", seconds: 20)
    home = Host.join(String(told.output.trimmed), "assay")
  }

  func find(_ program: String) throws -> String? {
    let word = Words.shell([program])
    let found = try device.run(
      "command -v \(word) || { test -s \(word) && echo \(word); }",
      seconds: 20
    )
    let path = String(found.output.trimmed)
    return found.status == 0 && !path.isEmpty ? path : nil
  }

  func run(
    _ command: [String],
    environment: [String: String],
    seconds: Double
  ) throws -> ToolOutput {
    let renewing = try renewed()
    defer { renewing() }
    let variables = environment.sorted { $0.key < $1.key }.map {
      "\($0.key)=\(Words.shell([$0.value])) "
    }
    do {
      let result = try device.run(
        variables.joined() + Words.shell(command) + " 2>&1",
        seconds: seconds
      )
      return ToolOutput(text: result.output + result.errors, end: .exited(result.status))
    } catch let fault as Diagnostic where fault.code == "DEV011" {
      return ToolOutput(text: fault.cause ?? "", end: nil)
    }
  }

  /// Keeps the right to use the device while a tool runs: building an engine can take an hour.
  ///
  /// - Returns: ends that.
  private func renewed() throws -> () -> Void {
    renew()
    let end = End()
    let thread = try OwnThread { [renew] _ in
      while !end.hasCome.load(ordering: .relaxed) {
        Host.sleep(nanoseconds: 50_000_000)
        renew()
      }
    }
    return {
      end.hasCome.store(true, ordering: .relaxed)
      thread.join()
    }
  }

  /// Whether a tool has ended.
  private final class End: Sendable {
    let hasCome = Atomic(false)
  }

  func put(_ path: String) throws -> String {
    let hash = sha256(try MappedFile(path: path).view)
    let folder = try cacheFolder("networks")
    let place = Host.join(folder, "\(hash.prefix(16))-\(Host.name(of: path))")
    if try find(place) == nil {
      try device.push(path, to: place + ".partial", isExecutable: false, seconds: nil)
      _ = try device.run("mv \(Words.shell([place + ".partial", place]))", seconds: 60)
    }
    return place
  }

  func get(_ path: String) throws -> [UInt8]? {
    guard try find(path) != nil else { return nil }
    let scratch = try Scratch()
    defer { scratch.remove() }
    let file = Host.join(scratch.path, "pulled")
    try device.pull(path, to: file, seconds: nil)
    return try MappedFile(path: file).view.array
  }

  func cacheFolder(_ name: String) throws -> String {
    let folder = Host.join(home, name)
    let made = try device.run("umask 077; mkdir -p \(Words.shell([folder]))", seconds: 20)
    guard made.status == 0 else {
      throw Diagnostic(
        "VND024",
        "no folder can be made on the device",
        at: [self.name, folder],
        cause: made.errors
      )
    }
    return folder
  }
}

extension DeviceToolHost {
  /// Where `--device` says that tools run: this machine unless it names another.
  ///
  /// - Returns: the place, and the right to use it alone; whoever asked gives that back.
  static func chosen(
    _ arguments: Arguments,
    _ console: Console
  ) throws -> (host: any ToolHost, lease: DeviceLease?) {
    guard let word = arguments.value("--device"), word != "local" else {
      return (LocalToolHost(), nil)
    }
    let device = try Catalog.device(word, DeviceBook.read()).device
    let lease = try deviceLease(device.address, storeURL(arguments), console)
    do {
      return (try DeviceToolHost(device, renew: { lease.renew() }), lease)
    } catch {
      lease.release()
      throw error
    }
  }
}
