import AssayBase
import AssayDevice
import Testing

@Suite struct AddressTests {
  @Test(
    arguments: [
      ("local", DeviceAddress.local),
      ("ssh:pi@raspberrypi.local", .ssh(user: "pi", host: "raspberrypi.local", port: nil)),
      ("ssh:board:2222", .ssh(user: nil, host: "board", port: 2222)),
      ("ssh:me@[fe80::1%eth0]:22", .ssh(user: "me", host: "fe80::1%eth0", port: 22)),
      ("adb:R58M123ABC", .adb(serial: "R58M123ABC")),
      ("adb:192.168.1.7:5555", .adb(serial: "192.168.1.7:5555")),
      ("program:board-1", .program(name: "board-1")),
    ]
  )
  func anAddressIsReadAndWritten(text: String, address: DeviceAddress) throws {
    #expect(try DeviceAddress(text) == address)
    #expect(address.text == text)
  }

  /// What other programs would take for options or shells for commands never becomes an address.
  @Test(
    arguments: [
      "", "pi", "ssh:", "ssh:-oProxyCommand=id", "ssh:-l@host", "ssh:a b", "ssh:$(id)", "ssh:h:0",
      "ssh:h:65536", "ssh:h:22x", "ssh:u;id@h", "adb:", "adb:-a", "adb:x y", "adb:a;b", "program:",
      "program:../x", "http:host", "ssh:[::1", "ssh:u@",
    ]
  )
  func whatIsNoAddressIsRefused(text: String) {
    #expect(throws: Diagnostic.self) { try DeviceAddress(text) }
  }
}

@Suite struct BookTests {
  @Test func namesAndAddressesAreFound() throws {
    let book = try DeviceBook(
      text: """
        {"devices": {
          "pi": {"address": "ssh:pi@10.0.0.2", "root": "/var/tmp", "ssh": ["-F", "x"], "grace": 5,
                 "hub": {"location": "1-1.2", "port": 3}, "hook": ["replug", "pi"], "patience": 9},
          "board": {"program": ["/opt/driver", "--fast"]}}}
        """
    )
    let pi = try book.entry("pi")
    #expect(pi.address == .ssh(user: "pi", host: "10.0.0.2", port: nil))
    #expect(pi.settings.hubLocation == "1-1.2")
    #expect(pi.settings.hubPort == 3)
    #expect(pi.settings.sshOptions == ["-F", "x"])
    #expect(pi.settings.hook == ["replug", "pi"])
    // An address that has a name has its settings too.
    #expect(try book.entry("ssh:pi@10.0.0.2") == pi)
    #expect(try book.entry("program:board").settings.program == ["/opt/driver", "--fast"])
    #expect(try book.entry("local").address == .local)
    let fault = #expect(throws: Diagnostic.self) { try book.entry("pie") }
    #expect(fault?.remedy?.contains("did you mean pi?") == true)
  }

  @Test(
    arguments: [
      "[]", "{}", #"{"devices": {"pi": {}}}"#, #"{"devices": {"local": {"address": "local"}}}"#,
      #"{"devices": {"pi": {"address": "ssh:pi", "adress": 1}}}"#,
      #"{"devices": {"pi": {"address": "ssh:pi", "root": "tmp"}}}"#,
      #"{"devices": {"pi": {"address": "ssh:pi", "hook": "x"}}}"#,
      #"{"devices": {"pi": {"address": "ssh:pi", "hub": {"location": "-l", "port": 1}}}}"#,
      #"{"devices": {"p i": {"address": "ssh:pi"}}}"#,
      #"{"devices": {"pi": {"address": "ssh:pi", "patience": -1}}}"#,
    ]
  )
  func aBookWithFaultsIsRefused(text: String) {
    #expect(throws: Diagnostic.self) { try DeviceBook(text: text) }
  }
}
