import AssayBase
import AssayHost
import CProbe

/// A control group of its own for one process, which tells the most memory that it was charged with.
///
/// A process is charged from the moment that it joins: pages that it touched before stay with the
/// group that it came from. It needs a system that lets this user make groups: root, or a delegated
/// part of the tree.
public final class MemoryGroup {
  private let folder: String
  private let peakFile: String

  /// Makes a group below those that this process lies in, the nearest where that is possible.
  ///
  /// - Throws: `Diagnostic` PRE150 with what must be allowed.
  public init(_ name: String, _ files: SystemFiles = SystemFiles()) throws {
    let membership = files.text("/proc/self/cgroup") ?? ""
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isUnified = fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains("memory") else { continue }
      let trees =
        isUnified ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] : ["/sys/fs/cgroup/memory"]
      let peak = isUnified ? "memory.peak" : "memory.max_usage_in_bytes"
      var parts = fields[2].split(separator: "/").filter { $0 != ".." }
      while true {
        for tree in trees {
          let parent = files.root + ([Substring(tree)] + parts).joined(separator: "/")
          // A folder that is no group would only be made, and lie there.
          guard Host.exists(Host.join(parent, "cgroup.procs")) else { continue }
          let made = Host.join(parent, name)
          guard (try? Host.makeFolders(made)) != nil else { continue }
          if Host.exists(Host.join(made, peak)) {
            folder = made
            peakFile = Host.join(made, peak)
            return
          }
          MemoryGroup.remove(made)
        }
        if parts.isEmpty { break }
        parts.removeLast()
      }
    }
    throw Diagnostic(
      "PRE150",
      "no control group of memory can be made for a worker",
      remedy:
        "run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes assay …"
    )
  }

  /// Puts a process into the group.
  ///
  /// - Throws: `Diagnostic` FIL003 when the system refuses.
  public func add(_ process: Int32) throws {
    try Host.append(Array("\(process)\n".utf8), to: Host.join(folder, "cgroup.procs"))
  }

  /// The most bytes that the group was charged with: anonymous memory, files in the page cache that
  /// its processes were the first to read, and the kernel's own for them.
  public var peak: Int? {
    SystemFiles().int(peakFile)
  }

  /// Removes the group, which is possible when its processes have ended.
  public func remove() { MemoryGroup.remove(folder) }

  private static func remove(_ folder: String) { unsafe _ = cprobe_remove_folder(folder) }
}
