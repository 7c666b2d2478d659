/// The text of manifests, which `FaceManifest.read` reads back as it was.
public enum ManifestWriter {
  /// The first line, with its end.
  public static let header = CSV.line(ManifestColumn.all.map(\.name)) + "\n"

  /// A sample's line, with its end.
  public static func row(_ sample: FaceSample) -> String {
    CSV.line(ManifestColumn.all.map { $0.text(sample) }) + "\n"
  }
}
