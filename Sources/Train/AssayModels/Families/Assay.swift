import AssayGraph

extension Zoo {
  /// The networks that `assay train` defines for its own data.
  static let trained = [
    ZooEntry(
      "FireDetectionNet",
      family: "FireDetectionNet",
      source: "Assay",
      input: .square(128, .unit),
      classes: 2,
      hasTop: false
    ) { network, settings in
      network.output(
        Network.fireDetectionNet(network.picture(settings), classes: settings.classes)
      )
    },
    ZooEntry(
      "tcn-autoencoder",
      family: "TCN autoencoder",
      task: .anomaly,
      source: "bioma-tcn-ae",
      input: .numbers([1050, 1]),
      classes: nil,
      hasTop: false
    ) { network, settings in
      let plan = TCNAutoencoder()
      plan.define(network, length: settings.size.height / plan.latentRate * plan.latentRate)
    },
  ]
}
