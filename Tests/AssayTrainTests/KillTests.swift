import AssayAutodiff
import AssayBase
import AssayHost
import AssayKernels
import AssayTrain
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Processes that end by SIGKILL while they train.
@Suite struct KillTests {
  private static let steps = 60

  /// The weights that an unbroken run ends with.
  private func unbroken() throws -> [[Float]] {
    let trainer = try Rings.trainer(steps: Self.steps)
    try trainer.run(try Rings.source(samples: 100, batch: 32, seed: 1))
    return trainer.model.parameters.map(\.value.array)
  }

  /// Goes on with what a killed process left, to the end.
  private func resumed(_ path: String) throws -> (first: Int?, weights: [[Float]]) {
    let trainer = try Rings.trainer(steps: Self.steps, checkpoint: path)
    let recorder = Recorder()
    var first: Int?
    recorder.afterStep = { first = first ?? $0 }
    trainer.observers = [recorder]
    try trainer.run(try Rings.source(samples: 100, batch: 32, seed: 1))
    return (first, trainer.model.parameters.map(\.value.array))
  }

  /// Killed between two states, three times over: what was done since the last state is done again.
  @Test func killedBetweenStates() async throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "run.checkpoint")
    for step in [9, 28, 44] {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, step = step as Int] in
        let trainer = try Rings.trainer(steps: 60, checkpoint: path) { $0.checkpointInterval = 7 }
        let recorder = Recorder()
        recorder.afterStep = { if $0 == step { kill(getpid(), SIGKILL) } }
        trainer.observers = [recorder]
        try trainer.run(try Rings.source(samples: 100, batch: 32, seed: 1))
      }
    }
    let (first, weights) = try resumed(path)
    #expect(first == 42)
    #expect(weights == (try unbroken()))
  }

  /// Killed at no moment in particular by a process that does little but write its state: what is found
  /// is a whole state, the last one or the one before.
  @Test(arguments: [1, 4, 11, 23])
  func killedWhileItWrites(milliseconds: Int) async throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "run.checkpoint")
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, milliseconds = milliseconds as Int] in
      let trainer = try Rings.trainer(steps: 60, checkpoint: path) { $0.checkpointInterval = 1 }
      let source = try Rings.source(samples: 100, batch: 32, seed: 1)
      let timer = Pulse(milliseconds)
      trainer.observers = [timer]
      try trainer.run(source)
      // It was quicker than the clock.
      kill(getpid(), SIGKILL)
    }
    #expect(try resumed(path).weights == (try unbroken()))
  }
}

/// Kills its process some time after the first step.
private final class Pulse: TrainingObserver {
  private let milliseconds: Int
  private var isSet = false

  init(_ milliseconds: Int) { self.milliseconds = milliseconds }

  func observe(_ event: TrainingEvent) {
    guard case .step = event, !isSet else { return }
    isSet = true
    let nanoseconds = UInt64(milliseconds) * 1_000_000
    Task.detached {
      Host.sleep(nanoseconds: nanoseconds)
      kill(getpid(), SIGKILL)
    }
  }
}
