import AssayADB
import AssayBase
import AssayCodec
import AssayDevice
import AssayHost
import AssayRecord
import AssayTestSupport
import DeviceADB
import PhoneEmulation
import Testing

@testable import AssayPhone

/// Qualcomm's tools on an emulated phone, with stand-ins that take the real ones' options and print in
/// their form.
///
/// No phone of Qualcomm's was at hand.
@Suite struct QualcommTests {
  private static let diagview = """
    Software library version: 2.9.0.4462

    Dnn Runtime Load/Deserialize/Create/De-Init Statistics:
    Load: 366 us
    Init: 283011 us
    RPC Init Time: 0 NONE

    Average SNPE Statistics:
    ------------------------------
    Total Inference Time: 3311 us
    Forward Propagate Time: 3241 us

    Layer Times:
    ---------------
    0: 143 us : PROCESSOR
    1: 97 us : PROCESSOR
    """

  /// A package as Qualcomm lays it out, with stand-ins.
  private func package(_ folder: String) throws -> String {
    let root = folder + "/snpe-2.26.0.240828"
    func put(_ name: String, _ text: String) throws {
      try Host.makeFolders(Host.folder(of: root + "/" + name))
      try AtomicFile.write("#!/bin/sh\n" + text + "\n", to: root + "/" + name)
      try Host.makeProgram(root + "/" + name)
    }
    try put(
      "bin/aarch64-android/snpe-net-run",
      """
      [ -e "$LD_LIBRARY_PATH/libSNPE.so" ] || [ -e ./libSNPE.so ] || { echo "library not found"; exit 1; }
      p=CPU
      while [ $# -gt 0 ]; do case "$1" in
      --container) grep -q network "$2" || { echo "error_code=400; cannot open container"; exit 3; }; shift;;
      --input_list) l=$2; shift;;
      --output_dir) o=$2; shift;;
      --profiling_level|--perf_profile) shift;;
      --use_dsp) p=DSP;; --use_gpu) p=GPU;;
      *) echo "unknown option $1"; exit 2;; esac; shift; done
      f=$(sed 's/.*:=//' "$l"); n=$(wc -c <"$f")
      mkdir -p "$o/Result_0"; echo "$p" >"$o/SNPEDiag_0.log"; cp "$f" "$o/Result_0/prob.raw"
      echo "SNPE v2.26.0.240828"; echo "Processing DNN input(s):"; echo "$f"
      echo "Successfully executed!"
      """
    )
    try put(
      "bin/aarch64-android/snpe-throughput-net-run",
      """
      while [ $# -gt 0 ]; do case "$1" in
      --container|--duration|--perf_profile) shift;;
      --use_cpu|--use_gpu|--use_dsp) ;;
      *) echo "unknown option $1"; exit 2;; esac; shift; done
      echo '[Thread 0 - dsp_fixed8_tf] 302.5 infs/sec - Number of images processed: 604 - Build time: 9 microseconds'
      echo 'Total throughput: 302.5 infs/sec'
      """
    )
    try put("lib/aarch64-android/libSNPE.so", ": a library")
    try put("lib/hexagon-v73/unsigned/libSnpeHtpV73Skel.so", ": a skeleton")
    try put(
      "bin/\(MachineInfo.current().architecture)-linux-clang/snpe-diagview",
      "[ \"$1\" = --input_log ] || exit 2\np=$(cat \"$2\")\nsed \"s/PROCESSOR/$p/\" <<'T'\n"
        + Self.diagview + "\nT"
    )
    return root
  }

