import FaceData

extension LinkKind {
  /// What a link of this kind between two sides means, and how to remove it.
  var advice: String {
    switch self {
    case .identicalFile:
      "The same picture is on both sides. Remove one of each pair, or let dfkit split put them on"
        + " one side."
    case .nearCopy:
      "A picture and a recompressed, scaled, mirrored or shifted copy of it are on different"
        + " sides. A network that was trained on one of them knows the other. Let dfkit split put"
        + " them on one side."
    case .video:
      "Frames of one video are nearly the same picture. Never split by frames; split by videos, or"
        + " better by people."
    case .neighbours:
      "Neighbouring files that look alike are probably frames of one video. Let dfkit split find"
        + " them, or write the videos into the manifest."
    case .original:
      "A fake and the video that it was made from, or two fakes of one video, are on different"
        + " sides. They differ only in a face. Keep a fake on the side of its original."
    case .person:
      "According to the manifest, some people are on both sides. A network can learn people"
        + " instead of manipulation."
    case .lookAlike:
      "Faces on both sides look like the same person. Different people may look alike, too: check"
        + " the pairs. dfkit split joins them; --look-alike sets how similar they must be."
    case .folder: "Folders that group people are on both sides."
    case .background:
      "The backgrounds of the faces look like the same place. That alone is not a leak: news"
        + " studios look alike. But if real and fake crops have different backgrounds, a network"
        + " learns the backgrounds; tighter crops help."
    }
  }
}

extension ShortcutProbe.Finding {
  /// How to keep a network from learning this shortcut. For the finding over all features
  /// (`feature` is nil), what its AUC measures.
  var advice: String {
    switch feature {
    case nil:
      "How well all features below together, without the collection, separate real from fake."
    case .size, .ownSharpness: "Scale all crops to one size, from frames of similar size."
    case .bytesPerPixel, .quality, .blockiness:
      "Save real and fake crops in the same way; recompress at random in training (augmentation"
        + " strong)."
    case .sharpness: "Fakes are often softer by nature; blur and scale at random in training."
    case .noise: "Add noise at random in training."
    case .brightness, .tint, .contrast, .saturation:
      "Change colours at random in training (augmentation strong)."
    case .framing:
      "Use the same detector and the same margin for real and fake crops; shift and scale at"
        + " random in training."
    case .origin: "Use real and fake crops from every collection."
    }
  }
}
