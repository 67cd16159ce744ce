import AssayADB
import AssayBase
import AssayHost

let devicesConnectCommand = CommandSpec(
  name: "devices connect",
  summary: "reach a phone over the network, by wireless debugging",
  discussion: """
    The phone shows address and port under Developer options, Wireless debugging. A phone that was never
    paired with this machine is paired first: assay devices pair. adb's server stays on the loopback
    interface.
    """,
  operands: [Operand(word: "HOST:PORT", help: "the phone's address, port 5555 unless told")],
  options: [Option("--disconnect", .flag, "let go of it instead")],
  examples: [
    ("assay devices connect 192.168.1.20:37123", "a phone in the wireless network"),
    ("assay devices connect 192.168.1.20:37123 --disconnect", "let go of it"),
  ]
) { arguments, console in
  let address = try phoneAddress(arguments.operands[0], port: 5555)
  let server = try startedServer(console)
  if arguments.has("--disconnect") {
    try server.disconnect(address)
    try console.result(
      .object(["device": .string("adb:\(address.text)"), "connected": .bool(false)]),
      text: "adb:\(address.text) is let go of\n"
    )
    return .done
  }
  console.progress("connecting to \(address.text)")
  let entry = try server.connect(address)
  console.endProgress()
  let model = entry.details["model"].map { $0.replacing("_", with: " ") }
  try console.result(
    .object([
      "device": .string("adb:\(entry.serial)"), "connected": .bool(true), "model": JSON(model),
      "transport": .string(entry.transport.rawValue),
    ]),
    text: "adb:\(entry.serial) can be used" + (model.map { ": \(Words.printable($0))" } ?? "")
      + "\n-> assay devices probe adb:\(entry.serial)\n"
  )
  return .done
}

let devicesPairCommand = CommandSpec(
  name: "devices pair",
  summary: "pair this machine with a phone for wireless debugging",
  discussion: """
    On the phone: Developer options, Wireless debugging, Pair device with pairing code. It shows an address
    with a port of its own and a code of six digits. The code is read from standard input, so that it
    stands in no list of processes and in no history.
    """,
  operands: [Operand(word: "HOST:PORT", help: "address and port that the phone shows for pairing")],
  examples: [("assay devices pair 192.168.1.20:41837", "type the code that the phone shows")]
) { arguments, console in
  let address = try phoneAddress(arguments.operands[0], port: nil)
  let program = try ADBProgram.find()
  let server = try startedServer(console)
  console.note("the code that the phone shows:")
  guard let code = readLine(strippingNewline: true)?.filter({ !$0.isWhitespace }), !code.isEmpty
  else {
    throw Diagnostic("ADB041", "no code was given", remedy: "type the six digits, then Enter")
  }
  let words = try program.pair(address, code: code, server: server)
  try console.result(
    .object(["address": .string(address.text), "paired": .bool(true), "words": .string(words)]),
    text:
      "\(Words.printable(words))\n-> assay devices connect \(address.host):PORT, with the port that "
      + "Wireless debugging shows\n"
  )
  return .done
}

private func phoneAddress(_ text: String, port: Int?) throws -> ADBAddress {
  guard let address = ADBAddress(text, port: port) else {
    throw Diagnostic(
      "CLI006",
      "'\(text)' is no address of a phone",
      remedy: "HOST:PORT as the phone shows it, such as 192.168.1.20:37123"
    )
  }
  return address
}

/// adb's server of this machine, started when there is none.
func startedServer(_ console: Console) throws -> ADBServer {
  let server = try ADBServer.standard()
  if (try? server.version()) == nil {
    console.progress("starting adb's server")
    try ADBProgram.find().start(server)
    console.endProgress()
  }
  return server
}
