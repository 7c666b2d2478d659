import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct LabelSourceTests {
  /// The label of a file that need not be there.
  private func label(
    _ labels: inout DatasetLabels, _ path: String, in folder: URL
  ) throws -> VideoLabel {
    guard case .label(let label) = try labels.answer(for: folder.appendingPathComponent(path))
    else {
      Issue.record("\(path) is left out")
      return VideoLabel(.real, video: "", file: "")
    }
    return label
  }

  private func write(_ text: String, _ path: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  @Test func challengeFoldersHaveTheirMetadata() throws {
    try Paths.withTemporaryFolder { folder in
      try write(
        """
        {"aaa.mp4": {"label": "FAKE", "split": "train", "original": "bbb.mp4"},
         "bbb.mp4": {"label": "REAL", "split": "train", "original": null},
         "ccc.mp4": {"is_fake": 1}, "ddd.mp4": {"label": "MAYBE"}}
        """, "dfdc_train_part_7/metadata.json", in: folder)
      var labels = try DatasetLabels()
      let fake = try label(&labels, "dfdc_train_part_7/aaa.mp4", in: folder)
      #expect(fake.label == .fake && fake.video == "dfdc_train_part_7/aaa")
      #expect(fake.original == "dfdc_train_part_7/bbb" && fake.split == "train")
      #expect(fake.origin == "dfdc" && fake.person == nil && fake.key == fake.video)
      let real = try label(&labels, "dfdc_train_part_7/bbb.mp4", in: folder)
      #expect(real.label == .real && real.video == fake.original && real.original == nil)
      #expect(try label(&labels, "dfdc_train_part_7/ccc.mp4", in: folder).label == .fake)
      #expect(labels.counts == ["DFDC's metadata.json": 3])
      let unknown = failure { () throws(DatasetError) in
        try labels.answer(for: folder.appendingPathComponent("dfdc_train_part_7/ddd.mp4"))
      }
      #expect(unknown?.description.contains("ddd.mp4 has the label 'MAYBE'") == true)
      let missing = failure { () throws(DatasetError) in
        try labels.answer(for: folder.appendingPathComponent("dfdc_train_part_7/eee.mp4"))
      }
      #expect(missing?.description.contains("eee.mp4: has no label") == true)
      #expect(missing?.description.contains("--labels") == true)
      try write("[1, 2", "broken/metadata.json", in: folder)
      let broken = failure { () throws(DatasetError) in
        try labels.answer(for: folder.appendingPathComponent("broken/a.mp4"))
      }
      #expect(broken?.description.contains("metadata.json: line 1: is not valid JSON") == true)
    }
  }

  @Test(arguments: [
    ("original_sequences/youtube/c23/videos/004.mp4", "youtube/004", nil, "004"),
    ("manipulated_sequences/Deepfakes/c23/videos/004_982.mp4", "Deepfakes/004_982", "004", "982"),
    ("manipulated_sequences/FaceShifter/c23/videos/1_2.mp4", "FaceShifter/1_2", "1", "2"),
    (
      "manipulated_sequences/NeuralTextures/c23/videos/004_982.mp4", "NeuralTextures/004_982",
      "004", "004"
    ),
  ])
  func faceForensicsFolders(_ path: String, _ video: String, _ original: String?, _ person: String)
    throws
  {
    var labels = try DatasetLabels()
    let found = try label(&labels, path, in: URL(fileURLWithPath: "/data/real/ff"))
    #expect(found.video == video && found.variant == "c23" && found.key == "\(video)@c23")
    #expect(found.label == (original == nil ? .real : .fake))
    #expect(found.original == original.map { "youtube/\($0)" })
    #expect(found.person == "faceforensics/\(person)")
    #expect(found.file == path && found.origin == "faceforensics")
  }

  @Test func faceForensicsActorsAndMasks() throws {
    var labels = try DatasetLabels(.faceForensics)
    let root = URL(fileURLWithPath: "/data")
    let fake = try label(
      &labels,
      "manipulated_sequences/DeepFakeDetection/c40/videos/01_27__walking_outside__YVGY8LOK.mp4",
      in: root)
    let real = try label(
      &labels, "original_sequences/actors/c40/videos/01__walking_outside.mp4", in: root)
    #expect(fake.original == real.video && real.video == "actors/01__walking_outside")
    #expect(fake.person == "faceforensics/actor-27" && real.person == "faceforensics/actor-01")
    let mask = root.appendingPathComponent(
      "manipulated_sequences/Deepfakes/masks/videos/004_982.mp4")
    #expect(try labels.answer(for: mask) == .leftOut("FaceForensics++'s masks"))
    #expect(labels.leftOut == ["FaceForensics++'s masks": 1])
    let other = failure { () throws(DatasetError) in
      try labels.answer(for: URL(fileURLWithPath: "/data/real/a.mp4"))
    }
    #expect(
      other?.description.contains("a.mp4: has no label in FaceForensics++'s folders") == true)
  }

  @Test func celebrityFolders() throws {
    var labels = try DatasetLabels()
    let root = URL(fileURLWithPath: "/data/Celeb-DF-v2")
    let fake = try label(&labels, "Celeb-synthesis/id3_id9_0002.mp4", in: root)
    let real = try label(&labels, "Celeb-real/id3_0002.mp4", in: root)
    let other = try label(&labels, "YouTube-real/00017.mp4", in: root)
    #expect(fake.label == .fake && real.label == .real && other.label == .real)
    #expect(fake.original == real.video && real.video == "Celeb-real/id3_0002")
    #expect(fake.person == "celeb-df/id9" && real.person == "celeb-df/id3")
    #expect(other.person == nil && other.video == "YouTube-real/00017")
    #expect(labels.text == "Celeb-DF's folders: 3 videos")
  }

  @Test func namesOfFolders() throws {
    try Paths.withTemporaryFolder { folder in
      let home = folder.appendingPathComponent("set")
      for name in ["0", "1"] {
        try FileManager.default.createDirectory(
          at: home.appendingPathComponent(name), withIntermediateDirectories: true)
      }
      var labels = try DatasetLabels()
      #expect(try label(&labels, "Real/part/a.b.mp4", in: home).video == "set/Real/part/a.b")
      #expect(try label(&labels, "manipulated/a.mp4", in: home).label == .fake)
      // The nearest folder decides.
      #expect(try label(&labels, "fake/original/a.mp4", in: home).label == .real)
      #expect(try label(&labels, "0/a.mp4", in: home).label == .real)
      #expect(try label(&labels, "1/a.mp4", in: home).label == .fake)
      for path in ["other/1/a.mp4", "real/1/2/3/a.mp4"] {
        let missing = failure { () throws(DatasetError) in
          try labels.answer(for: home.appendingPathComponent(path))
        }
        #expect(missing?.description.contains("has no label") == true, "\(path)")
      }
    }
  }

  @Test func tablesNameVideosAndTheirOriginals() throws {
    try Paths.withTemporaryFolder { folder in
      try write(
        """
        filename,label,original,person,source,remark
        a/x.mp4,real,,Ann,studio,
        b/x.mp4,0,,Bob,,
        b/y.mp4,FAKE,a/x.mp4,Ann,studio,good
        b/z.mp4,1,y.mp4,,,
        """, "labels.csv", in: folder)
      var labels = try DatasetLabels()
      let real = try label(&labels, "a/x.mp4", in: folder)
      #expect(real.video == "a/x" && real.person == "Ann" && real.origin == "studio")
      #expect(try label(&labels, "b/x.mp4", in: folder).video == "b/x")
      #expect(try label(&labels, "b/y.mp4", in: folder).original == "a/x")
      #expect(try label(&labels, "b/z.mp4", in: folder).original == "b/y")
      #expect(labels.text == "labels.csv: 4 videos")
      // Named, it also serves for videos that lie elsewhere; found beside them, it does not.
      let elsewhere = URL(fileURLWithPath: "/videos")
      var named = try DatasetLabels(.table(folder.appendingPathComponent("labels.csv")))
      #expect(try label(&named, "b/y.mp4", in: elsewhere).label == .fake)
      let missing = failure { () throws(DatasetError) in
        try named.answer(for: elsewhere.appendingPathComponent("y.mp4"))
      }
      #expect(missing?.description.contains("y.mp4: has no label in labels.csv") == true)
    }
  }

  @Test(arguments: [
    ("filename,label\na.mp4,REAL\nb.mp4,perhaps\n", "line 3, column label: is 'perhaps'"),
    ("filename,label\na.mp4,REAL\na.avi,FAKE\n", "line 3, column path: 'a.avi' is listed twice"),
    ("filename\na.mp4\n", "line 1: the header has no column label"),
    ("path,label\na.mp4\n", "line 2: has 1 field, but the header 2"),
    ("path,label\n", "lists no video"),
    ("", "is empty"),
    ("path,label,video\na.mp4,1,v\nb.mp4,1,v\n", "line 3, column video: 'v' is also"),
    ("path,label\n,1\n", "line 2, column path: is empty"),
  ])
  func badTables(_ text: String, _ message: String) throws {
    try withCSV(text) { file in
      let error = failure { () throws(DatasetError) in try TableLabels(file) }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }
  }
}
