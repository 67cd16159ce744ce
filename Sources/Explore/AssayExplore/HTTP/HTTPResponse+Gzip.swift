import AssayBase
import AssayCodec
import Synchronization

extension HTTPResponse {
  /// Shorter bodies gain nothing.
  private static let leastDeflated = 1400
  private static let deflatedPages = Mutex<[String: [UInt8]]>([:])

  /// The answer with a body that takes fewer bytes on the way, where it is text of some length.
  func deflated() -> HTTPResponse {
    let isText = ["text/", "application/json", "application/x-", "image/svg"].contains {
      type.hasPrefix($0)
    }
    guard isText, status == 200 else { return self }
    switch body {
    case .bytes(let bytes):
      guard bytes.count >= Self.leastDeflated,
        let small = try? Zlib.deflate([ByteView(bytes)], wrapping: .gzip, level: 1)
      else { return self }
      return with(small.array)
    case .page(let page):
      // Pages never change: each is deflated once.
      if let known = Self.deflatedPages.withLock({ $0[page.name] }) { return with(known) }
      guard page.count >= Self.leastDeflated,
        let small = try? Zlib.deflate([ByteView(page.bytes)], wrapping: .gzip)
      else { return self }
      let bytes = small.array
      Self.deflatedPages.withLock { $0[page.name] = bytes }
      return with(bytes)
    case .view, .events: return self
    }
  }

  private func with(_ bytes: [UInt8]) -> HTTPResponse {
    var copy = self
    copy.body = .bytes(bytes)
    copy.headers += [
      (name: "Content-Encoding", value: "gzip"), (name: "Vary", value: "Accept-Encoding"),
    ]
    return copy
  }
}
