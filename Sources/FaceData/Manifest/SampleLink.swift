/// Why two samples of a dataset belong together.
package enum LinkKind: String, Sendable, CaseIterable {
  /// Both are from one video.
  case video
  /// One is from the video that the other was made from, or both were made from one video.
  case original
  /// Both show one person, according to the manifest.
  case person
  /// Both are in one folder, in a dataset whose folders share people.
  case folder
  /// They are neighbouring files that look alike.
  case neighbours
  /// Their files, or their pixels, are the same.
  case identicalFile
  /// One is a copy of the other, perhaps recompressed, scaled, mirrored, shifted or cropped anew.
  case nearCopy
  /// The faces look like the same person.
  case lookAlike
  /// The backgrounds look like the same place.
  case background
}

/// Two samples of a manifest that belong together.
package struct SampleLink: Sendable, Equatable {
  /// The sample with the lower index.
  package var first: Int
  /// The sample with the higher index.
  package var second: Int
  package var kind: LinkKind
  /// Similarity, at most 1, on a scale that depends on the kind; 1 for links from the manifest.
  package var similarity: Float

  /// A link between two samples, given in either order.
  package init(_ one: Int, _ other: Int, _ kind: LinkKind, similarity: Float = 1) {
    precondition(one != other, "SampleLink: sample \(one) with itself")
    first = min(one, other)
    second = max(one, other)
    self.kind = kind
    self.similarity = similarity
  }
}
