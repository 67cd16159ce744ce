import CCrypto

/// SHA-256 (FIPS 180-4) of bytes, as 64 lower-case hexadecimal digits.
public func sha256(_ bytes: ByteView) -> String { sha256([bytes]) }

/// SHA-256 (FIPS 180-4) of pieces of bytes one after the other, hexadecimal.
public func sha256(_ parts: [ByteView]) -> String {
  var state = SHA256_CTX()
  var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
  // These cannot fail: there is nothing to allocate.
  _ = unsafe SHA256_Init(&state)
  for part in parts {
    unsafe part.withUnsafeBytes { bytes in
      // A view of nothing may have no address.
      if let start = bytes.baseAddress { _ = unsafe SHA256_Update(&state, start, bytes.count) }
    }
  }
  _ = unsafe SHA256_Final(&digest, &state)
  let digits = Array("0123456789abcdef".utf8)
  let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  return String(decoding: text, as: UTF8.self)
}

/// SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, as 64 lower-case hexadecimal digits.
public func sha256(_ text: String) -> String { sha256(ByteView(Array(text.utf8))) }
