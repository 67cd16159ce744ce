import AssayBase
import AssayDevice
import AssayHost

/// How files come to a runner and back.
protocol RunnerFiles: AnyObject {
  /// Brings a file there and tells its path there.
  func give(_ file: String, suffix: String) throws -> String
  /// Lets a file that was brought be found beside another one that was, by the name that the other knows.
  func join(_ path: String, to other: String, as name: String) throws
  /// A path there that the runner may write.
  func newPath(_ name: String) -> String
  /// Copies a file that the runner wrote to this machine.
  func fetch(_ path: String, to file: String) throws
  /// Removes a file there.
  func remove(_ path: String) throws
}

/// Files in our folder on a device.
final class DeviceFiles: RunnerFiles {
  private let device: any ShellDevice
  private let folder: DeviceFolder
  private let journal: DeviceJournal

  init(_ device: any ShellDevice, _ folder: DeviceFolder, _ journal: DeviceJournal) {
    self.device = device
    self.folder = folder
    self.journal = journal
  }

  func give(_ file: String, suffix: String) throws -> String {
    try folder.push(file, suffix: suffix)
  }

  func join(_ path: String, to other: String, as name: String) throws {
    let link = Words.shell([path, Host.join(Host.folder(of: other), name)])
    let result = try journal.note("link") { try device.run("ln -sf -- \(link)", seconds: 20) }
    guard result.status == 0 else {
      throw DeviceFault.refused(device.address, "joining the files of a model", result.errors)
    }
  }

  func newPath(_ name: String) -> String { folder.newPath(name) }

  func fetch(_ path: String, to file: String) throws {
    try journal.note("pull") { try device.pull(path, to: file, seconds: nil) }
  }

  func remove(_ path: String) throws { try folder.remove(path) }
}

/// Files of this machine, for a program that runs on it.
final class LocalFiles: RunnerFiles {
  private let folder: String

  init() throws { folder = try Host.makeTemporaryFolder("assay-program") }

  deinit { try? Host.remove(folder) }

  func give(_ file: String, suffix: String) throws -> String { Host.realPath(file) ?? file }

  /// Nothing was moved: it lies there already.
  func join(_ path: String, to other: String, as name: String) {}

  func newPath(_ name: String) -> String { Host.join(folder, name) }

  func fetch(_ path: String, to file: String) throws {
    try AtomicFile.write([try MappedFile(path: path).view], to: file, isSynced: false)
  }

  func remove(_ path: String) throws {
    // What it was given is the user's and stays.
    if path.hasPrefix(folder) { try Host.remove(path) }
  }
}
