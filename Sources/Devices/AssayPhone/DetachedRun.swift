import AssayBase
import AssayDevice
import AssayHost

/// A command of a device that goes on when the way to it breaks, and that is started once however often
/// it is asked for.
///
/// The command runs in a session of its own, and writes what it prints and how it ended into a folder
/// named by its id. Whoever comes back finds the folder: a started command is waited for, never started
/// again. The device itself looks once a second whether it has ended.
public struct DetachedRun: Sendable {
  /// What became of a command.
  public struct Outcome: Sendable, Equatable {
    /// Its exit status.
    public var status: Int32
    /// What it printed.
    public var output: String
    public var errors: String
    /// Seconds of the device's uptime at its begin and its end.
    public var begin: Double?
    public var end: Double?
    /// How often the way was lost meanwhile.
    public var losses: Int
  }

  /// The folder, on the device.
  public let folder: String
  private let script: String
  /// How long it may take, seconds.
  public let seconds: Double
  private let device: any ShellDevice

  /// A command that is not started yet.
  ///
  /// - Parameters:
  ///   - script: run by the device's `sh`.
  ///   - folder: one that does not exist, in a folder that does; its name is the run's id.
  ///   - seconds: how long it may take.
  public init(_ device: any ShellDevice, _ script: String, folder: String, seconds: Double) {
    self.device = device
    self.script = script
    self.folder = folder
    self.seconds = seconds
  }

  /// Starts it unless it was, waits for its end, takes what it printed, and removes its folder.
  ///
  /// - Parameters:
  ///   - recover: is asked to bring the device back when the way is lost; throws when it cannot.
  ///   - watching: is called between looks, with the seconds since the start.
  /// - Throws: `Diagnostic` DEV017 when it took too long, DEV018 when the device ended it, DEV012 when
  ///   it could not be started, DEV010 or DEV011 when the way broke fifty times in a row in one step;
  ///   what `recover` throws.
  public func run(
    recover: (Diagnostic) throws -> Void,
    watching: (Double) -> Void = { _ in }
  ) throws -> Outcome {
    var losses = 0
    // A way that breaks often is a bad one; one on which no step succeeds any more is none.
    func insist<T>(_ body: () throws -> T) throws -> T {
      var vain = 0
      while true {
        do {
          return try body()
        } catch let error as Diagnostic where DeviceFault.ofTheWay.contains(error.code) {
          losses += 1
          vain += 1
          guard vain <= 50 else { throw error }
          // Whatever broke it may last a little.
          Host.sleep(nanoseconds: UInt64(min(vain - 1, 20)) * 10_000_000)
          try recover(error)
        }
      }
    }
    let begun = Host.monotonicNanoseconds()
    let started = try insist { try device.run(startScript, seconds: 20) }
    guard started.output.contains("started") else {
      throw DeviceFault.refused(device.address, "starting a command", started.errors)
    }
    while true {
      let state = try insist { try device.run(waitScript, seconds: 30) }.output
      if state.contains("@ended") { break }
      if state.contains("@gone") {
        try insist { try remove() }
        throw Diagnostic(
          "DEV018",
          "the device ended the command, or was started anew",
          at: [device.address.text],
          remedy: "look at its memory: Android ends what takes too much"
        )
      }
      let spent = Double(Host.monotonicNanoseconds() &- begun) / 1e9
      watching(spent)
      if spent > seconds || Host.isInterrupted {
        let words = (try? insist { try device.run(tailScript, seconds: 20) })?.output ?? ""
        try insist { try remove() }
        throw Diagnostic(
          "DEV017",
          Host.isInterrupted
            ? "the command was stopped" : "the command did not end within \(Int(seconds)) s",
          at: [device.address.text],
          remedy: "allow for more time, or see what it waits for",
          cause: words
        )
      }
    }
    let result = try insist { try device.run(resultScript, seconds: 60) }
    try insist { try remove() }
    return try DetachedRun.outcome(result.output, losses, device.address)
  }

  /// Ends it where it runs, and removes its folder; it is safe to call at any time.
  public func remove() throws {
    let result = try device.run(removeScript, seconds: 30)
    guard result.output.contains("removed") else {
      throw DeviceFault.refused(device.address, "removing \(folder)", result.errors)
    }
  }

  // MARK: - Scripts

  private var word: String { Words.shell([folder]) }

