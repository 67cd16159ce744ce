import AssayBase
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite struct ByteViewTests {
  private let view = ByteView([1, 2, 3, 4, 5, 6, 7, 8])

  @Test func loadsAreLittleEndianAndUnaligned() throws {
    #expect(try view.load(UInt32.self, at: 1) == 0x0504_0302)
    #expect(try view.load(UInt64.self, at: 0) == 0x0807_0605_0403_0201)
    #expect(try view.slice(3, 4).load(UInt16.self, at: 2) == 0x0706)
  }

  @Test func everyAccessOutsideThrows() throws {
    for offset in [-1, 5, 8, 9, Int.max, Int.min] {
      #expect(throws: ByteView.OutOfBounds.self) { try view.load(UInt32.self, at: offset) }
    }
    for (offset, length) in [(0, 9), (8, 1), (-1, 2), (4, -1), (Int.max, 1), (1, Int.max)] {
      #expect(throws: ByteView.OutOfBounds.self) { try view.slice(offset, length) }
    }
    #expect(throws: ByteView.OutOfBounds.self) { try view.dropFirst(9) }
    // Bytes of the owner beyond a slice are outside of it.
    let slice = try view.slice(2, 3)
    #expect(throws: ByteView.OutOfBounds.self) { try slice.load(UInt8.self, at: 3) }
    #expect(try view.dropFirst(8).count == 0)
  }

  @Test func viewsCompareByTheirBytes() throws {
    #expect(try view.slice(1, 2).hasSameBytes(as: ByteView([2, 3])))
    #expect(!view.hasSameBytes(as: ByteView([1])))
    #expect(view.starts(with: [1, 2]))
    #expect(!view.starts(with: [2]))
    #expect(view.array == [1, 2, 3, 4, 5, 6, 7, 8])
  }

  @Test func textMustBeUTF8() {
    #expect(ByteView(Array("grün".utf8)).utf8 == "grün")
    #expect(ByteView([0xC3]).utf8 == nil)
  }

  @Test func memoryIsZeroed() {
    let three = unsafe ByteView(byteCount: 3) { _ in }
    let none = unsafe ByteView(byteCount: 0) { _ in }
    #expect(three.array == [0, 0, 0])
    #expect(none.array.isEmpty)
  }
}

@Suite struct FileTests {
  /// Calls `body` with a new empty folder, which is removed afterwards.
  private func inFolder(_ body: (String) throws -> Void) throws {
    var template = Array((TestData.package + "/.build/assay-test-XXXXXX").utf8CString)
    guard let made = unsafe mkdtemp(&template) else {
      Issue.record("no temporary folder")
      return
    }
    let path = unsafe String(cString: made)
    defer {
      for name in ["file", "empty"] { _ = unsafe unlink(path + "/" + name) }
      unsafe rmdir(path)
    }
    try body(path)
  }

  @Test func whatIsWrittenIsMapped() throws {
    try inFolder { folder in
      let path = folder + "/file"
      try AtomicFile.write([ByteView([1, 2]), ByteView([]), ByteView([3])], to: path)
      #expect(try MappedFile(path: path).view.array == [1, 2, 3])
      let old = try MappedFile(path: path)
      try AtomicFile.write("new", to: path)
      #expect(try MappedFile(path: path).view.utf8 == "new")
      // A reader of the old file keeps it.
      #expect(old.view.array == [1, 2, 3])
    }
  }

  @Test func devicesAreWrittenIntoAndLinksKept() throws {
    try inFolder { folder in
      let (link, file) = (folder + "/empty", folder + "/file")
      // A link to the null device stands for it: nothing may be renamed over the device itself.
      unsafe symlink("/dev/null", link)
      try AtomicFile.write("gone", to: link)
      var status = stat()
      #expect(unsafe stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
      #expect(unsafe lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
      unsafe unlink(link)
      try AtomicFile.write("old", to: file)
      unsafe symlink(file, link)
      try AtomicFile.write("new", to: link)
      #expect(unsafe lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
      #expect(try MappedFile(path: file).view.utf8 == "new")
    }
  }

  @Test func emptyFilesAreMapped() throws {
    try inFolder { folder in
      try AtomicFile.write("", to: folder + "/empty")
      #expect(try MappedFile(path: folder + "/empty").view.count == 0)
    }
  }

  @Test func failuresAreDiagnosticsAndLeaveNothing() throws {
    try inFolder { folder in
      let missing = #expect(throws: Diagnostic.self) { try MappedFile(path: folder + "/none") }
      #expect(missing?.code == "FIL001")
      let noFile = #expect(throws: Diagnostic.self) { try MappedFile(path: folder) }
      #expect(noFile?.code == "FIL002")
      let noFolder = #expect(throws: Diagnostic.self) {
        try AtomicFile.write("x", to: folder + "/none/file")
      }
      #expect(noFolder?.code == "FIL003")
      // A folder stands where the file should: the rename fails, the partial file goes.
      unsafe mkdir(folder + "/taken", 0o755)
      #expect(throws: Diagnostic.self) { try AtomicFile.write("x", to: folder + "/taken") }
      unsafe rmdir(folder + "/taken")
      #expect(unsafe rmdir(folder) == 0, "a partial file was left")
      unsafe mkdir(folder, 0o755)
    }
  }
}
