import AssayBase
import AssayTestSupport
import FormatTFLite
import Testing

/// Compiled files against the published table of what is in them.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct PackageTests {
  /// Rows of the table by column, for one file and its size.
  private func rows(_ name: String, _ byteCount: Int) throws -> [[String: String]] {
    let file = try #require(TestData.sharedFile("edgetpu/compiled_models.csv"))
    let text = try #require(MappedFile(path: file).view.utf8)
    let lines = text.split(whereSeparator: \.isNewline).map { cells(String($0)) }
    let header = try #require(lines.first)
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
      .filter { row in
        let stem = row["file"]?.split(separator: "/").last?.replacing("tools__", with: "") ?? ""
        return String(stem) == name && row["file_bytes"] == "\(byteCount)"
      }
  }

  /// Cells of a line; commas between quotes belong to a cell.
  private func cells(_ line: String) -> [String] {
    var cells: [String] = [""]
    var isQuoted = false
    for character in line {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
    }
    return cells
  }

  private func layers(_ layers: [EdgeTPUExecutable.Layer]) -> String {
    "["
      + layers.map { "(" + $0.extents.map { "\($0)" }.joined(separator: ", ") + ")" }
      .joined(separator: ", ") + "]"
  }

  @Test(arguments: [
    "deeplabv3_mnv2_dm05_pascal_quant", "keras_lstm_mnist_ptq", "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.5_160_quant", "movenet_single_pose_lightning_ptq", "split_concat",
  ])
  func isDescribedAsPublished(stem: String) throws {
    let name = stem + "_edgetpu.tflite"
    let file = try #require(TestData.sharedFile("models/coral/" + name))
    let bytes = try MappedFile(path: file).view
    let packages = try EdgeTPUPackage.all(inFile: bytes)
    #expect(packages.count == 1)
    let package = try #require(packages.first)
    let published = try rows(name, bytes.count)
    #expect(published.count == 2 && package.executables.count == 2)
    for row in published {
      let role: EdgeTPUExecutable.Role =
        row["exec_type"] == "PARAMETER_CACHING" ? .parameterCaching : .executionOnly
      let executable = try #require(package.executables.first { $0.role == role })
      let transfers = executable.transfers ?? EdgeTPUExecutable.Transfers()
      let found: [String: String] = [
        "params_bytes": "\(executable.parameterBytes)",
        "instr_bytes": "\(executable.instructionBytes)",
        "n_bitstreams": "\(executable.bitstreams)", "scratch": "\(executable.scratchBytes)",
        "est_cycles": "\(executable.estimatedCycles)",
        "narrow_mem_bytes_per_tile": "\(executable.narrowBytesPerTile)",
        "caching_token": "\(executable.cachingToken)", "infeed_bytes": "\(transfers.toChip)",
        "param_infeed_bytes": "\(transfers.parameters)",
        "outfeed_bytes": "\(transfers.fromChip)",
        "dma_deterministic": transfers.isWhole ? "1" : "0",
        "min_runtime": "\(package.minimumRuntime)", "inputs": layers(executable.inputs),
        "outputs": layers(executable.outputs),
      ]
      for (column, value) in found {
        #expect(row[column] == value, "\(name) \(row["exec_type"] ?? "") \(column)")
      }
    }
  }

  @Test func aPlainFileHoldsNoPackage() throws {
    let file = try #require(TestData.sharedFile("models/coral/split_concat.tflite"))
    #expect(try EdgeTPUPackage.all(inFile: MappedFile(path: file).view).isEmpty)
  }

  @Test func damageIsRefused() throws {
    let file = try #require(TestData.sharedFile("models/coral/split_concat_edgetpu.tflite"))
    let bytes = try MappedFile(path: file).view.array
    var rng = SeededRNG(seed: 4)
    var refused = 0
    for _ in 0..<200 {
      var damaged = bytes
      for _ in 0..<16 {
        damaged[Int.random(in: 0..<bytes.count, using: &rng)] = UInt8.random(
          in: 0...255,
          using: &rng
        )
      }
      do {
        _ = try EdgeTPUPackage.all(inFile: ByteView(damaged))
      } catch is Diagnostic {
        refused += 1
      }
    }
    #expect(refused > 0)
    #expect(throws: Diagnostic.self) { _ = try EdgeTPUPackage(options: ByteView([])) }
    #expect(throws: Diagnostic.self) {
      _ = try EdgeTPUPackage(package: ByteView(Array("....DWN1".utf8)))
    }
  }
}
