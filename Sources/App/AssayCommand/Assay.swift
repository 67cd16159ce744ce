import AssayBase

/// The command `assay`.
public enum Assay {
  /// Every command, in the order in which help lists them.
  static let commands: [CommandSpec] = [
    tryCommand, convertCommand, optimizeCommand, inspectCommand, runCommand, classifyCommand,
    benchCommand, trtexecCommand, ncs2Command, ethosUCommand, snpeCommand, qnnCommand,
    compareCommand, profileCommand,
    studyThreadsCommand, studyBatchCommand,
    studyAffinityCommand,
    sweepCommand,
    storeListCommand, storeShowCommand, storeExportCommand, storeImportCommand, storeCopyCommand,
    storeMigrateCommand,
    devicesCommand, devicesProbeCommand, devicesReleaseCommand, devicesCleanCommand,
    devicesPairCommand, devicesConnectCommand, bundleCommand, toolsListCommand, toolsAddCommand,
    toolsRemoveCommand, phoneTableCommand,
    powerListCommand, powerRecordCommand, powerShowCommand, powerJoinCommand, powerSelftestCommand,
    verifyCommand, diffCommand, recipeCommand, sensitivityCommand, rateCommand, labelCommand,
    reportCommand, figuresCommand, doctorCommand, edgeTPUCommand,
    cacheCommand, trainCommand, trainFireDetectionCommand, dataFireScenesCommand, detectCommand,
    dataMackeyGlassCommand, trainTCNAutoencoderCommand, zooListCommand, zooShowCommand,
    zooBuildCommand, zooCheckCommand, zooFetchCommand, evaluateCommand, dataPrepareCommand,
    evaluateWorkerCommand, serveCommand, exportSiteCommand, completionsCommand, workerCommand,
  ]

  /// Runs one command line.
  ///
  /// - Parameter arguments: the words after the program's name.
  /// - Returns: the process's exit status.
  public static func run(_ arguments: [String]) -> Int32 {
    var console = Console()
    do {
      return try dispatch(arguments, &console).rawValue
    } catch {
      return fail(error, console).rawValue
    }
  }

  private static func dispatch(_ arguments: [String], _ console: inout Console) throws -> ExitStatus
  {
    guard let word = arguments.first else {
      console.output(Help.overview(commands))
      return .usage
    }
    switch word {
    case "--help", "-h", "help":
      let words = arguments.dropFirst()
      if let spec = CommandSpec.named(by: words, among: commands)?.spec {
        console.output(Help.command(spec))
      } else if let group = words.first, commands.contains(where: { $0.group == group }) {
        console.output(Help.group(group, commands))
      } else {
        console.output(Help.overview(commands))
      }
      return .done
    case "--version", "version":
      console.output(versionText())
      return .done
    default: break
    }
    guard let (spec, count) = CommandSpec.named(by: arguments, among: commands) else {
      let visible = commands.filter { !$0.isHidden }
      if visible.contains(where: { $0.group == word }) {
        guard arguments.count > 1, !arguments[1].hasPrefix("-") else {
          console.output(Help.group(word, visible))
          return arguments.count > 1 ? .done : .usage
        }
        let given = "\(word) \(arguments[1])"
        let guess = nearest(to: given, among: visible.map(\.name))
        throw Diagnostic(
          "CLI001",
          "'\(given)' is no command",
          remedy: guess.map { "did you mean 'assay \($0)'?" } ?? "see assay \(word) --help"
        )
      }
      let guess = nearest(to: word, among: visible.map(\.name))
      throw Diagnostic(
        "CLI001",
        "'\(word)' is no command",
        remedy: guess.map { "did you mean 'assay \($0)'?" } ?? "see assay --help"
      )
    }
    let parsed = try Arguments(arguments.dropFirst(count), spec: spec)
    if parsed.has("--help") {
      console.output(Help.command(spec))
      return .done
    }
    console.isQuiet = parsed.has("--quiet")
    console.jsonPath = parsed.value("--json")
    // The zoo's own commands are about its networks, not about files of them.
    guard spec.name != "zoo", !spec.name.hasPrefix("zoo ") else {
      return try spec.run(parsed, console)
    }
    return try spec.run(parsed.mapModels(of: spec) { try ZooModel.path($0, console) }, console)
  }

  /// Reports why a command failed, and says how the process ends.
  private static func fail(_ error: any Error, _ console: Console) -> ExitStatus {
    console.endProgress()
    let findings: [Diagnostic] =
      switch error {
      case let finding as Diagnostic: [finding]
      case let several as Diagnostics: several.all
      default:
        [
          Diagnostic(
            "CLI070",
            "assay failed in a way that it should not",
            remedy: "please report this, with the command and the output of assay --version",
            cause: "\(error)"
          )
        ]
      }
    for finding in findings { console.report(finding) }
    if console.jsonPath == "-" {
      console.output(
        JSON.object(["error": .array(findings.map(\.json))]).text(pretty: true) + "\n"
      )
    }
    let codes = findings.filter { $0.severity == .error }.map(\.code)
    if codes.contains("CLI070") { return .fault }
    if codes.allSatisfy({ $0.hasPrefix("CLI") }) { return .usage }
    let isEnvironment = codes.contains { code in environmentCodes.contains { code.hasPrefix($0) } }
    return isEnvironment ? .environment : .finding
  }

  /// Areas whose faults are the machine's and not the input's.
  private static let environmentCodes: Set<String> = [
    "HST", "PRE", "ADB", "TOL", "SET", "STO", "DEV", "MTR00", "MTR01", "MTR02", "MTR03", "VND02",
    "VND03",
  ]
}
