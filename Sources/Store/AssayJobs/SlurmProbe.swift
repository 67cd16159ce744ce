import AssayBase
import AssayHost

/// Whether sweeps can be handed to Slurm here.
public enum SlurmProbe {
  /// Looks for the commands that a sweep needs.
  public static func probe() -> Availability {
    let folders = (Host.environment("PATH") ?? "").split(separator: ":").map(String.init)
    let missing = ["sbatch", "squeue"].filter { name in
      !folders.contains { Host.kind(of: Host.join($0, name)) == .file }
    }
    if missing.isEmpty { return .available(version: "sbatch and squeue are here") }
    return .unavailable(
      reason: "\(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") not here",
      remedy: "run on a machine of the cluster, or install slurm-client (Debian)"
    )
  }
}
