/// What to do instead, where a command has no `--device`.
enum DeviceRefusal {
  /// The remedy for a command that does all of its work on this machine.
  static func remedy(_ spec: CommandSpec) -> String {
    switch spec.name {
    case "ncs2":
      "the stick's plugin needs x86-64 and the stick beside it: run assay ncs2 on that machine"
    case "ethos-u": "Vela estimates and runs nothing: no device is needed"
    case "edgetpu":
      "what is mapped is a question of the file; assay bench FILE --device DEVICE --provider tpu runs it"
    case "optimize", "train", "train fire-detection", "train tcn-autoencoder":
      "it trains here; measure what it writes: assay bench FILE --device DEVICE"
    case "convert", "inspect", "diff", "sensitivity", "zoo build", "zoo check", "zoo show":
      "it works on files, here; run what it writes: assay bench, run or verify with --device"
    case "power record", "power list":
      "assay bench MODEL --device DEVICE --meter board reads a board's own meters"
    case "doctor": "assay devices probe DEVICE tells of a device"
    case "store show", "store list", "report", "rate", "label", "figures", "serve", "export-site":
      "it shows what was measured, on whatever device: assay devices lists them"
    default:
      "devices measure: assay bench, compare, try, run, classify, evaluate, detect, profile, "
        + "verify and study take --device"
    }
  }
}
