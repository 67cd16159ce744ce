import AssayBase
import AssayHost
import Synchronization
import Testing

@Suite("Host") struct HostTests {
  @Test func clockMovesForward() {
    let start = Host.monotonicNanoseconds()
    Host.sleep(nanoseconds: 2_000_000)
    #expect(Host.monotonicNanoseconds() - start >= 2_000_000)
    #expect(Host.wallNanoseconds() > 1_700_000_000_000_000_000)
  }

  @Test func machineIsDescribed() {
    let machine = MachineInfo.current()
    #expect(machine.processorCount >= 1)
    #expect(!machine.kernel.isEmpty && !machine.architecture.isEmpty && !machine.system.isEmpty)
    #expect(machine.json["kernel"]?.string == machine.kernel)
  }

  #if os(Linux)
  @Test func memoryIsTold() throws {
    let peak = try #require(Host.peakMemory())
    let resident = try #require(Host.residentMemory())
    #expect(peak >= resident / 2 && resident > 1 << 20)
    #expect(try #require(Host.availableMemory()) > 1 << 20)
  }

  @Test func ownThreadIsBoundAndReturns() throws {
    let allowed = Host.allowedProcessors()
    let first = try #require(allowed.first)
    let inside = try Host.onOwnThread(ThreadOptions(processors: [first])) {
      Host.allowedProcessors()
    }
    #expect(inside == [first])
    #expect(Host.allowedProcessors() == allowed)
  }

  @Test func refusedWishesAreTold() throws {
    var refusals: [String] = []
    let value = try Host.onOwnThread(
      ThreadOptions(processors: [100_000]),
      refused: { refusals.append($0) }
    ) { 7 }
    #expect(value == 7)
    #expect(refusals.count == 1)
  }
  #endif

  @Test func errorsLeaveTheThread() {
    #expect(throws: Diagnostic("HST999", "no")) {
      try Host.onOwnThread { throw Diagnostic("HST999", "no") }
    }
  }
}

@Suite("Files") struct FileTests {
  @Test func foldersAreMadeListedAndRemoved() throws {
    let base = try Host.makeTemporaryFolder()
    let deep = Host.join(base, "a/b/c")
    try Host.makeFolders(deep)
    try Host.makeFolders(deep)
    try AtomicFile.write("hello", to: Host.join(deep, "x.txt"))
    #expect(try Host.list(deep) == ["x.txt"])
    #expect(Host.kind(of: deep) == .folder)
    #expect(Host.byteCount(of: deep + "/x.txt") == 5)
    #expect(Host.smallText(deep + "/x.txt") == "hello")
    try Host.remove(base)
    #expect(!Host.exists(base))
    #expect(throws: Diagnostic.self) { try Host.list(base) }
  }

  @Test func aFileInTheWayIsTold() throws {
    let base = try Host.makeTemporaryFolder()
    defer { try? Host.remove(base) }
    try AtomicFile.write("", to: base + "/file")
    #expect(throws: Diagnostic.self) { try Host.makeFolders(base + "/file/below") }
  }

  @Test func pathsAreTakenApart() {
    #expect(Host.folder(of: "a/b") == "a" && Host.folder(of: "/b") == "/")
    #expect(Host.folder(of: "b") == "." && Host.name(of: "a/b.txt") == "b.txt")
    #expect(Host.join("a/", "b") == "a/b" && Host.join("a", "/b") == "/b")
  }
}

@Suite("Shared libraries") struct SharedLibraryTests {
  @Test func missingLibraryGivesTheLoadersWords() {
    #expect {
      _ = try SharedLibrary(path: "/nowhere/libnothing.so")
    } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.code == "HST020" && diagnostic?.cause?.contains("libnothing") == true
    }
  }

  #if os(Linux)
  @Test func tableIsFilledAndMissingNamesAreTold() throws {
    let library = try SharedLibrary(path: "libm.so.6")
    var table: (UInt, UInt) = (1, 1)
    let missing = unsafe "cos\0notThere\0\0".withCString { unsafe library.fill(&table, names: $0) }
    #expect(missing == ["notThere"])
    #expect(table.0 != 0 && table.1 == 0)
    #expect(unsafe library.symbol("sin") != nil)
  }
  #endif
}

@Suite("Child processes") struct ChildProcessTests {
  @Test func exitStatusAndSignalAreTold() throws {
    let three = try ChildProcess("/bin/sh", ["-c", "exit 3"])
    #expect(three.wait() == .exited(3))
    let fault = try ChildProcess("/bin/sh", ["-c", "kill -SEGV $$"])
    #expect(fault.wait().text == "SIGSEGV")
  }

  @Test func hangIsKilledAtTheDeadline() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "sleep 60"])
    #expect(child.wait(until: Host.monotonicNanoseconds() + 20_000_000) == nil)
    #expect(child.kill() == .signaled(9))
  }

  @Test func missingExecutableIsTold() {
    #expect(throws: Diagnostic.self) { _ = try ChildProcess("/nowhere/nothing", []) }
  }

  @Test func linesPassThroughGivenDescriptors() throws {
    let toChild = try Pipe()
    let fromChild = try Pipe()
    let noise = try Pipe()
    let child = try ChildProcess(
      "/bin/sh",
      ["-c", "while read line <&3; do echo \"$X $line\" >&4; echo noise >&2; done"],
      environment: ["X": "got"],
      descriptors: [3: toChild.readEnd, 4: fromChild.writeEnd, 2: noise.writeEnd]
    )
    toChild.closeRead()
    fromChild.closeWrite()
    noise.closeWrite()
    let channel = LineChannel(
      input: fromChild.readEnd,
      output: toChild.writeEnd,
      side: noise.readEnd
    )
    let deadline = Host.monotonicNanoseconds() + 20_000_000_000
    for word in ["one", "two"] {
      #expect(channel.write(word))
      #expect(channel.read(until: deadline) == .line("got \(word)"))
    }
    #expect(channel.read(until: Host.monotonicNanoseconds() + 10_000_000) == .timeout)
    toChild.closeWrite()
    #expect(channel.read(until: deadline) == .end)
    #expect(child.wait() == .exited(0))
    #expect(channel.sideTail() == "noise\nnoise\n")
  }

  /// Threads that write programs and run them: the start of one holds the files that others have just
  /// written, which could not be executed then.
  @Test func aProgramThatWasJustWrittenCanBeRun() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let faults = Mutex<[String]>([])
    Host.forEach(below: 400, threads: 8) { index in
      do {
        let path = Host.join(folder, "\(index)")
        try AtomicFile.write("#!/bin/sh\nexit 7\n", to: path)
        try Host.makeProgram(path)
        let end = try ChildProcess(path, []).wait()
        if end != .exited(7) { faults.withLock { $0.append(end.text) } }
      } catch {
        faults.withLock { $0.append("\(error)") }
      }
    }
    #expect(faults.withLock { $0 } == [])
  }
}