  /// Starting is safe to repeat: the way may break at any word of it, and adb's daemon then ends the shell.
  ///
  /// Who may run the command is settled by the process that runs it, when nothing can end it any more:
  /// making the folder `claim` is what only one can do. A start that broke off before leaves no claim,
  /// and the next one takes its place; one that only seemed to break off finds the claim, or no folder at
  /// all, and ends. Nothing counts as started before the claim is seen.
  private var startScript: String {
    """
    f=\(word)
    mkdir "$f" 2>/dev/null || [ -d "$f" ] || { echo "no folder can be made" >&2; exit 0; }
    if [ ! -d "$f/claim" ]; then
    cat >"$f/run.$$" <<'ASSAY-END-OF-SCRIPT'
    \(script)
    ASSAY-END-OF-SCRIPT
    mv -f "$f/run.$$" "$f/run"
    s=; command -v setsid >/dev/null 2>&1 && s=setsid
    $s sh -c 'trap "" HUP; mkdir "$1/claim" 2>/dev/null || exit 0
    echo $$ >"$1/pid.part"; mv "$1/pid.part" "$1/pid"; cat /proc/uptime >"$1/begin"
    (trap - HUP; exec sh "$1/run") </dev/null >"$1/out" 2>"$1/err"; r=$?
    cat /proc/uptime >"$1/end"; echo $r >"$1/rc.part"; mv "$1/rc.part" "$1/rc"' sh "$f" </dev/null >/dev/null 2>&1 &
    fi
    n=0
    while [ $n -lt 100 ]; do
    [ -e "$f/pid" ] && { echo started; exit 0; }
    if [ $n -lt 20 ]; then sleep 0.01; else sleep 0.1; fi
    n=$((n+1))
    done
    echo "no process started within eight seconds" >&2
    """
  }

  /// Waits at most ten seconds for its end, and tells how it stands.
  private var waitScript: String {
    """
    f=\(word)
    lives() { p=$(cat "$f/pid" 2>/dev/null) && [ -n "$p" ] && kill -0 $p 2>/dev/null; }
    n=0
    while [ $n -lt 20 ]; do
    [ -e "$f/rc" ] && break
    lives || { sleep 1; break; }
    if [ $n -lt 5 ]; then sleep 0.05; elif [ $n -lt 10 ]; then sleep 0.2; else sleep 1; fi
    n=$((n+1))
    done
    if [ -e "$f/rc" ]; then echo @ended; elif lives; then echo @running; else echo @gone; fi
    """
  }

  private var tailScript: String {
    "f=\(word); tail -c 2000 \"$f/out\" \"$f/err\" 2>/dev/null; exit 0"
  }

  private var resultScript: String {
    """
    f=\(word)
    echo "@rc $(cat "$f/rc")"
    echo "@begin $(cat "$f/begin")"
    echo "@end $(cat "$f/end")"
    echo "@out $(wc -c <"$f/out" | tr -d ' ')"
    cat "$f/out"; echo; echo "@err"
    cat "$f/err"
    """
  }

  /// The session's leader is named by `pid`: with `setsid` its children are of its group.
  private var removeScript: String {
    """
    f=\(word)
    if [ -e "$f/pid" ]; then p=$(cat "$f/pid")
    case "$p" in ''|*[!0-9]*) ;; *) if tr '\\0' ' ' </proc/$p/cmdline 2>/dev/null | grep -qF "$f"; then
    kill -9 -$p 2>/dev/null; kill -9 $p 2>/dev/null; fi;; esac; fi
    rm -rf "$f"; [ -e "$f" ] || echo removed
    """
  }

  static func outcome(
    _ text: String,
    _ losses: Int,
    _ address: DeviceAddress
  ) throws -> Outcome {
    func fault() -> Diagnostic {
      DeviceFault.refused(address, "telling how a command ended", String(text.prefix(400)))
    }
    func line(_ name: String) -> Substring? {
      text.split(separator: "\n", omittingEmptySubsequences: false).first {
        $0.hasPrefix(name + " ")
      }
      .map { $0.dropFirst(name.count + 1) }
    }
    guard let status = line("@rc").flatMap({ Int32($0) }),
      let count = line("@out").flatMap({ Int($0) }), count >= 0,
      let start = text.firstRange(of: "@out \(count)\n")
    else { throw fault() }
    let bytes = Array(text[start.upperBound...].utf8)
    let mark = Array("\n@err\n".utf8)
    // Bytes that are no text were replaced on their way: the mark is looked for near its place.
    guard
      let end = (0...max(bytes.count - mark.count, 0)).first(where: { index in
        index >= count && index + mark.count <= bytes.count
          && Array(bytes[index..<index + mark.count]) == mark
      })
    else { throw fault() }
    func uptime(_ name: String) -> Double? {
      line(name)?.split(separator: " ").first.flatMap { Double(String($0)) }
    }
    return Outcome(
      status: status,
      output: String(decoding: bytes[..<end], as: UTF8.self),
      errors: String(decoding: bytes[(end + mark.count)...], as: UTF8.self),
      begin: uptime("@begin"),
      end: uptime("@end"),
      losses: losses
    )
  }
}