  /// QNN's package: its net-run knows its options and refuses others, and its viewer prints the times of
  /// the inferences that were asked for.
  private func qnnPackage(_ folder: String) throws -> String {
    let root = folder + "/qnn-2.26.0.240828"
    func put(_ name: String, _ text: String) throws {
      try Host.makeFolders(Host.folder(of: root + "/" + name))
      try AtomicFile.write("#!/bin/sh\n" + text + "\n", to: root + "/" + name)
      try Host.makeProgram(root + "/" + name)
    }
    try put(
      "bin/aarch64-android/qnn-net-run",
      """
      while [ $# -gt 0 ]; do case "$1" in
      --model|--retrieve_context) m=$2; k=$1; shift;;
      --backend) b=$2; shift;;
      --input_list) l=$2; shift;;
      --output_dir) o=$2; shift;;
      --num_inferences) n=$2; shift;;
      --profiling_level|--perf_profile) shift;;
      *) echo "unknown option $1"; exit 2;; esac; shift; done
      [ -e "$b" ] || { echo "[ ERROR ] Unable to load backend. dlerror(): library $b not found"; exit 1; }
      case "$m$k" in *.so--model|*.bin--retrieve_context) ;; *) echo "[ ERROR ] Could not load $m"; exit 3;; esac
      [ "$b" != libQnnHtp.so ] || [ -e libQnnHtpV73Skel.so ] || { echo "[ ERROR ] no skeleton"; exit 4; }
      f=$(sed 's/.*:=//' "$l")
      mkdir -p "$o/Result_0"; echo "$n $b" >"$o/qnn-profiling-data_0.log"; cp "$f" "$o/Result_0/y.raw"
      echo "qnn-net-run pid:4711"
      """
    )
    for name in ["libQnnCpu.so", "libQnnGpu.so", "libQnnHtp.so", "libQnnHtpV73Stub.so"] {
      try put("lib/aarch64-android/" + name, ": a library")
    }
    try put("lib/hexagon-v73/unsigned/libQnnHtpV73Skel.so", ": a skeleton")
    try put(
      "bin/\(MachineInfo.current().architecture)-linux-clang/qnn-profile-viewer",
      """
      [ "$1" = --input_log ] || exit 2
      read -r n b <"$2"
      echo "Input Log File Location: $2"
      echo "qnn-net-run version: v2.26.0"
      echo "Backend Version: v2.26.0"
      echo
      for s in Average:2951:2491 Min:2801:2410 Max:$((n * 100)):2600; do
      t=${s#*:}
      echo "Execute Stats (${s%%:*}):"; echo "------------------------"
      echo "Total Inference Time:"; echo "---------------------"; echo "Graph 0 (model):"
      echo "    NetRun:  ${t%:*} us"
      [ "$b" != libQnnHtp.so ] || echo "    Backend (Accelerator (execute) time): ${t#*:} us"
      echo
      done
      """
    )
    return root
  }

  /// The same files in an archive, as Qualcomm gives them away.
  private func archive(_ root: String) throws -> String {
    var writer = ZipWriter()
    func visit(_ below: String) throws {
      for name in try Host.list(root + below).sorted() {
        let path = below + "/" + name
        if Host.kind(of: root + path) == .folder {
          try visit(path)
        } else {
          let bytes = try MappedFile(path: root + path).view
          try writer.add(Host.name(of: root) + path, [bytes], deflated: true)
        }
      }
    }
    try visit("")
    try AtomicFile.write(writer.finish(), to: root + ".zip")
    try Host.remove(root)
    return root + ".zip"
  }

  private func withPhone(
    _ kind: ToolFile.Kind = .snpe,
    isArchive: Bool = false,
    _ body: (PhoneSession, ToolShelf, EmulatedPhone, String) throws -> Void
  ) throws {
    let folder = try Host.makeTemporaryFolder("assay-qualcomm")
    defer { try? Host.remove(folder) }
    let phone = try EmulatedPhone(serial: "0A1B2C3D4E5F", root: folder + "/phone")
    let emulated = try EmulatedServer([phone])
    defer { emulated.end() }
    let device = try ADBDevice(
      .adb(serial: phone.serial),
      server: ADBServer(port: emulated.port, patience: 60)
    )
    var shelf = try ToolShelf(home: folder)
    let root = try kind == .snpe ? package(folder) : qnnPackage(folder)
    let entry = try shelf.add(isArchive ? try archive(root) : root)
    #expect(entry.tool.kind == kind && entry.tool.version == "2.26.0.240828")
    #expect(entry.tool.abis == ["arm64-v8a"])
    let session = try PhoneSession(device, quarantine: DeviceQuarantine(home: folder))
    try body(session, shelf, phone, folder)
    #expect(session.close())
    #expect(phone.files() == [])
  }

