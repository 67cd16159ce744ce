import AssayBase
import Testing

struct SHA256Tests {
  @Test(
    "the vectors of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ]
  )
  func vectors(text: String, digest: String) { #expect(sha256(text) == digest) }

  @Test("pieces hash as the whole does, wherever they are cut")
  func pieces() throws {
    let bytes = ByteView((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let whole = sha256(bytes)
    for cut in [0, 1, 55, 63, 64, 65, 500, 999, 1000] {
      #expect(sha256([try bytes.slice(0, cut), try bytes.dropFirst(cut)]) == whole)
    }
  }
}
