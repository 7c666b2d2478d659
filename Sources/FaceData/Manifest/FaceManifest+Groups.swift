extension FaceManifest {
  /// What belongs together, and is therefore in one part of a split, drawn as one for intervals and
  /// kept together where something is fitted: whatever shares a person, a video, an original or a
  /// group of the manifest, directly or through others. A sample of which none is known stands
  /// alone. This is the one meaning of "group"; pictures, which `DatasetSplitter` looks at too, are
  /// not looked at here: the column `group` keeps what that found.
  ///
  /// - Returns: for each sample the name of its group, which is what is known of the group's first
  ///   sample.
  public func groups() -> [String] {
    let joined = SampleGroups(table, blockLength: nil).join()
    var names = [String?](repeating: nil, count: joined.count)
    var taken: Set<String> = []
    return joined.groups.enumerated().map { index, group in
      if let name = names[group] { return name }
      let sample = table.sample(table.rows[index])
      let known = sample.group ?? sample.person ?? sample.original ?? sample.video ?? sample.path
      var name = known
      var number = 1
      while !taken.insert(name).inserted {
        number += 1
        name = "\(known) (\(number))"
      }
      names[group] = name
      return name
    }
  }

  /// The groups of videos by what a dataset says of them: the same as those of their faces.
  package static func groups(of labels: [VideoLabel]) -> [String] {
    FaceManifest(
      labels.enumerated().map { index, label in
        var sample = FaceSample(path: "\(index)", label: label.label)
        sample.video = label.video
        sample.person = label.person
        sample.original = label.original
        return sample
      }
    ).groups()
  }
}