  @Test(arguments: [QualcommRun.Processor.dsp, .cpu])
  func aNetworkIsPushedRunAndRead(processor: QualcommRun.Processor) throws {
    try withPhone { session, shelf, _, folder in
      let model = folder + "/model.dlc"
      try AtomicFile.write("a network", to: model)
      let bytes = (0..<64).map { UInt8($0) }
      let job = QualcommRun.Job(
        model: model,
        kind: .snpe,
        processor: processor,
        inputs: [(name: "x", bytes: bytes)],
        outputs: folder + "/out"
      )
      try Host.makeFolders(folder + "/scratch")
      let record = try QualcommRun(session, shelf, scratch: folder + "/scratch").run(job)
      #expect(record.reasons.filter { $0.severity == .error } == [])
      #expect(record.verdict == .valid)
      #expect(record.summary.mean.value == 3_311_000)
      #expect(record.summary.p50.value == nil)
      #expect(record.imported?["throughput"]?.value == 302.5)
      // What was not measured is no zero.
      #expect(record.imported?["snpe.RPC Init Time"] == nil)
      #expect(record.version == "2.26.0.240828" && record.runtime == "snpe")
      #expect(record.placement["provider"]?.string?.lowercased() == processor.rawValue)
      #expect(record.operators.array?.count == 2)
      // The phone computed on what was sent.
      #expect(try MappedFile(path: folder + "/out/prob.raw").view.array == bytes)
    }
  }

  /// Out of an archive as out of a folder, a context as a model's library.
  @Test(arguments: [
    ("model.so", QualcommRun.Processor.cpu, false), ("model.so", .gpu, true),
    ("context.bin", .dsp, true),
  ])
  func aNetworkIsRunByQNN(name: String, processor: QualcommRun.Processor, isArchive: Bool) throws {
    try withPhone(.qnn, isArchive: isArchive) { session, shelf, _, folder in
      let model = folder + "/" + name
      try AtomicFile.write("a network", to: model)
      let bytes = (0..<48).map { UInt8($0 * 5) }
      try Host.makeFolders(folder + "/scratch")
      let record = try QualcommRun(session, shelf, scratch: folder + "/scratch").run(
        QualcommRun.Job(
          model: model,
          kind: .qnn,
          processor: processor,
          inputs: [(name: "x", bytes: bytes)],
          runs: 40,
          outputs: folder + "/out"
        )
      )
      #expect(record.reasons.filter { $0.severity == .error } == [])
      #expect(record.verdict == .valid)
      #expect(record.runtime == "qnn" && record.version == "v2.26.0")
      #expect(record.summary.mean.value == 2_951_000)
      #expect(record.summary.minimum.value == 2_801_000)
      // The greatest one is a hundred times the number of inferences that were asked for.
      #expect(record.summary.maximum.value == 4_000_000)
      #expect(record.summary.p50.value == nil)
      #expect(record.imported?["qnn.accelerator"]?.value == (processor == .dsp ? 2491 : nil))
      #expect(try MappedFile(path: folder + "/out/y.raw").view.array == bytes)
    }
  }

  @Test func snpesArchiveIsUnpackedAsFarAsIsNeeded() throws {
    try withPhone(.snpe, isArchive: true) { session, shelf, _, folder in
      let model = folder + "/model.dlc"
      try AtomicFile.write("a network", to: model)
      try Host.makeFolders(folder + "/scratch")
      let job = QualcommRun.Job(model: model, kind: .snpe, inputs: [(name: "x", bytes: [1, 2])])
      let record = try QualcommRun(session, shelf, scratch: folder + "/scratch").run(job)
      #expect(record.verdict == .valid)
      #expect(record.imported?["throughput"]?.value == 302.5)
      // An archive that changed since is not used.
      try AtomicFile.write("another", to: folder + "/snpe-2.26.0.240828.zip")
      let code = #expect(throws: Diagnostic.self) {
        try QualcommRun(session, shelf, scratch: folder + "/scratch").run(job)
      }?.code
      #expect(code == "TOL005")
    }
  }

  @Test func whatGoesWrongIsARecordWithTheToolsWords() throws {
    try withPhone { session, shelf, _, folder in
      let model = folder + "/model.dlc"
      try AtomicFile.write("something else", to: model)
      try Host.makeFolders(folder + "/scratch")
      let job = QualcommRun.Job(model: model, kind: .snpe, inputs: [(name: "x", bytes: [0])])
      let run = QualcommRun(session, shelf, scratch: folder + "/scratch")
      let record = try run.run(job)
      #expect(record.verdict == .invalid)
      #expect(record.reasons.contains { $0.code == "QCM012" && $0.cause?.contains("400") == true })
      // Nothing of QNN was added.
      let missing = #expect(throws: Diagnostic.self) {
        try run.run(QualcommRun.Job(model: model, kind: .qnn, inputs: []))
      }
      #expect(missing?.code == "TOL005")
    }
  }
}
