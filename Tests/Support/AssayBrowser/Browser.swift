import AssayBase
import AssayHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A headless Chromium, driven over the DevTools protocol on two pipes.
public final class Browser {
  /// Where Chromium is; `nil` when it is not installed.
  public static let path: String? = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
    .first { Host.exists($0) }

  private let process: ChildProcess
  private let requests: Pipe
  private let answers: Pipe
  private let profile: String
  private var session: String?
  private var number = 0
  private var waiting: [UInt8] = []
  /// What the page said of faults: exceptions, refused resources.
  public private(set) var faults: [String] = []

  /// Starts it with an empty page.
  ///
  /// - Parameter isPhone: a touch screen in the place of a desktop's.
  public init(width: Int, height: Int, isPhone: Bool = false, isDark: Bool = false) throws {
    Host.ignoreBrokenPipes()
    requests = try Pipe()
    answers = try Pipe()
    profile = try Host.makeTemporaryFolder("assay-browser")
    process = try ChildProcess(
      Self.path ?? "chromium",
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage",
        "--remote-debugging-pipe", "--user-data-dir=\(profile)", "about:blank",
      ],
      environment: ["HOME": profile],
      descriptors: [3: requests.readEnd, 4: answers.writeEnd]
    )
    requests.closeRead()
    answers.closeWrite()
    let target = try call("Target.createTarget", .object(["url": "about:blank"]))["targetId"]
    session = try call(
      "Target.attachToTarget",
      .object(["targetId": target ?? .null, "flatten": true])
    )["sessionId"]?.string
    for domain in ["Page", "Runtime", "Log"] { _ = try call("\(domain).enable") }
    _ = try call(
      "Emulation.setDeviceMetricsOverride",
      .object([
        "width": JSON(width), "height": JSON(height), "deviceScaleFactor": 1,
        "mobile": .bool(isPhone),
      ])
    )
    if isDark {
      let dark = JSON.object(["name": "prefers-color-scheme", "value": "dark"])
      _ = try call("Emulation.setEmulatedMedia", .object(["features": .array([dark])]))
    }
  }

  deinit {
    _ = process.kill()
    try? Host.remove(profile)
  }

  /// One command of the protocol, and its answer.
  @discardableResult
  public func call(_ method: String, _ parameters: JSON = .emptyObject) throws -> JSON {
    number += 1
    var message = JSON.object([
      "id": JSON(number), "method": .string(method), "params": parameters,
    ])
    if let session { message["sessionId"] = .string(session) }
    try send(message.text())
    let deadline = Host.monotonicNanoseconds() + 60_000_000_000
    while let answer = try receive(until: deadline) {
      if answer["id"]?.int == number {
        if let error = answer["error"] { throw BrowserFault(words: error.text()) }
        return answer["result"] ?? .emptyObject
      }
      note(answer)
    }
    throw BrowserFault(words: "no answer to \(method)")
  }

  private func note(_ event: JSON) {
    let isFault =
      event["method"] == "Runtime.exceptionThrown"
      || (event["method"] == "Log.entryAdded" && event["params"]?["entry"]?["level"] == "error")
    if isFault { faults.append(event["params"]?.text() ?? "") }
  }

  private func send(_ text: String) throws {
    let bytes = Array(text.utf8) + [0]
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes[offset...].withUnsafeBytes {
        unsafe write(requests.writeEnd, $0.baseAddress, $0.count)
      }
      guard count > 0 else { throw BrowserFault(words: "the browser has ended") }
      offset += count
    }
  }

  private func receive(until deadline: UInt64) throws -> JSON? {
    while true {
      if let end = waiting.firstIndex(of: 0) {
        let message = try JSON(parsing: waiting[..<end])
        waiting.removeSubrange(...end)
        return message
      }
      let now = Host.monotonicNanoseconds()
      guard now < deadline else { return nil }
      var descriptor = pollfd(fd: answers.readEnd, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&descriptor, 1, Int32((deadline - now) / 1_000_000) + 1) > 0 else {
        continue
      }
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      let count = unsafe read(answers.readEnd, &chunk, chunk.count)
      guard count > 0 else { throw BrowserFault(words: "the browser has ended") }
      waiting += chunk[..<count]
    }
  }

  // MARK: Words of tests

  /// Goes to an address.
  public func open(_ url: String) throws {
    try call("Page.navigate", .object(["url": .string(url)]))
  }

  /// What an expression gives; a promise is waited for.
  @discardableResult
  public func value(_ expression: String) throws -> JSON {
    let answer = try call(
      "Runtime.evaluate",
      .object([
        "expression": .string(expression), "awaitPromise": true, "returnByValue": true,
        "userGesture": true,
      ])
    )
    if let fault = answer["exceptionDetails"] { throw BrowserFault(words: fault.text()) }
    return answer["result"]?["value"] ?? .null
  }

  /// Waits until an expression is true (or a text that is not empty), and gives its value.
  @discardableResult
  public func wait(for expression: String, seconds: Double = 30) throws -> JSON {
    let deadline = Host.monotonicNanoseconds() + UInt64(seconds * 1e9)
    var last = ""
    while Host.monotonicNanoseconds() < deadline {
      do {
        let found = try value(expression)
        if found.bool == true || !(found.string ?? "").isEmpty { return found }
        last = found.text()
      } catch let fault as BrowserFault {
        // The page may be on its way.
        last = fault.words
      }
      Host.sleep(nanoseconds: 40_000_000)
    }
    throw BrowserFault(words: "never: \(expression), at last \(last); faults: \(faults)")
  }

  /// Clicks on what a selector finds.
  public func click(_ selector: String) throws {
    try value("document.querySelector(\(JSON.string(selector).text())).click()")
  }

  /// Gives a control a value, as a user's choice would.
  public func choose(_ selector: String, _ text: String) throws {
    let place = JSON.string(selector).text()
    try value(
      "(() => { const it = document.querySelector(\(place)); it.value = "
        + "\(JSON.string(text).text()); it.dispatchEvent(new Event('change', { bubbles: true })) })()"
    )
  }

  /// Lets what is downloaded go to a folder.
  public func allowDownloads(to folder: String) throws {
    try call(
      "Browser.setDownloadBehavior",
      .object(["behavior": "allow", "downloadPath": .string(folder)])
    )
  }

  /// The whole page as a PNG, in base 64.
  public func screenshot() throws -> String {
    try call("Page.captureScreenshot", .object(["format": "png"]))["data"]?.string ?? ""
  }
}

/// What went wrong in a browser.
public struct BrowserFault: Error, CustomStringConvertible {
  /// Its own words.
  public var words: String
  /// The words.
  public var description: String { words }
}
