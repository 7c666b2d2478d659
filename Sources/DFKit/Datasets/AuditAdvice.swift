import Training

extension LinkKind {
  /// What a link of this kind between two sides means, and how to remove it.
  var advice: String {
    switch self {
    case .identicalFile:
      "The same picture is on both sides. Remove one of each pair, or let dfkit split put them on"
        + " one side."
    case .nearCopy:
      "A picture and a recompressed, scaled, mirrored or shifted copy of it are on both sides. A"
        + " network that"
        + " has learned the one knows the other. Let dfkit split put them on one side."
    case .video:
      "Frames of one video are nearly the same picture. Never draw frames; draw videos, or rather"
        + " people."
    case .neighbours:
      "Files next to each other that look alike are frames of one video, most likely. Let dfkit"
        + " split find"
        + " them, or write the videos into the manifest."
    case .original:
      "A fake and the video that it was made from, or two fakes of one video, are on both sides."
        + " They share"
        + " everything but a face. Keep a fake on its original's side."
    case .person:
      "The manifest names people who are on both sides. A network can learn people instead of"
        + " manipulation."
    case .lookAlike:
      "Faces on both sides look like one person's. Strangers may look alike too: look at the"
        + " pairs. dfkit"
        + " split joins them; --look-alike says how alike they must be."
    case .folder: "Folders that hold people together are on both sides."
    case .background:
      "What is around the faces looks like the same place. That alone is no leak: news studios"
        + " look alike. Where"
        + " real and fake crops have different backgrounds, though, a network learns those;"
        + " tighter crops help."
    }
  }
}

extension ShortcutProbe.Finding {
  /// How to keep a network from learning this shortcut. For the finding over all features
  /// (`feature` is nil), what its AUC measures.
  var advice: String {
    switch feature {
    case nil: "How well all of the below, but the collection, tell real from fake together."
    case .size, .ownSharpness: "Scale all crops to one size, from frames of like size."
    case .bytesPerPixel, .quality, .blockiness:
      "Save real and fake crops in the same way; recompress at random in training (augmentation"
        + " strong)."
    case .sharpness: "Fakes are often softer by nature; blur and scale at random in training."
    case .noise: "Add noise at random in training."
    case .brightness, .tint, .contrast, .saturation:
      "Change colours at random in training (augmentation strong)."
    case .framing:
      "Cut real and fake crops with one margin around one detector's boxes; shift and scale at"
        + " random in training."
    case .origin: "Take real and fake crops from every collection."
    }
  }
}
