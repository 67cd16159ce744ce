import AssayBase
import AssayHost
import AssayMachine
import Testing

@testable import AssayCommand

@Suite("Settings of studies") struct StudySettingTests {
  @Test("thread counts double up to the machine's own")
  func counts() {
    #expect(powersOfTwo(upTo: 1) == [1, 2])
    #expect(powersOfTwo(upTo: 2) == [1, 2])
    #expect(powersOfTwo(upTo: 6) == [1, 2, 4, 6])
    #expect(powersOfTwo(upTo: 16) == [1, 2, 4, 8, 16])
    #expect(unique([4, 1, 4, 2, 1]) == [4, 1, 2])
  }

  /// Processors by number: the processors of its core and its strength.
  private func conditions(_ processors: [(core: String, capacity: Int?)]) throws -> Conditions {
    let root = try Host.makeTemporaryFolder("assay-study")
    defer { try? Host.remove(root) }
    for (number, processor) in processors.enumerated() {
      let folder = root + "/sys/devices/system/cpu/cpu\(number)"
      try Host.makeFolders(folder + "/topology")
      try AtomicFile.write(processor.core, to: folder + "/topology/thread_siblings_list")
      if let capacity = processor.capacity {
        try AtomicFile.write("\(capacity)", to: folder + "/cpu_capacity")
      }
    }
    return Conditions(SystemFiles(root: root), processors: Array(processors.indices))
  }

  @Test("sets of processors follow from the machine: cores, threads of a core, kinds of cores")
  func sets() throws {
    let plain = try conditions([("0", nil), ("1", nil)])
    #expect(affinitySets(plain, 1).map(\.processors) == [[0], [1]])
    #expect(affinitySets(plain, 2).map(\.processors) == [[0, 1]])
    let paired = try conditions([("0,2", nil), ("1,3", nil), ("0,2", nil), ("1,3", nil)])
    #expect(affinitySets(paired, 2).map(\.processors) == [[0, 1], [0, 2]])
    #expect(affinitySets(paired, 2).map(\.label) == ["on 0-1", "one core 0,2"])
    let mixed = try conditions([("0", 400), ("1", 400), ("2", 1024), ("3", 1024)])
    #expect(affinitySets(mixed, 2).map(\.processors) == [[0, 1], [2, 3]])
    #expect(affinitySets(mixed, 1).map(\.processors) == [[0], [3], [0, 1], [2, 3]])
  }
}
