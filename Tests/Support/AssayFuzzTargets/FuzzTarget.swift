import AssayBase

/// One parser of untrusted bytes, as the fuzzer and the replay of its corpus call it.
///
/// To add one: a row in ``all``, and a folder `Fuzz/Corpus/<name>` with a few small seeds.
public struct FuzzTarget: Sendable {
  /// Also the name of its corpus folder.
  public let name: String

  private let read: @Sendable ([UInt8]) throws -> Void

  /// A target.
  ///
  /// `read` throws whatever it likes when it refuses the bytes, and a ``Finding`` when it
  /// took them and something that must hold did not.
  public init(name: String, read: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.read = read
  }

  /// Something wrong that is not a crash, such as a value that does not survive writing.
  public struct Finding: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
  }

  /// Runs the target on one input.
  ///
  /// A trap, a hang, or memory out of all proportion to the input is
  /// a finding too, and shows as what it is.
  public func run(_ bytes: [UInt8]) throws(Finding) {
    do { try read(bytes) } catch let finding as Finding { throw finding } catch {}
  }
}
