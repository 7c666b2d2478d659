import FaceData
import Foundation
import Testing

/// The one meaning of "group", which splits and intervals share.
@Suite struct GroupTests {
  @Test func fakesBelongWithWhatTheyAreMadeOf() throws {
    var labels = try DatasetLabels(.faceForensics)
    let videos = [
      "original_sequences/youtube/c23/videos/004.mp4",
      "manipulated_sequences/Deepfakes/c23/videos/004_982.mp4",
      "original_sequences/youtube/c23/videos/982.mp4",
      "original_sequences/youtube/c23/videos/003.mp4",
      "original_sequences/youtube/c40/videos/003.mp4",
    ].map { URL(fileURLWithPath: "/data/" + $0) }
    let found = labels.answers(for: videos).videos.map(\.label)
    let groups = FaceManifest.groups(of: found)
    #expect(Set(groups[..<3]).count == 1 && groups[3] == groups[4] && groups[0] != groups[3])
    // The faces cut out of them are in the same groups, whoever is seen beside.
    let faces = found.enumerated().map { index, label in
      var face = FaceSample(path: "\(index).png", label: label.label)
      (face.video, face.original, face.person) = (label.video, label.original, label.person)
      return face
    }
    #expect(FaceManifest(faces).groups() == groups)
  }

  @Test func splitsTearNoGroup() throws {
    let faces = (0..<60).map { index in
      var face = FaceSample(path: "\(index).png", label: index % 3 == 0 ? .real : .fake)
      face.video = index % 3 == 0 ? "v\(index)" : "f\(index)"
      face.original = index % 3 == 0 ? nil : "v\(index / 3 * 3)"
      return face
    }
    let manifest = FaceManifest(faces)
    let names = Dictionary(
      zip(manifest.samples.map(\.path), manifest.groups()), uniquingKeysWith: { first, _ in first })
    #expect(Set(names.values).count == 20)
    let split = try HoldOut().split(manifest)
    let (training, heldOut) = (split.training.samples, split.heldOut.samples)
    #expect(
      Set(training.map { names[$0.path] }).isDisjoint(with: heldOut.map { names[$0.path] }))
  }

  @Test func aManifestsOwnGroupsCountToo() {
    var faces = (0..<4).map { FaceSample(path: "\($0).png", label: .real) }
    (faces[0].group, faces[1].group) = ("g", "g")
    (faces[1].person, faces[2].person) = ("p", "p")
    // A person and a video that are called alike are two.
    faces[3].video = "g"
    let groups = FaceManifest(faces).groups()
    #expect(groups == ["g", "g", "g", "g (2)"])
  }
}
