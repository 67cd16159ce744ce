import AssayBase
import AssayHost
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension EmulatedPhone {
  /// Runs a command with the shell protocol 2; a lost connection hangs it up, as a phone's daemon does.
  func serveShell(_ command: String, _ wire: Wire) throws {
    if faults.withLock({ $0.hangs }) {
      // Until the other side has had enough.
      while !wire.isReadable(milliseconds: 100) {}
      while (try? wire.read(1)) != nil {}
      return
    }
    let input = try Pipe()
    let output = try Pipe()
    let errors = try Pipe()
    let process = try ChildProcess(
      "/usr/bin/env",
      // Whoever started the tests may have made them deaf to hanging up.
      ["--default-signal=HUP", "-C", root, "/bin/sh", "-c", translated(command)],
      environment: environment,
      descriptors: [0: input.readEnd, 1: output.writeEnd, 2: errors.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    errors.closeWrite()
    do {
      try pump(process, wire, input, output.readEnd, errors.readEnd)
    } catch {
      wire.cut()
      // The daemon signals the shell alone; what the shell has started is not its business.
      hangUp(process.id)
      input.closeWrite()
      output.closeRead()
      errors.closeRead()
      _ = process.wait(until: Host.monotonicNanoseconds() + 2_000_000_000)
      throw error
    }
  }

  private func pump(
    _ process: ChildProcess,
    _ wire: Wire,
    _ input: Pipe,
    _ output: Int32,
    _ errors: Int32
  ) throws {
    var isOpen = [output: UInt8(1), errors: UInt8(2)]
    var isListening = true
    while true {
      for (descriptor, id) in isOpen.sorted(by: { $0.value < $1.value }) {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&state, 1, 2) > 0 else { continue }
        var chunk = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
        if count > 0 {
          try wire.write([id] + Wire.word(UInt32(count)) + chunk[..<count])
        } else {
          isOpen[descriptor] = nil
        }
      }
      while isListening, wire.isReadable(milliseconds: 0) {
        let header = try wire.read(5)
        let bytes = try wire.read(Wire.value(Array(header[1...])))
        if header[0] == 0, input.writeEnd >= 0 {
          unsafe _ = Glibc.write(input.writeEnd, bytes, bytes.count)
        }
        if header[0] == 4 { input.closeWrite() }
      }
      // Children that keep the streams open do not keep the shell: its own end counts.
      if let end = process.poll(), isOpen.isEmpty || isDrained(Array(isOpen.keys)) {
        let status: Int32
        switch end {
        case .exited(let code): status = code
        case .signaled(let signal): status = 128 + signal
        }
        try wire.write([3] + Wire.word(1) + [UInt8(truncatingIfNeeded: status)])
        isListening = false
        return
      }
    }
  }

  private func isDrained(_ descriptors: [Int32]) -> Bool {
    descriptors.allSatisfy { descriptor in
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      return unsafe poll(&state, 1, 0) <= 0
    }
  }
}
