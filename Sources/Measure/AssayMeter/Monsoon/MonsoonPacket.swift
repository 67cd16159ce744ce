/// A packet of a Monsoon power monitor: up to three observations of eight 16-bit numbers.
///
/// Little-endian count of lost observations, flags, count; each observation is big-endian and ends
/// with its type.
struct MonsoonPacket: Sendable, Equatable {
  /// What an observation is.
  enum Kind: UInt8, Sendable {
    case sample = 0x00
    /// With the input open.
    case zero = 0x10
    case invalid = 0x20
    /// With the reference current.
    case reference = 0x30
  }

  /// One observation, raw.
  struct Observation: Sendable, Equatable {
    var kind: Kind
    var mainCoarse: UInt16
    var mainFine: UInt16
    var mainVoltage: UInt16
  }

  /// Observations lost since the last packet.
  var lostCount: Int
  var observations: [Observation]

  /// Reads a packet of 64 bytes; `nil` when it is cut short or says that it holds more than it can.
  init?(_ bytes: ArraySlice<UInt8>) {
    let start = bytes.startIndex
    guard bytes.count >= 4 else { return nil }
    let count = Int(bytes[start + 3])
    guard count <= 3, bytes.count >= 4 + 18 * count else { return nil }
    lostCount = Int(bytes[start]) | Int(bytes[start + 1]) << 8
    observations = (0..<count).map { index in
      let base = start + 4 + 18 * index
      func word(_ number: Int) -> UInt16 {
        UInt16(bytes[base + 2 * number]) << 8 | UInt16(bytes[base + 2 * number + 1])
      }
      return Observation(
        kind: Kind(rawValue: bytes[base + 17] & 0x30) ?? .invalid,
        mainCoarse: word(0),
        mainFine: word(1),
        mainVoltage: word(6)
      )
    }
  }
}
