import AssayBase
import AssayHost
import AssayTestSupport
import Testing

private let model = TestData.sharedFile("models/mlperf_tiny/resnet8_cifar10_int8.tflite") ?? ""
private let pictures = TestData.sharedFile("images/imagenet10") ?? ""
private let runtimes = Host.realPath(Host.join(AssayHome.path, "runtimes")) ?? ""

private let hasRunner: Bool = {
  let folder = Host.join(Host.folder(of: Host.executablePath ?? ""), "../../runner")
  let isThere = Host.exists(folder)
  if !isThere { print("skipping tests with --device: scripts/runner has not built the runner") }
  return isThere
}()

/// A home whose device `board` is this machine behind an ssh server of its own, for as long as `body` runs.
///
/// - Returns: whether there could be a server.
private func withBoard(_ body: (_ home: String, _ folder: String) throws -> Void) throws -> Bool {
  let (input, output) = (try Pipe(), try Pipe())
  let script = try ChildProcess(
    "/bin/sh",
    [TestData.package + "/Tests/Support/sshd.sh"],
    descriptors: [0: input.readEnd, 1: output.writeEnd]
  )
  input.closeRead()
  output.closeWrite()
  defer {
    input.closeWrite()
    _ = script.wait(until: Host.monotonicNanoseconds() + 10_000_000_000)
  }
  let channel = LineChannel(input: output.readEnd, output: -1)
  guard case .line(let line) = channel.read(until: Host.monotonicNanoseconds() + 60_000_000_000)
  else { return false }
  let words = line.split(separator: " ").map { String($0) }
  guard words.count == 3, words[0] == "ready" else {
    print("skipping tests with --device: \(line)")
    return false
  }
  try withFolder { folder in
    let home = folder + "/home"
    try Host.makeFolders(home + "/devices-files")
    let book = JSON.object([
      "devices": .object([
        "board": .object([
          "address": "ssh:board", "ssh": .array(["-F", .string(words[1])]),
          "root": .string(home + "/devices-files"),
        ])
      ])
    ])
    try AtomicFile.write(book.text(), to: home + "/devices.json")
    let link = try ChildProcess("/bin/ln", ["-s", runtimes, home + "/runtimes"], descriptors: [:])
    #expect(link.wait() == .exited(0))
    try body(home, folder)
    // Nothing of ours stays there.
    #expect(try Host.list(home + "/devices-files") == [])
  }
  return true
}

@Suite(
  "--device in commands beside bench",
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: !runtimes.isEmpty, "no runtimes are installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
) struct DeviceCommandTests {
  @Test("pictures, operators, threads and proofs are those of the device")
  func commands() throws {
    _ = try withBoard { home, folder in
      func run(_ words: String...) throws -> CommandRun {
        try assay(words + ["--runtime", "litert"], in: folder, home: home)
      }
      let images = ["--images", pictures, "--json", "-"]
      let here = try assay(["classify", model] + images, in: folder, home: home).json()
      let there = try run(
        "classify",
        model,
        "--images",
        pictures,
        "--json",
        "-",
        "--device",
        "board"
      )
      .json()
      #expect(there["device"] == "ssh:board")
      func seen(_ json: JSON) -> [JSON?] { (json["images"]?.array ?? []).map { $0["top"] } }
      #expect(seen(there) == seen(here))
      #expect(seen(there).count == 10)
      let profile = try run(
        "profile",
        model,
        "--device",
        "board",
        "--preset",
        "quick",
        "--json",
        "-"
      ).json()
      #expect(profile["operators"]?.array?.isEmpty == false)
      #expect(profile["roofline"] == .null)
      #expect(profile["record"]?["device"] == "ssh:board")
      #expect(profile["operators"]?.array?.first?["shareOfLimit"] == .null)
      let refused = try run("profile", model, "--device", "board", "--svg", "roof.svg")
      #expect(refused.status == 2)
      #expect(refused.errors.contains("CLI009"))
      // Each command asks the device anew what it is: the rest is for make test-all.
      guard Host.environment("ASSAY_DISCONNECTS") != nil else { return }
      let study = try run(
        "study",
        "threads",
        model,
        "--counts",
        "1,2",
        "--device",
        "board",
        "--preset",
        "quick",
        "--json",
        "-"
      ).json()
      #expect(study["records"]?.array?.map { $0["device"] } == ["ssh:board", "ssh:board"])
      let proof = try run("verify", model, "--device", "board")
      #expect(proof.status == 0, "\(proof.errors)")
    }
  }

  @Test(
    "commands that cannot use a device say what to do instead",
    arguments: [
      ("ncs2", "on that machine"), ("edgetpu", "--provider tpu"), ("optimize", "assay bench"),
      ("doctor", "devices probe"), ("ethos-u", "estimates"), ("recipe", "take --device"),
    ]
  )
  func refusals(command: String, words: String) throws {
    try withFolder { folder in
      let run = try assay(command, "x", "--device", "board", in: folder)
      #expect(run.status == 2)
      #expect(run.errors.contains("'--device' is no option"))
      #expect(run.errors.contains(words))
    }
  }
}
