/// Why two samples of a dataset belong together.
package enum LinkKind: String, Sendable, CaseIterable {
  /// They are of one video.
  case video
  /// One is of the video that the other was made from, or both were made from it.
  case original
  /// They show one person, as the manifest says.
  case person
  /// They are of one folder of a dataset whose folders hold people together.
  case folder
  /// They are files next to each other that look alike.
  case neighbours
  /// Their files, or their pixels, are the same.
  case identicalFile
  /// One is a copy of the other, maybe recompressed, scaled, mirrored, shifted or cut anew.
  case nearCopy
  /// The faces look like one person's.
  case lookAlike
  /// What is around the faces looks like one place.
  case background
}

/// Two samples of a manifest that belong together.
package struct SampleLink: Sendable, Equatable {
  /// The sample with the lower index.
  package var first: Int
  /// The other.
  package var second: Int
  package var kind: LinkKind
  /// How alike they are, at most 1, on a scale of the kind's own; 1 where the manifest says so.
  package var similarity: Float

  /// A link between two samples, in either order.
  package init(_ one: Int, _ other: Int, _ kind: LinkKind, similarity: Float = 1) {
    precondition(one != other, "SampleLink: sample \(one) with itself")
    first = min(one, other)
    second = max(one, other)
    self.kind = kind
    self.similarity = similarity
  }
}
