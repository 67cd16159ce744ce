import AssayBase

/// A machine on which models can be measured, and how it is reached.
///
/// Every action has a time limit; a device that is silent longer is lost (DEV011). Faults of the way
/// there are `Diagnostic`s DEV010 (lost) or DEV011 (silent): `DeviceLadder` then tries to bring the
/// device back. Calls may come from several threads.
public protocol Device: AnyObject, Sendable {
  /// Where it is.
  var address: DeviceAddress { get }
  /// How it is reached now, for records: `local`, `ssh`, `usb`, `tcp`, `program`.
  var transport: String { get }
  /// What it is, asked anew.
  ///
  /// - Throws: `Diagnostic` DEV010 or DEV011 when it cannot be asked.
  func probe() throws -> DeviceFacts
  /// Forgets the connection and makes it again: the lowest rung of the ladder.
  func reconnect() throws
  /// Lets the device be found anew where its driver can (a rung of its own); throws DEV015 elsewhere.
  func enumerateAgain() throws
  /// Ends everything that belongs to the connection on this side.
  func close()
}

extension Device {
  /// There is nothing that could be found anew.
  public func enumerateAgain() throws {
    throw Diagnostic("DEV015", "\(address.scheme) devices cannot be enumerated again")
  }
}

/// A device with a POSIX shell and files: what runners, bundles and data are brought to.
public protocol ShellDevice: Device {
  /// A folder of the device in which anybody may make folders, and from which programs may be run.
  var scratchRoot: String { get }
  /// Runs a script by the device's `sh`; the script sees no input.
  ///
  /// - Parameter seconds: how long it may take.
  /// - Returns: what it printed and how it ended; a status other than 0 is no fault of the way.
  /// - Throws: `Diagnostic` DEV010 (lost) or DEV011 (silent).
  func run(_ script: String, seconds: Double) throws -> CommandResult
  /// Starts a script whose input and output stay open: a runner.
  func open(_ script: String) throws -> any DeviceStream
  /// Copies a file of this machine to a path of the device, whose folder is there.
  ///
  /// - Parameters:
  ///   - isExecutable: whether it may be run there.
  ///   - seconds: how long it may take; `nil` for what its size asks for.
  /// - Throws: `Diagnostic` DEV010, DEV011, or DEV012 when the device does not take it.
  func push(_ file: String, to path: String, isExecutable: Bool, seconds: Double?) throws
  /// Copies a file of the device to a path of this machine.
  ///
  /// - Throws: `Diagnostic` DEV010, DEV011, or DEV012 when there is no such file.
  func pull(_ path: String, to file: String, seconds: Double?) throws
}

extension ShellDevice {
  /// Asks the device's system by a script.
  public func probe() throws -> DeviceFacts {
    let result = try run(DeviceFacts.script(root: scratchRoot), seconds: 30)
    var facts = DeviceFacts(transcript: result.output)
    facts.transport = transport
    return facts
  }
}

/// What a command gave.
public struct CommandResult: Sendable, Equatable {
  /// Its exit status; 128 and the signal's number when a signal ended it.
  public var status: Int32
  /// What it printed, as text.
  public var output: String
  /// What it printed of errors.
  public var errors: String

  /// Makes a result.
  public init(status: Int32, output: String = "", errors: String = "") {
    self.status = status
    self.output = output
    self.errors = errors
  }
}

/// A command on a device whose streams are open.
public protocol DeviceStream: AnyObject {
  /// Writes a line to its input.
  ///
  /// - Returns: whether all of it was taken; `false` when nobody reads.
  func write(_ line: String) -> Bool
  /// The next line that it prints; blocks until there is one, it ends or the deadline (monotonic
  /// nanoseconds) passes.
  func readLine(until deadline: UInt64?) -> DeviceLine
  /// The end of what it printed of errors so far.
  func errorTail() -> String
  /// Closes its input, and waits for its end.
  ///
  /// - Returns: its exit status; `nil` when it had to be killed after `seconds`, or the way to it broke.
  @discardableResult
  func end(seconds: Double) -> Int32?
  /// Ends this side at once.
  func kill()
}

/// What reading a line brought.
public enum DeviceLine: Sendable, Equatable {
  /// A line without its end.
  case line(String)
  /// The command, or the way to it, ended.
  case end
  /// The deadline came first.
  case timeout
  /// A line longer than the limit.
  case tooLong
}

/// A kind of device: finds those that are there and opens them.
public protocol DeviceDriver: Sendable {
  /// The word in front of addresses, such as `ssh`.
  var scheme: String { get }
  /// What it reaches, in a few words.
  var summary: String { get }
  /// Whether such devices can be driven from this machine.
  func probe() -> Availability
  /// The devices that can be seen without asking them anything that takes long.
  func list(_ book: DeviceBook) -> [DeviceListing]
  /// Opens a device; nothing is sent to it before it is first asked something.
  func open(_ address: DeviceAddress, _ settings: DeviceSettings) throws -> any Device
}

/// A device that a driver sees.
public struct DeviceListing: Sendable, Equatable {
  /// Where it is.
  public var address: DeviceAddress
  /// The name in the configuration file; `nil` when it is in none.
  public var name: String?
  /// What the driver knows without asking it, such as its model.
  public var note: String
  /// Whether its driver has seen it; what nobody asked is not known to work.
  public var isSeen: Bool
  /// Why it cannot be used, and what to do; `nil` when it seems usable.
  public var obstacle: Diagnostic?

  /// Makes a listing.
  public init(
    address: DeviceAddress,
    name: String? = nil,
    note: String = "",
    isSeen: Bool = true,
    obstacle: Diagnostic? = nil
  ) {
    self.address = address
    self.name = name
    self.note = note
    self.isSeen = isSeen
    self.obstacle = obstacle
  }
}
