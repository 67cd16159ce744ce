import AssayBase
import AssayRuntime

/// A runtime whose sessions are workers elsewhere: on a device, or behind a program.
public struct WorkerRuntime: InferenceRuntime {
  /// The runtime's id.
  public let id: String
  /// The formats that it reads.
  public let formats: [String]
  private let patience: Double
  private let make: @Sendable () throws -> any WorkerLink

  /// A runtime over workers.
  ///
  /// - Parameters:
  ///   - patience: seconds after which a silent worker counts as hung.
  ///   - make: starts a worker.
  public init(
    id: String,
    formats: [String],
    patience: Double = 300,
    make: @escaping @Sendable () throws -> any WorkerLink
  ) {
    self.id = id
    self.formats = formats
    self.patience = patience
    self.make = make
  }

  /// What is there shows when the first worker is started.
  public func probe() -> Availability { .available(version: "elsewhere") }

  /// Starts a worker and loads the model there.
  ///
  /// - Throws: what the worker throws.
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let worker = try make()
    do {
      return try IsolatedSession(worker, id, path, options, patience)
    } catch {
      worker.end()
      throw error
    }
  }
}
