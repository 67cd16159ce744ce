/// SHA-256 (FIPS 180-4) of bytes, as 64 lower-case hexadecimal digits.
public func sha256(_ bytes: ByteView) -> String {
  var hash = SHA256()
  unsafe bytes.withUnsafeBytes { unsafe hash.update($0) }
  return hash.finish()
}

/// SHA-256 (FIPS 180-4) of pieces of bytes one after the other, hexadecimal.
public func sha256(_ parts: [ByteView]) -> String {
  var hash = SHA256()
  for part in parts { unsafe part.withUnsafeBytes { unsafe hash.update($0) } }
  return hash.finish()
}

/// SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, as 64 lower-case hexadecimal digits.
public func sha256(_ text: String) -> String { sha256(ByteView(Array(text.utf8))) }

private struct SHA256 {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0
  private var schedule = [UInt32](repeating: 0, count: 64)

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += UInt64(bytes.count)
    var offset = 0
    if !pending.isEmpty {
      offset = min(64 - pending.count, bytes.count)
      unsafe pending.append(contentsOf: bytes[..<offset])
      guard pending.count == 64 else { return }
      let whole = pending
      pending.removeAll(keepingCapacity: true)
      unsafe whole.withUnsafeBytes { unsafe block($0) }
    }
    while bytes.count - offset >= 64 {
      unsafe block(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 64]))
      offset += 64
    }
    unsafe pending.append(contentsOf: bytes[offset...])
  }

  mutating func finish() -> String {
    pending.append(0x80)
    while pending.count % 64 != 56 { pending.append(0) }
    let bits = length &* 8
    for shift in stride(from: 56, through: 0, by: -8) {
      pending.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    let tail = pending
    unsafe tail.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count, by: 64) {
        unsafe block(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 64]))
      }
    }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private mutating func block(_ bytes: UnsafeRawBufferPointer) {
    for i in 0..<16 {
      schedule[i] = unsafe UInt32(
        bigEndian: bytes.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
      )
    }
    for i in 16..<64 {
      let a = schedule[i - 15]
      let b = schedule[i - 2]
      let s0 = right(a, 7) ^ right(a, 18) ^ (a >> 3)
      let s1 = right(b, 17) ^ right(b, 19) ^ (b >> 10)
      schedule[i] = schedule[i - 16] &+ s0 &+ schedule[i - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for i in 0..<64 {
      let s1 = right(e, 6) ^ right(e, 11) ^ right(e, 25)
      let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ SHA256.constants[i] &+ schedule[i]
      let s0 = right(a, 2) ^ right(a, 13) ^ right(a, 22)
      let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
  }

  private func right(_ x: UInt32, _ n: UInt32) -> UInt32 { (x >> n) | (x << (32 - n)) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { prime in
      // floor(cbrt(prime) * 2^32) by bisection in exact integer arithmetic on 128 bits.
      var low: UInt64 = 0
      var high: UInt64 = 1 << 36
      while high - low > 1 {
        let middle = (low + high) / 2
        let square = UInt128(middle) * UInt128(middle)
        // middle^3 <= prime * 2^96, compared without overflow: middle <= 2^36, square <= 2^72.
        let isBelow = square * UInt128(middle) <= UInt128(prime) << 96
        if isBelow { low = middle } else { high = middle }
      }
      return UInt32(truncatingIfNeeded: low)
    }
  }()
}
