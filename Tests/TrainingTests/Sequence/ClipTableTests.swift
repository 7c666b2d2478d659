import DeepfakeCore
import FaceData
import Measures
import Testing
import Training

/// Which frames make a clip.
@Suite struct ClipTableTests {
  private func sample(
    _ name: String, video: String?, time: Double? = nil, person: String? = nil,
    label: FaceLabel = .real
  ) -> FaceSample {
    var sample = FaceSample(path: name, label: label)
    (sample.video, sample.time, sample.person) = (video, time, person)
    return sample
  }

  private func settings(_ frames: Int, _ clips: NetworkSettings.FrameSequence.Clips)
    -> NetworkSettings.FrameSequence
  {
    var settings = NetworkSettings.FrameSequence()
    (settings.frames, settings.clips) = (frames, clips)
    return settings
  }

  @Test func aTrackIsOnePersonInTheOrderOfTime() {
    let table = ClipTable(
      FaceManifest([
        sample("a2", video: "a", time: 2, person: "anna"),
        sample("b", video: "a", time: 1, person: "bob"),
        sample("a1", video: "a", time: 1, person: "anna"),
        sample("alone", video: nil),
        sample("fake", video: "a", time: 1, person: "anna", label: .fake),
        sample("alone too", video: nil),
      ]), settings(4, .spread))
    #expect(table.tracks == [[2, 0], [1], [3], [4], [5]])
    #expect(table.clips == [0, 1, 2, 3, 4])
    #expect(table.manifest.samples.map(\.path) == ["a1", "b", "alone", "fake", "alone too"])
  }

  @Test func samplesThatCannotBeUsedAreLeftOut() {
    let samples = (0..<4).map { sample("\($0)", video: "v", time: Double($0)) }
    let table = ClipTable(FaceManifest(samples), settings(4, .spread)) { $0 != 1 }
    #expect(table.tracks == [[0, 2, 3]])
  }

  private var long: FaceManifest {
    FaceManifest((0..<21).map { sample("\($0)", video: "v", time: Double($0)) })
  }

  @Test func spreadClipsTakeOneFrameOfEachPart() {
    let table = ClipTable(long, settings(5, .spread))
    #expect(table.clips == [0, 0, 0, 0])
    var seen: Set<Int> = []
    for seed in 0..<60 {
      var generator = SeededGenerator(seed: UInt64(seed), label: "clip")
      let samples = table.samples(of: 0, using: &generator)
      #expect(samples.count == 5 && samples == samples.sorted())
      for (part, sample) in samples.enumerated() {
        #expect((part * 21 / 5..<(part + 1) * 21 / 5).contains(sample))
      }
      seen.formUnion(samples)
    }
    #expect(seen.count == 21)
    #expect(table.judged(0) == [[0, 5, 10, 15, 20]])
  }

  @Test func consecutiveClipsHaveNoGaps() {
    let table = ClipTable(long, settings(8, .consecutive))
    var starts: Set<Int> = []
    for seed in 0..<200 {
      var generator = SeededGenerator(seed: UInt64(seed), label: "clip")
      let samples = table.samples(of: 1, using: &generator)
      #expect(samples == Array(samples[0]..<samples[0] + 8))
      starts.insert(samples[0])
    }
    #expect(starts == Set(0...13))
    #expect(table.judged(0) == [Array(0..<8), Array(8..<16), Array(13..<21)])
  }
}
