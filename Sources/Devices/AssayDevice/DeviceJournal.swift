import AssayBase
import AssayHost
import Synchronization

/// What was done with a device, each action with an id, its time limit and how it ended.
///
/// The journal of a trial goes into its record where something went wrong.
public final class DeviceJournal: Sendable {
  /// One action.
  public struct Entry: Sendable, Equatable {
    /// Tells it from every other one: the session's word and a number.
    public var id: String
    /// What was done, such as `push`.
    public var action: String
    /// When it began, nanoseconds since 1970 (UTC).
    public var at: Int64
    /// How long it took, nanoseconds; `nil` while it goes on.
    public var nanoseconds: Int64?
    /// The code of the fault that ended it; `nil` when it went well.
    public var fault: String?
  }

  private let word: String
  private let state = Mutex<(next: Int, entries: [Entry])>((1, []))

  /// An empty journal of a session.
  public init(session word: String = DeviceJournal.makeWord()) { self.word = word }

  /// A word that no other session has.
  public static func makeWord() -> String {
    String(UInt64.random(in: 0..<(1 << 40)), radix: 32)
  }

  /// The session's word.
  public var session: String { word }

  /// The actions so far, at most the last thousand.
  public var entries: [Entry] { state.withLock { $0.entries } }

  /// Does something as an action of its own; a fault gets the action's id.
  public func note<T>(_ action: String, _ body: () throws -> T) throws -> T {
    let id = state.withLock { state in
      let id = "\(word)-\(state.next)"
      state.next &+= 1
      state.entries.append(Entry(id: id, action: action, at: Host.wallNanoseconds()))
      if state.entries.count > 1000 { state.entries.removeFirst(500) }
      return id
    }
    let start = Host.monotonicNanoseconds()
    func end(_ fault: String?) {
      let spent = Int64(clamping: Host.monotonicNanoseconds() &- start)
      state.withLock { state in
        guard let index = state.entries.lastIndex(where: { $0.id == id }) else { return }
        state.entries[index].nanoseconds = spent
        state.entries[index].fault = fault
      }
    }
    do {
      let value = try body()
      end(nil)
      return value
    } catch let error as Diagnostic {
      end(error.code)
      throw error.inside("action \(id)")
    } catch {
      end("DEV000")
      throw error
    }
  }
}
