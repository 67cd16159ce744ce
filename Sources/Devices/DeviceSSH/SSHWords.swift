import AssayBase
import AssayDevice

/// What `ssh` says when it fails, as findings with remedies.
enum SSHWords {
  /// The finding for what it printed.
  static func fault(
    _ address: DeviceAddress,
    _ action: String,
    _ destination: String,
    _ words: String
  ) -> Diagnostic {
    for (sign, code, summary, remedy) in known where words.contains(sign) {
      return Diagnostic(
        code,
        summary,
        at: [address.text],
        remedy: remedy.replacing("HOST", with: destination),
        cause: trimmed(words)
      )
    }
    return DeviceFault.lost(address, action, cause: trimmed(words))
  }

  private static func trimmed(_ words: String) -> String {
    words.split(separator: "\n").suffix(8).joined(separator: "\n")
  }

  private static let known: [(String, String, String, String)] = [
    (
      "REMOTE HOST IDENTIFICATION HAS CHANGED", "DEV021",
      "the device shows another host key than before: another machine may have taken its place",
      "if it was set up anew: ssh-keygen -R the host's name, then connect once by hand: ssh HOST"
    ),
    (
      "Host key verification failed", "DEV020", "the device's host key is not known here",
      "connect once by hand and compare the fingerprint: ssh HOST"
    ),
    (
      "Permission denied", "DEV022", "the device does not take any of your keys",
      "ssh-copy-id HOST, or add your key to an agent; passwords are never used"
    ),
    (
      "Too many authentication failures", "DEV022", "the device does not take any of your keys",
      "name the key in ~/.ssh/config (IdentityFile, IdentitiesOnly yes)"
    ),
    (
      "Could not resolve hostname", "DEV023", "the device's name is not known in the network",
      "check the name, or give its address; boards often answer to NAME.local"
    ),
    (
      "Connection refused", "DEV024", "no ssh server answers there",
      "start one on the device (Raspberry Pi OS: sudo raspi-config, Interface Options, SSH)"
    ),
    (
      "No route to host", "DEV010", "the device cannot be reached",
      "look at its power and network"
    ),
    (
      "Connection timed out", "DEV010", "the device cannot be reached",
      "look at its power and network"
    ),
    (
      "Operation timed out", "DEV010", "the device cannot be reached",
      "look at its power and network"
    ),
    (
      "env: ", "DEV025", "there is no program ssh on this machine",
      "apt-get install openssh-client"
    ),
  ]
}
