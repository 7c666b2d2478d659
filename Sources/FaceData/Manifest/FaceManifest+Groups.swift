extension FaceManifest {
  /// Groups of samples that belong together: all that share a person, a video, an original or a
  /// value of the column `group`, directly or through other samples. A group is never divided
  /// between parts of a split, between sides of a fit, or between draws of a confidence interval. A
  /// sample with none of these values is a group of its own.
  ///
  /// This is the only definition of "group". Pictures are not compared here; `DatasetSplitter`
  /// compares them and stores the result in the column `group`.
  ///
  /// - Returns: The name of each sample's group: the first sample's group, person, original, video
  ///   or path, whichever is known first. Repeated names get a number.
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

  /// The groups of videos by their labels. They are the same as the groups of their faces.
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
