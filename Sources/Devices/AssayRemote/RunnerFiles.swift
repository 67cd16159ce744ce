import AssayBase
import AssayDevice
import AssayHost

/// How files come to a runner and back.
protocol RunnerFiles: AnyObject {
  /// Brings a file there and tells its path there.
  func give(_ file: String, suffix: String) throws -> String
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

  func newPath(_ name: String) -> String { Host.join(folder, name) }

  func fetch(_ path: String, to file: String) throws {
    try AtomicFile.write([try MappedFile(path: path).view], to: file, isSynced: false)
  }

  func remove(_ path: String) throws {
    // What it was given is the user's and stays.
    if path.hasPrefix(folder) { try Host.remove(path) }
  }
}
